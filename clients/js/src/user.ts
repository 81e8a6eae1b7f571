/** Watch orders live: `UserClient`. */

import type { Chance } from "./backoff.ts";
import { SocketClient } from "./base.ts";
import { type Codec, json } from "./codec.ts";
import { Connection } from "./connection.ts";
import { Inbox } from "./inbox.ts";
import type { Dial } from "./link.ts";
import { type Cursor, type SubscribeOptions, UserSession } from "./session.ts";
import { address, bySocket, type WebSocketConstructor } from "./socket.ts";
import { byEventStream } from "./sse.ts";
import type { Token } from "./tokens.ts";
import type { Update } from "./updates.ts";

export interface ClientOptions {
  /** `json`, or `msgpack` of `ordercast/msgpack`. */
  readonly codec?: Codec | undefined;
  /** The page's own unless given; Node has one from 22 on, before that `ws` has. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** What HTTP goes by where no WebSocket gets through. */
  readonly fetch?: typeof fetch | undefined;
  /** Told true when a hub has taken the token, and false when that connection is gone. */
  readonly onConnection?: ((connected: boolean) => void) | undefined;
  /** A number in [0, 1): the jitter. */
  readonly chance?: Chance | undefined;
  /** Seconds of the hub's silence, beyond its ping interval, that count as a lost connection. */
  readonly grace?: number | undefined;
}

export interface UserOptions extends ClientOptions {
  readonly orders?: Iterable<string> | undefined;
  /** Not to end when no order is left, so that they may come and go. */
  readonly stays?: boolean | undefined;
  /** Seconds after which a hidden page lets go of the hub; it resumes when it is seen again. */
  readonly pauseWhenHidden?: number | undefined;
}

/**
 * An asynchronous iterable of what happens to some orders, over lost connections.
 *
 *     for await (const update of new UserClient("https://hub.example", token, { orders: [id] })) {
 *       console.log(update);
 *     }
 *
 * Per order, events come with no hole and no repeat: a snapshot first, then each event. It ends by
 * itself once every watched order is finished, refused or unsubscribed, unless it `stays`. A reader
 * may be slow: events wait, positions give way to newer ones.
 *
 * The iteration throws ClosedError when the hub closed with a code that forbids coming back,
 * HubMessageError when no hub answers there, and whatever the token's function threw.
 */
export class UserClient extends SocketClient<Update> {
  readonly #session: UserSession;
  readonly #connection: Connection<Update>;

  /** `url` is the hub's base address, http(s) or ws(s). Throws TypeError for what is none. */
  constructor(url: string, token: Token, options: UserOptions = {}) {
    const { chance = Math.random, grace = 10, onConnection } = options;
    const session = new UserSession(chance, options.stays);
    const inbox = new Inbox<Update>({ newestOf, fenceOf });
    const ways = waysTo(url, options);
    const deliver = (update: Update) => inbox.put(update);
    const connection = new Connection(ways, token, session, deliver, {
      chance,
      grace,
      onConnection,
    });
    super(connection, inbox, options.pauseWhenHidden);
    this.#session = session;
    this.#connection = connection;
    for (const orderId of options.orders ?? []) session.subscribe(orderId);
  }

  /** Where each watched order stands; kept, it lets another page go on from there. */
  get cursors(): ReadonlyMap<string, Cursor | undefined> {
    return this.#session.orders;
  }

  /** Watch an order; the answer comes as a snapshot or `refused` of the iteration. */
  subscribe(orderId: string, options: SubscribeOptions = {}): void {
    this.#session.subscribe(orderId, options);
    this.#connection.wake();
  }

  unsubscribe(orderId: string): void {
    this.#session.unsubscribe(orderId);
    this.#connection.wake();
  }
}

function waysTo(url: string, options: UserOptions): [Dial, ...Dial[]] {
  const WebSocketClass = options.WebSocket ?? globalThis.WebSocket;
  const streams = byEventStream(
    address(url, "", ["http", "https"]),
    options.fetch ?? globalThis.fetch.bind(globalThis),
  );
  if (WebSocketClass === undefined) return [streams];
  const socket = address(url, "/v1/stream", ["ws", "wss"]);
  return [bySocket(socket, options.codec ?? json, WebSocketClass), streams];
}

function newestOf(update: Update): string | undefined {
  const replaceable = update.type === "position" || update.type === "estimate";
  return replaceable ? `${update.type} ${update.orderId}` : undefined;
}

function fenceOf(update: Update): string[] {
  return "orderId" in update ? [`position ${update.orderId}`, `estimate ${update.orderId}`] : [];
}
