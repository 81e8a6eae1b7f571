/** The WebSocket of a browser, of Node from 22 on, or one of their kind such as that of `ws`. */

import { type Codec, decode, json } from "./codec.ts";
import type { Dial, Link, Listener } from "./link.ts";

/** As much of a WebSocket as is used here. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

const OPEN = 1;
const NORMAL = 1000;

export function bySocket(url: string, codec: Codec, WebSocketClass: WebSocketConstructor): Dial {
  return (token, listener) =>
    new Socket(new WebSocketClass(url, [codec.subprotocol]), codec, token, listener);
}

class Socket implements Link {
  readonly answers = true;
  readonly #socket: WebSocketLike;
  readonly #offered: Codec;

  constructor(socket: WebSocketLike, codec: Codec, token: string, listener: Listener) {
    this.#socket = socket;
    this.#offered = codec;
    socket.binaryType = "arraybuffer";
    // A browser cannot send a header: the token is the first message.
    socket.onopen = () => this.send({ type: "auth", token });
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
      listener.alive();
      try {
        listener.message(decode(this.#codec, data));
      } catch (error) {
        listener.failed(error);
      }
    };
    socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
      listener.closed(code, reason);
    socket.onerror = () => {}; // `close` follows and says as much
  }

  send(message: object): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(this.#codec.encode(message));
  }

  close(): void {
    const socket = this.#socket;
    socket.onopen = () => socket.close(NORMAL);
    socket.onmessage = null;
    socket.onclose = null;
    socket.close(NORMAL);
  }

  /** A hub that chose none of the subprotocols speaks JSON. */
  get #codec(): Codec {
    return this.#socket.protocol === this.#offered.subprotocol ? this.#offered : json;
  }
}

/** `http://host:8000` or `wss://host/prefix` and a path -> that address, by `scheme` of a pair. */
export function address(
  base: string,
  path: string,
  [plain, secure]: readonly [string, string],
): string {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (url === undefined || !/^(http|ws)s?:$/.test(url.protocol)) {
    throw new TypeError(`${base} is no address of a hub: http, https, ws or wss is wanted`);
  }
  const scheme = url.protocol.endsWith("s:") ? secure : plain;
  return `${scheme}://${url.host}${url.pathname.replace(/\/+$/, "")}${path}`;
}
