/**
 * A rider's conversation with a hub: what was not acknowledged, how often to send. No I/O.
 *
 * Feed it what happens (`connected`, `receive`, `disconnected`, `add`) and send what `outgoing`
 * answers. Fixes are told in the order they were taken; the hub refuses older ones after newer.
 * The Python client has the same in `clients/uplink.py`; both play `schemas/examples/session`.
 */

import type { Message } from "./codec.ts";
import { CloseCode } from "./codes.ts";
import { ClosedError } from "./errors.ts";
import type { Fix, Fixes, FixMessage, Rejection } from "./schema.ts";
import {
  type Acked,
  type Cadence,
  number,
  type Orders,
  type Rejected,
  type RiderMessage,
  readNotice,
  readOrders,
  text,
  whole,
} from "./updates.ts";

/** Fixes in one batch. */
export const MAX_FIXES = 100;

/** What holds until the hub says how often it wants to hear. */
export const FIRST_CADENCE: Cadence = { type: "cadence", seconds: 5, reason: "idle" };

const NEVER = Number.POSITIVE_INFINITY;
const AT_ONCE = Number.NEGATIVE_INFINITY;

export interface RiderOptions {
  /**
   * Above every seq this rider ever used, as an `ack` names the highest taken.
   */
  readonly firstSeq?: number | undefined;
  /** How many fixes that no hub has acknowledged are kept, the newest. */
  readonly capacity?: number | undefined;
}

/** `now` is any clock that only goes forward, in seconds. */
export class RiderSession {
  orders: Orders = { type: "orders", orders: [] };
  cadence: Cadence = FIRST_CADENCE;
  /** Fixes that fell out of a full buffer before a hub acknowledged them, oldest first. */
  dropped = 0;
  readonly ended = false;

  readonly #capacity: number;
  #nextSeq: number;
  #connected = false;
  /** By seq, which only grows. */
  readonly #unacked = new Map<number, Fix>();
  /** The highest seq that went out on the present connection. */
  #sent = -1;
  /** The highest seq that is in `#unacked`, or was. */
  #admitted = -1;
  #admittedAt = AT_ONCE;
  /** The newest fix that the cadence keeps back. */
  #held: Fix | undefined;

  constructor({ firstSeq = 1, capacity = 1000 }: RiderOptions = {}) {
    this.#nextSeq = firstSeq;
    this.#capacity = capacity;
  }

  /** Fixes not yet acknowledged or rejected, the one that the cadence holds included. */
  get pending(): number {
    return this.#unacked.size + (this.#held === undefined ? 0 : 1);
  }

  /**
   * Take a fix and answer its seq. Within the cadence of the last one it waits, and gives way to a
   * newer one meanwhile; `immediately` passes that by.
   */
  add(fix: Omit<Fix, "seq">, now: number, immediately = false): number {
    const seq = this.#nextSeq++;
    this.#held = { seq, ...fix };
    if (immediately) this.#admit(this.#held, now);
    else this.#admitDue(now);
    return seq;
  }

  /** The hub has taken the token: what it did not acknowledge is to be sent again. */
  connected(): void {
    this.#connected = true;
    this.#sent = -1;
  }

  disconnected(): void {
    this.#connected = false;
  }

  /** When `outgoing` will have something to say; minus infinity for now. */
  due(): number {
    if (!this.#connected) return NEVER;
    if (this.#unacked.size > 0 && this.#admitted > this.#sent) return AT_ONCE;
    return this.#held === undefined ? NEVER : this.#admittedAt + this.cadence.seconds;
  }

  /** The messages to send, in order: one `fix`, or batches of what has gathered. */
  outgoing(now: number): (FixMessage | Fixes)[] {
    this.#admitDue(now);
    if (!this.#connected) return [];
    const fixes = [...this.#unacked.values()].filter(({ seq }) => seq > this.#sent);
    this.#sent = this.#admitted;
    const [only] = fixes;
    if (only !== undefined && fixes.length === 1) return [{ type: "fix", ...only }];
    const batches = Array.from({ length: Math.ceil(fixes.length / MAX_FIXES) }, (_, n) =>
      fixes.slice(n * MAX_FIXES, (n + 1) * MAX_FIXES),
    );
    return batches.map((batch) => ({ type: "fixes", fixes: batch }));
  }

  /**
   * One decoded message of the hub.
   *
   * Throws HubMessageError if it lacks what its type must have, and ClosedError when this rider has
   * connected from elsewhere.
   */
  receive(message: Message, _now: number): RiderMessage[] {
    switch (message.type) {
      case "ack":
        return [this.#ack(whole(message, "seq"))];
      case "orders":
        this.orders = readOrders(message);
        return [this.orders];
      case "cadence":
        this.cadence = readCadence(message);
        return [this.cadence];
      case "rejected":
        return [this.#reject(message)];
      case "superseded":
        throw new ClosedError(CloseCode.SUPERSEDED, "this rider connected from elsewhere");
      case "notice":
      case "error":
        return [readNotice(message)];
      default:
        return [];
    }
  }

  #admitDue(now: number): void {
    const due = now >= this.#admittedAt + this.cadence.seconds;
    if (this.#held !== undefined && due) this.#admit(this.#held, now);
  }

  #admit(fix: Fix, now: number): void {
    this.#unacked.set(fix.seq, fix);
    this.#held = undefined;
    this.#admitted = fix.seq;
    this.#admittedAt = now;
    const [oldest] = this.#unacked.keys();
    if (oldest !== undefined && this.#unacked.size > this.#capacity) {
      this.#unacked.delete(oldest);
      this.dropped += 1;
    }
  }

  #ack(upTo: number): Acked {
    for (const seq of this.#unacked.keys()) {
      if (seq > upTo) break;
      this.#unacked.delete(seq);
    }
    return { type: "ack", seq: upTo };
  }

  #reject(message: Message): Rejected {
    const reason = text(message, "reason") as Rejection;
    const seq = message["seq"];
    if (typeof seq !== "number") return { type: "rejected", reason };
    this.#unacked.delete(seq);
    return { type: "rejected", seq, reason };
  }
}

function readCadence(message: Message): Cadence {
  const reason = text(message, "reason") as Cadence["reason"];
  return { type: "cadence", seconds: Math.max(0, number(message, "seconds")), reason };
}
