/** One link to a hub, from dialling to its end: sending, silence, the token's renewal. */

import { readWindow, type Window } from "./backoff.ts";
import type { Message } from "./codec.ts";
import { CloseCode } from "./codes.ts";
import { HubMessageError } from "./errors.ts";
import type { Dial, Link, Listener } from "./link.ts";

/** A pure session: see UserSession. */
export interface Peer<T> {
  readonly ended: boolean;
  connected(): void;
  disconnected(): void;
  due(): number;
  outgoing(now: number): object[];
  receive(message: Message, now: number): T[];
}

export interface Ending {
  readonly code: number;
  readonly reason: string;
}

export interface TalkHooks<T> {
  /** Something came from the other side, for the first time. */
  heard(): void;
  welcomed(window: Window | undefined): void;
  /** Both: there is a hub, and it has taken the token. */
  up(): void;
  draining(window: Window | undefined): void;
  deliver(item: T): void;
  /** Unix seconds from which on `renewal` is to be asked. */
  renewAt(): number;
  /** Another token, if there is one. */
  renewal(): Promise<string | undefined>;
}

const LONGEST_TIMER = 3600; // seconds; a browser's timers end at 24 days

/** Seconds of a clock that only goes forward. */
export const seconds = (): number => performance.now() / 1000;

export class Talk<T> implements Listener {
  /** How it ended, undefined when we left; rejects with what makes coming back senseless. */
  readonly ending: Promise<Ending | undefined>;
  /** Whether anything came from the other side. */
  heard = false;

  readonly #peer: Peer<T>;
  readonly #hooks: TalkHooks<T>;
  readonly #grace: number;
  readonly #link: Link;
  #resolve!: (ending: Ending | undefined) => void;
  #reject!: (error: unknown) => void;
  #over = false;
  /** The hub's ping interval, once it has told. */
  #ping: number | undefined;
  #pinged = false;
  #renewing = false;
  /** When the line was last known to be good. */
  #goodAt = seconds();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(dial: Dial, token: string, peer: Peer<T>, hooks: TalkHooks<T>, grace: number) {
    this.#peer = peer;
    this.#hooks = hooks;
    this.#grace = grace;
    this.ending = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#link = dial(token, this);
    this.#setTimer();
  }

  message(message: Message): void {
    if (this.#over) return;
    try {
      this.#take(message);
    } catch (error) {
      this.failed(error);
    }
    this.look();
  }

  alive(): void {
    this.#goodAt = seconds();
    this.#pinged = false;
    if (this.heard) return;
    this.heard = true;
    this.#hooks.heard();
    this.#checkUp();
  }

  closed(code: number, reason: string): void {
    this.#finish(() => this.#resolve({ code, reason }));
  }

  failed(error: unknown): void {
    this.#finish(() => this.#reject(error));
  }

  /** Leave. */
  close(): void {
    this.#finish(() => this.#resolve(undefined));
  }

  /** Whether the line still is good: ask now, and believe it no longer than the grace. */
  probe(): void {
    if (this.#over || this.#ping === undefined) return;
    if (this.#link.answers) this.#goodAt = Math.min(this.#goodAt, seconds() - this.#ping);
    this.look();
  }

  /** Do what is due: send, ask, renew, or find that the line is dead. */
  look(): void {
    if (this.#over) return;
    const now = seconds();
    if (this.#peer.ended || now >= this.#deadAt()) {
      this.#leave();
      return;
    }
    if (now >= this.#pingAt()) {
      this.#pinged = true;
      this.#link.send({ type: "ping" });
    }
    for (const message of this.#peer.outgoing(now)) this.#link.send(message);
    if (Date.now() / 1000 >= this.#hooks.renewAt()) void this.#renew();
    this.#setTimer();
  }

  #leave(): void {
    if (this.#peer.ended) this.close();
    else this.closed(CloseCode.ABNORMAL, "nothing was heard for too long");
  }

  #take(message: Message): void {
    if (message.type === "welcome") this.#welcomed(message);
    if (message.type === "notice" && message["code"] === "draining") {
      this.#hooks.draining(readWindow(message["reconnect"]));
    }
    for (const item of this.#peer.receive(message, seconds())) this.#hooks.deliver(item);
  }

  #welcomed(message: Message): void {
    const { ping } = message;
    if (typeof ping !== "number")
      throw new HubMessageError("the hub's welcome names no ping interval");
    this.#ping = ping;
    this.#goodAt = seconds();
    this.#hooks.welcomed(readWindow(message["reconnect"]));
    this.#peer.connected();
    this.#checkUp();
  }

  /** Server-Sent Events are welcomed before anything was heard, a socket is not. */
  #checkUp(): void {
    if (this.heard && this.#ping !== undefined) this.#hooks.up();
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    try {
      const token = await this.#hooks.renewal();
      if (token !== undefined && !this.#over) this.#link.send({ type: "auth", token });
    } catch (error) {
      if (error instanceof TypeError) this.closed(CloseCode.ABNORMAL, error.message);
      else this.failed(error);
    } finally {
      this.#renewing = false;
      this.look();
    }
  }

  #deadAt(): number {
    return this.#goodAt + this.#grace + (this.#ping ?? 0);
  }

  /** A page cannot see the hub's ping frames, so it asks when it has heard nothing as long. */
  #pingAt(): number {
    return this.#pinged || this.#ping === undefined
      ? Number.POSITIVE_INFINITY
      : this.#goodAt + this.#ping;
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    if (this.#over) return; // what was sent may have been answered with the end
    const now = seconds();
    const renewal = this.#renewing ? LONGEST_TIMER : this.#hooks.renewAt() - Date.now() / 1000;
    const due = Math.min(this.#deadAt(), this.#pingAt(), this.#peer.due()) - now;
    const wait = Math.min(due, renewal, LONGEST_TIMER);
    this.#timer = setTimeout(() => this.look(), Math.max(0, Math.ceil(wait * 1000)));
  }

  #finish(settle: () => void): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#link.close();
    this.#peer.disconnected();
    settle();
  }
}
