/** A hub small enough to read, and the socket that leads to it. Time is the test's (fake timers). */

import { type Codec, json, type Message } from "../src/codec.ts";
import type { WebSocketLike } from "../src/socket.ts";

type Handler = ((event: never) => void) | null;

export const EPOCH = "abcdefgh";
export const AT = Date.parse("2026-11-22T19:05:43.000Z");

export class FakeHub {
  codec: Codec = json;
  /** A close code that every connection gets at once; 1006 is a connection that is refused. */
  refuseWith: number | undefined;
  /** Take the connection, and say nothing. */
  silent = false;
  welcome: Message = {
    type: "welcome",
    hub: "fake",
    ping: 25,
    maxMessage: 65536,
    reconnect: { min: 0, max: 0 },
  };
  /** Orders, by the seq of their last event. */
  readonly orders = new Map<string, number>();
  readonly sockets: FakeSocket[] = [];
  readonly received: Message[] = [];
  answers = true;

  readonly WebSocket: new (
    url: string,
    protocols: string[],
  ) => FakeSocket;

  constructor() {
    const dial = (socket: FakeSocket) => void this.sockets.push(socket);
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        dial(this);
      }
    };
  }

  get socket(): FakeSocket {
    const newest = this.sockets.at(-1);
    if (newest === undefined) throw new Error("nobody has connected");
    return newest;
  }

  heard(type: string): Message[] {
    return this.received.filter((message) => message.type === type);
  }

  /** Take the newest connection, as far as the welcome. */
  accept(): void {
    const { socket } = this;
    if (this.refuseWith !== undefined) {
      socket.lose(this.refuseWith, "refused");
      return;
    }
    socket.open(this.codec, (message) => this.#hear(socket, message));
    if (!this.silent) this.say(this.welcome);
  }

  say(...messages: Message[]): void {
    for (const message of messages) this.socket.deliver(this.codec, message);
  }

  /** One more event of an order, told if `told`. */
  change(orderId: string, status: string, told = true): void {
    const seq = (this.orders.get(orderId) ?? 0) + 1;
    this.orders.set(orderId, seq);
    if (told) this.say(event(orderId, seq, status));
  }

  #hear(socket: FakeSocket, message: Message): void {
    this.received.push(message);
    if (!this.answers) return;
    for (const answer of this.#answersTo(message)) socket.deliver(this.codec, answer);
  }

  #answersTo(message: Message): Message[] {
    const { id, orderId } = message;
    if (message.type === "ping") return [{ type: "pong" }];
    if (message.type === "fix") return [{ type: "ack", seq: message["seq"] }];
    if (message.type !== "subscribe") return [];
    const seq = this.orders.get(String(orderId));
    if (seq === undefined) return [{ type: "error", id, code: "not_found", message: "no" }];
    return [subscribed(message, seq)];
  }
}

export class FakeSocket implements WebSocketLike {
  binaryType = "blob";
  protocol = "";
  readyState = 0;
  onopen: Handler = null;
  onmessage: Handler = null;
  onclose: Handler = null;
  onerror: Handler = null;
  closedWith: number | undefined;
  readonly url: string;
  readonly protocols: string[];
  #hear: (message: Message) => void = () => {};
  #codec: Codec = json;

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  open(codec: Codec, hear: (message: Message) => void): void {
    this.#hear = hear;
    this.#codec = codec;
    this.protocol = codec.subprotocol;
    this.readyState = 1;
    this.onopen?.({} as never);
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#hear(this.#codec.decode(data as never) as Message);
  }

  close(code = 1005): void {
    this.readyState = 3;
    this.closedWith = code;
  }

  deliver(codec: Codec, message: Message): void {
    const data = codec.encode(message);
    this.raw(typeof data === "string" ? data : data.slice().buffer);
  }

  raw(data: string | ArrayBuffer): void {
    this.onmessage?.({ data } as never);
  }

  /** What the client sees of a connection that ends. */
  lose(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason } as never);
  }
}

export function event(orderId: string, seq: number, status: string): Message {
  return {
    type: "event",
    orderId,
    epoch: EPOCH,
    seq,
    eventType: `order.${status.toLowerCase()}`,
    status,
    timestamp: new Date(AT + 1000 * seq).toISOString(),
    actor: { role: "platform" },
  };
}

export function position(orderId: string, seconds: number): Message {
  const at = new Date(AT + 1000 * seconds).toISOString();
  return { type: "position", orderId, at, lat: 31.2, lng: 121.4, freshness: "fresh" };
}

/** The answer to a `subscribe`: whole from `after` on. */
export function subscribed(ask: Message, seq: number): Message {
  const { id, orderId } = ask;
  const after = ask["after"] as { epoch: string; seq: number } | undefined;
  const recovered = after !== undefined && after.epoch === EPOCH && after.seq <= seq;
  const missed = recovered ? seq - after.seq : 0;
  const events = Array.from({ length: missed }, (_, n) =>
    event(String(orderId), seq - missed + 1 + n, "CONFIRMED"),
  );
  const snapshot = { orderId, epoch: EPOCH, seq, status: "CONFIRMED" };
  return { type: "subscribed", id, orderId, recovered, snapshot, events };
}

/** A token that says when it ends, in seconds from now. */
export function jwt(expiresIn: number, sub = "a"): string {
  const claims = JSON.stringify({ exp: Date.now() / 1000 + expiresIn, sub });
  return `head.${Buffer.from(claims).toString("base64url")}.signature`;
}
