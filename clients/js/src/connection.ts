/** A link to a hub, kept: it connects, renews the token, and comes back with jitter. */

import { backoff, type Chance, DEFAULT, type Window } from "./backoff.ts";
import { CloseCode, comesBack } from "./codes.ts";
import { ClientError, ClosedError } from "./errors.ts";
import type { Dial } from "./link.ts";
import { Routes } from "./routes.ts";
import { type Ending, type Peer, seconds, Talk } from "./talk.ts";
import { expiry, type Token } from "./tokens.ts";

/** Seconds, all of them. */
export interface ConnectionOptions {
  readonly chance: Chance;
  /** The hub's silence beyond its ping interval that counts as a lost connection. */
  readonly grace: number;
  /** Told true when a hub has taken the token, and false when that connection is gone. */
  readonly onConnection?: ((connected: boolean) => void) | undefined;
}

/** A connection that lasted this long starts the backoff anew. */
const STABLE_AFTER = 10;
/** How long before its `exp` a token is renewed in place. */
const RENEW_BEFORE = 60;
/** At least, should every token come expired. */
const BETWEEN_RENEWALS = 1;
/** Between attempts, whatever a page says of its network. */
const BETWEEN_NUDGES = 1;

const NEVER = Number.POSITIVE_INFINITY;

export class Connection<T> {
  /** Whether a hub has taken the token of the present link. */
  up = false;

  readonly #routes: Routes<Dial>;
  readonly #token: Token;
  readonly #peer: Peer<T>;
  readonly #deliver: (item: T) => void;
  readonly #options: ConnectionOptions;
  #window: Window = DEFAULT;
  #delays: Iterator<number, never>;
  #upSince: number | undefined;
  #renewAt = NEVER;
  #lastToken = "";
  #talk: Talk<T> | undefined;
  #over = false;
  #paused = false;
  #dialledAt = Number.NEGATIVE_INFINITY;
  #rest: { readonly end: () => void; timer: ReturnType<typeof setTimeout> | undefined } | undefined;

  constructor(
    ways: readonly [Dial, ...Dial[]],
    token: Token,
    peer: Peer<T>,
    deliver: (item: T) => void,
    options: ConnectionOptions,
  ) {
    this.#routes = new Routes(...ways);
    this.#token = token;
    this.#peer = peer;
    this.#deliver = deliver;
    this.#options = options;
    this.#delays = backoff(options.chance);
  }

  /** Until the peer has ended or `close`. Throws what makes coming back senseless. */
  async run(): Promise<void> {
    while (!this.#done) {
      if (this.#paused) {
        await this.#restFor(NEVER);
        continue;
      }
      const ending = await this.#once();
      if (this.#done) return;
      if (ending !== undefined) this.#judge(ending);
      if (!this.#paused) await this.#restFor(this.#delay());
    }
  }

  /** The peer has something to say: look at once. */
  wake(): void {
    this.#talk?.look();
    if (this.#peer.ended) this.#rest?.end();
  }

  close(): void {
    this.#over = true;
    this.#talk?.close();
    this.#rest?.end();
  }

  /** Let go of the hub until `resume`. Nothing gets lost: what is missed is told then. */
  pause(): void {
    this.#paused = true;
    this.#talk?.close();
    this.#rest?.end();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#rest?.end();
  }

  /** There is reason to think that a connection can be had, or that the present one is dead. */
  nudge(): void {
    this.#talk?.probe();
    this.#setRest(this.#dialledAt + BETWEEN_NUDGES - seconds());
  }

  /** As `nudge`; and what was learnt of the network does not hold for this one. */
  networkChanged(): void {
    this.#routes.forget();
    this.nudge();
  }

  get #done(): boolean {
    return this.#over || this.#peer.ended;
  }

  /** Connect, and talk until the link ends. */
  async #once(): Promise<Ending | undefined> {
    const token = await this.#nextToken();
    if (typeof token !== "string") return token;
    if (this.#done || this.#paused) return undefined;
    this.#dialledAt = seconds();
    this.#planRenewal(token, undefined);
    const talk = new Talk(
      this.#routes.next(),
      token,
      this.#peer,
      this.#hooks(),
      this.#options.grace,
    );
    this.#talk = talk;
    try {
      return await talk.ending;
    } finally {
      this.#talk = undefined;
      if (!talk.heard) this.#routes.failed();
      this.#setUp(false);
    }
  }

  #hooks() {
    return {
      heard: () => this.#routes.worked(),
      welcomed: (window: Window | undefined) => this.#welcomed(window ?? this.#window),
      up: () => this.#setUp(true),
      draining: (window: Window | undefined) => this.#expectReturn(window),
      deliver: this.#deliver,
      renewAt: () => this.#renewAt,
      renewal: () => this.#renewal(),
    };
  }

  #welcomed(window: Window): void {
    if (window.min !== this.#window.min || window.max !== this.#window.max) {
      this.#window = window;
      this.#delays = backoff(this.#options.chance, window);
    }
  }

  /** A draining hub says when to come back: that holds whatever was before. */
  #expectReturn(window: Window | undefined): void {
    if (window === undefined) return;
    this.#delays = backoff(this.#options.chance, window);
    this.#upSince = NEVER;
  }

  #setUp(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    if (up) this.#upSince = seconds();
    this.#options.onConnection?.(up);
  }

  /** How long to stay away, after a connection was lost or not made. */
  #delay(): number {
    const lasted = this.#upSince === undefined ? 0 : seconds() - this.#upSince;
    if (lasted >= STABLE_AFTER) this.#delays = backoff(this.#options.chance, this.#window);
    this.#upSince = undefined;
    return this.#delays.next().value;
  }

  /** Throw what says that coming back as we are makes no sense. */
  #judge({ code, reason }: Ending): void {
    const expired = code === CloseCode.TOKEN_EXPIRED && typeof this.#token === "string";
    if (expired || !comesBack(code)) throw new ClosedError(code, reason);
  }

  async #nextToken(): Promise<string | Ending> {
    try {
      return await this.#freshToken();
    } catch (error) {
      if (error instanceof TypeError) return { code: CloseCode.ABNORMAL, reason: error.message };
      throw error;
    }
  }

  async #freshToken(): Promise<string> {
    if (typeof this.#token === "string") return this.#token;
    const token: unknown = await this.#token();
    if (typeof token === "string") return token;
    throw new ClientError(`the function for a token answered ${token}`);
  }

  /** Only a token that can be renewed, tells its end, and is not the last one once more. */
  #planRenewal(token: string, previous: string | undefined): void {
    const ends = typeof this.#token === "string" ? undefined : expiry(token);
    this.#renewAt = NEVER;
    this.#lastToken = token;
    if (ends === undefined || token === previous) return;
    const now = Date.now() / 1000;
    const left = ends - now;
    this.#renewAt = now + Math.max(left - Math.min(RENEW_BEFORE, left / 5), BETWEEN_RENEWALS);
  }

  async #renewal(): Promise<string | undefined> {
    const previous = this.#lastToken;
    const token = await this.#freshToken();
    this.#planRenewal(token, previous);
    return token === previous ? undefined : token;
  }

  #restFor(wait: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(this.#rest?.timer);
        this.#rest = undefined;
        resolve();
      };
      this.#rest = { end, timer: undefined };
      this.#setRest(wait);
    });
  }

  #setRest(wait: number): void {
    if (this.#rest === undefined) return;
    clearTimeout(this.#rest.timer);
    if (wait < NEVER) this.#rest.timer = setTimeout(this.#rest.end, Math.max(0, wait * 1000));
  }
}
