/** The promise of contract 4, over every kind of bad luck at once; as the Python client's test. */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Message } from "../src/codec.ts";
import { ANSWER_WITHIN, type Cursor, UserSession } from "../src/session.ts";
import type { Update } from "../src/updates.ts";

const ORDERS = ["ord_1", "ord_2"];

/** An order's log as a hub keeps it. */
class Log {
  epoch = "a";
  seq = 1;
  keptFrom = 0;
  readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }

  event(seq: number): Message {
    const { epoch, orderId } = this;
    const timestamp = "2026-11-22T19:05:43.120Z";
    return {
      type: "event",
      orderId,
      epoch,
      seq,
      eventType: "order.delayed",
      status: "PENDING",
      timestamp,
    };
  }

  subscribed(ask: Message): Message {
    const after = ask["after"] as Cursor | undefined;
    const recovered =
      after?.epoch === this.epoch && this.keptFrom <= after.seq && after.seq <= this.seq;
    const first = recovered ? after.seq + 1 : this.seq + 1;
    const events = Array.from({ length: this.seq + 1 - first }, (_, n) => this.event(first + n));
    const { orderId, epoch, seq } = this;
    const snapshot = { orderId, epoch, seq, status: "PENDING" };
    return { type: "subscribed", id: ask["id"], orderId, recovered, snapshot, events };
  }
}

/** A hub with two orders, a wire that drops, repeats and breaks, and a session behind it. */
class Network {
  readonly logs = new Map(ORDERS.map((order) => [order, new Log(order)]));
  readonly told = new Map<string, Cursor>();
  readonly session = new UserSession(() => 0.5);
  #now = 0;
  #wire: Message[] = [];
  #delivered: Message[] = [];
  #subscribed = new Set<string>();

  constructor() {
    for (const order of ORDERS) this.session.subscribe(order);
    this.session.connected();
    this.pump(ORDERS.length);
  }

  change(order: string): void {
    const log = this.log(order);
    log.seq += 1;
    if (this.#subscribed.has(order)) this.#wire.push(log.event(log.seq));
  }

  pump(messages: number): void {
    for (const ask of this.session.outgoing(this.#now) as unknown as Message[]) {
      const orderId = String(ask["orderId"]);
      this.#subscribed.add(orderId);
      this.#wire.push(this.log(orderId).subscribed(ask));
    }
    for (const message of this.#wire.splice(0, messages)) {
      this.#delivered.push(message);
      this.#hear(message);
    }
  }

  reconnect(): void {
    this.session.disconnected();
    this.#wire = [];
    this.#delivered = [];
    this.#subscribed.clear();
    for (const order of ORDERS) this.change(order);
    this.session.connected();
  }

  drop(at: number): void {
    this.#wire.splice(at, 1);
  }

  repeat(at: number): void {
    const message = this.#delivered[at % this.#delivered.length];
    if (message !== undefined) this.#hear(message);
  }

  /** The store made the order anew, or forgot its older events; and time passes. */
  lose(order: string, anew: boolean): void {
    this.#now += ANSWER_WITHIN;
    const log = this.log(order);
    log.keptFrom = log.seq;
    if (!anew) return;
    const next = new Log(order);
    next.epoch = `${log.epoch}a`;
    this.logs.set(order, next);
  }

  log(order: string): Log {
    return this.logs.get(order) as Log;
  }

  #hear(message: Message): void {
    for (const update of this.session.receive(message, this.#now)) this.#check(update);
  }

  #check(update: Update): void {
    if (update.type !== "event" && update.type !== "snapshot") throw new Error(update.type);
    const { epoch, seq } = update.type === "event" ? update : update.snapshot;
    const last = this.told.get(update.orderId);
    if (update.type === "event") expect({ epoch, seq: seq - 1 }).toEqual(last);
    else if (update.recovered) expect({ epoch, seq }).toEqual(last);
    else if (last?.epoch === epoch) expect(seq).toBeGreaterThanOrEqual(last.seq);
    this.told.set(update.orderId, { epoch, seq });
  }
}

const order = fc.constantFrom(...ORDERS);
const step = fc.oneof(
  order.map((one) => (network: Network) => network.change(one)),
  fc.nat({ max: 8 }).map((messages) => (network: Network) => network.pump(messages)),
  fc.constant((network: Network) => network.reconnect()),
  fc.nat({ max: 5 }).map((at) => (network: Network) => network.drop(at)),
  fc.nat({ max: 20 }).map((at) => (network: Network) => network.repeat(at)),
  fc.tuple(order, fc.boolean()).map(
    ([one, anew]) =>
      (network: Network) =>
        network.lose(one, anew),
  ),
);

test("events come with no hole and no repeat, whatever the network does", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const network = new Network();
      for (const act of steps) act(network);
      network.reconnect();
      network.pump(ORDERS.length);
      const all = ORDERS.map((one) => [
        one,
        { epoch: network.log(one).epoch, seq: network.log(one).seq },
      ]);
      expect(Object.fromEntries(network.told)).toEqual(Object.fromEntries(all));
    }),
    { numRuns: 300 },
  );
});
