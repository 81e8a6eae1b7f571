/** Tell a hub where a rider is: `RiderClient`. */

import { SocketClient } from "./base.ts";
import { json } from "./codec.ts";
import { Connection } from "./connection.ts";
import { Inbox } from "./inbox.ts";
import type { Dial } from "./link.ts";
import { byPosts } from "./posts.ts";
import type { Crs } from "./session.ts";
import { address, bySocket } from "./socket.ts";
import { seconds } from "./talk.ts";
import type { Token } from "./tokens.ts";
import type { Cadence, Orders, RiderMessage } from "./updates.ts";
import { RiderSession, type RiderOptions as SessionOptions } from "./uplink.ts";
import type { ClientOptions } from "./user.ts";

export interface RiderOptions extends ClientOptions, SessionOptions {}

/**
 * One fix. What is null or NaN counts as left out, so that the browser's GeolocationCoordinates
 * can be passed on.
 */
export interface FixInput {
  readonly lat: number;
  readonly lng: number;
  /** When it was taken, in milliseconds as of `Date.now`, which it is unless given. */
  readonly at?: number | undefined;
  /** Degrees clockwise from north. */
  readonly heading?: number | null | undefined;
  /** m/s */
  readonly speed?: number | null | undefined;
  /** Metres. */
  readonly accuracy?: number | null | undefined;
  /** 0..1 */
  readonly battery?: number | null | undefined;
  readonly crs?: Crs | undefined;
}

/** Messages kept for a rider's app that does not read them. */
const UNREAD = 1000;

/**
 * Sends fixes as often as the hub wants them, and again those it did not acknowledge.
 *
 *     const rider = new RiderClient("https://hub.example", "rider-7", token).connect();
 *     rider.send({ lat: 31.2304, lng: 121.4737, speed: 6.1 });
 *
 * Iterating over it gives `orders`, `cadence`, `ack`, `rejected` and `notice`; an app need not.
 * Without a connection up to `capacity` fixes are kept, the newest. `firstSeq` is the microseconds
 * of the clock unless given: it has to grow from one run of the app to the next. A rider who
 * connects from elsewhere ends this client with ClosedError 4509.
 *
 * Where no WebSocket gets through, fixes go by POST, every five seconds; then neither orders nor
 * cadence are told.
 */
export class RiderClient extends SocketClient<RiderMessage> {
  readonly #session: RiderSession;
  readonly #connection: Connection<RiderMessage>;
  #error: { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];

  /** Throws TypeError for a `url` that is no hub's. */
  constructor(url: string, riderId: string, token: Token, options: RiderOptions = {}) {
    const {
      chance = Math.random,
      grace = 10,
      onConnection,
      firstSeq = Date.now() * 1000,
    } = options;
    const ways = waysTo(url, riderId, options, () => this.#connection.networkChanged());
    const session = new RiderSession({ firstSeq, capacity: options.capacity });
    const inbox = new Inbox<RiderMessage>({ newestOf, limit: UNREAD });
    const deliver = (message: RiderMessage) => {
      inbox.put(message);
      if (session.pending === 0) this.#wakeWaiting();
    };
    const connection = new Connection(ways, token, session, deliver, {
      chance,
      grace,
      onConnection,
    });
    super(connection, inbox);
    this.#session = session;
    this.#connection = connection;
  }

  /** What the rider carries now, as far as the hub has told. */
  get orders(): Orders["orders"] {
    return this.#session.orders.orders;
  }

  get cadence(): Cadence {
    return this.#session.cadence;
  }

  /** Fixes that the hub has neither acknowledged nor rejected yet. */
  get pending(): number {
    return this.#session.pending;
  }

  /** Fixes that fell out of the full buffer. */
  get dropped(): number {
    return this.#session.dropped;
  }

  /**
   * Queue a fix and answer its seq; does not wait for a connection. Within the hub's cadence a newer
   * fix replaces one that waits, `immediately` sends it at once. Throws what ended the client.
   */
  send(fix: FixInput, immediately = false): number {
    if (this.#error !== undefined) throw this.#error.error;
    const { at = Date.now(), lat, lng, heading, speed, accuracy, battery, crs } = fix;
    const told = {
      at: new Date(at).toISOString(),
      lat,
      lng,
      ...present({ heading, speed, accuracy, battery }),
      ...(crs === "gcj02" && { crs }),
    };
    const seq = this.#session.add(told, seconds(), immediately);
    this.#connection.wake();
    return seq;
  }

  /** Wait until every fix was acknowledged or rejected. Throws what ended the client. */
  async settled(): Promise<void> {
    if (this.pending > 0 && this.#error === undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#error !== undefined) throw this.#error.error;
  }

  protected override end(error: unknown): void {
    if (error !== undefined) this.#error ??= { error };
    this.#wakeWaiting();
    super.end(error);
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function waysTo(
  url: string,
  riderId: string,
  options: RiderOptions,
  over: () => void,
): [Dial, ...Dial[]] {
  const WebSocketClass = options.WebSocket ?? globalThis.WebSocket;
  const rider = `/v1/riders/${encodeURIComponent(riderId)}`;
  const posts = byPosts(
    address(url, `${rider}/positions`, ["http", "https"]),
    options.fetch ?? globalThis.fetch.bind(globalThis),
    over,
  );
  if (WebSocketClass === undefined) return [posts];
  const socket = address(url, `${rider}/stream`, ["ws", "wss"]);
  return [bySocket(socket, options.codec ?? json, WebSocketClass), posts];
}

/** What has a value. */
function present<K extends string>(
  fields: Record<K, number | null | undefined>,
): { [P in K]?: number } {
  const told = Object.entries(fields).filter(([, value]) => Number.isFinite(value));
  return Object.fromEntries(told) as { [P in K]?: number };
}

function newestOf(message: RiderMessage): string | undefined {
  return message.type === "rejected" || message.type === "notice" ? undefined : message.type;
}
