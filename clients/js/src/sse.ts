/**
 * Orders by Server-Sent Events, one request each, where a WebSocket cannot get through.
 *
 * To a session it looks like a socket: what it sends is done by HTTP, and a request's refusal
 * becomes the message or close code that a socket would have seen. It reads by `fetch`, not by
 * EventSource, which tells no status, takes no place to go on from and would have the token in
 * the address.
 */

import { decode, json, type Message } from "./codec.ts";
import { CloseCode, closeCodeOf } from "./codes.ts";
import type { Dial, Link, Listener } from "./link.ts";
import type { Auth, Ping, Subscribe, Unsubscribe } from "./schema.ts";

/** A hub says something every 15 s, if only that it is there. */
const WELCOME: Message = { type: "welcome", hub: "", ping: 15 };

/** Statuses that are the order's, not the connection's. */
const OF_THE_ORDER = new Map([
  [404, "not_found"],
  [400, "bad_request"],
  [422, "bad_request"],
]);

export function byEventStream(base: string, fetcher: typeof fetch): Dial {
  return (token, listener) => new EventStreams(base, token, listener, fetcher);
}

class EventStreams implements Link {
  readonly answers = false;
  readonly #base: string;
  #token: string;
  readonly #listener: Listener;
  readonly #fetch: typeof fetch;
  readonly #streams = new Map<string, AbortController>();
  #closed = false;

  constructor(base: string, token: string, listener: Listener, fetcher: typeof fetch) {
    this.#base = base;
    this.#token = token;
    this.#listener = listener;
    this.#fetch = fetcher;
    queueMicrotask(() => this.#tell(WELCOME));
  }

  send(message: object): void {
    const asked = message as Subscribe | Unsubscribe | Auth | Ping;
    if (asked.type === "subscribe") this.#subscribe(asked);
    else if (asked.type === "unsubscribe") this.#unsubscribe(asked);
    else if (asked.type === "auth") this.#token = asked.token;
    else if (this.#streams.size === 0) queueMicrotask(() => this.#listener.alive());
  }

  close(): void {
    this.#closed = true;
    for (const stream of this.#streams.values()) stream.abort();
  }

  #subscribe(asked: Subscribe): void {
    this.#streams.get(asked.orderId)?.abort();
    const controller = new AbortController();
    this.#streams.set(asked.orderId, controller);
    const failed = (error: unknown) => {
      if (controller.signal.aborted) return;
      // What `fetch` and a body's reader throw for a network that failed.
      if (error instanceof TypeError) this.#end(CloseCode.ABNORMAL, error.message);
      else this.#listener.failed(error);
    };
    const over = () => {
      if (this.#streams.get(asked.orderId) === controller) this.#streams.delete(asked.orderId);
    };
    void this.#read(asked, controller.signal).catch(failed).finally(over);
  }

  #unsubscribe({ id, orderId }: Unsubscribe): void {
    this.#streams.get(orderId)?.abort();
    this.#streams.delete(orderId);
    queueMicrotask(() => this.#tell({ type: "unsubscribed", id, orderId }));
  }

  async #read(asked: Subscribe, signal: AbortSignal): Promise<void> {
    const response = await this.#request(asked, signal);
    if (response.status === 204) {
      this.#tell({ type: "unsubscribed", orderId: asked.orderId, reason: "finished" });
    } else if (response.status !== 200 || response.body === null) {
      this.#refused(asked, response.status);
    } else {
      await this.#follow(asked, response.body, signal);
    }
  }

  #request({ orderId, after, crs }: Subscribe, signal: AbortSignal): Promise<Response> {
    const query = crs === undefined ? "" : `?crs=${crs}`;
    const headers = { Accept: "text/event-stream", Authorization: `Bearer ${this.#token}` };
    return this.#fetch(`${this.#base}/v1/orders/${encodeURIComponent(orderId)}/stream${query}`, {
      headers: after ? { ...headers, "Last-Event-ID": `${after.epoch}-${after.seq}` } : headers,
      cache: "no-store",
      signal,
    });
  }

  async #follow(
    asked: Subscribe,
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const data of records(body, () => this.#listener.alive())) {
      if (signal.aborted) return;
      const message = decode(json, data);
      this.#tell(message.type === "subscribed" ? { ...message, id: asked.id } : message);
      if (message.type === "unsubscribed") return;
    }
    if (!signal.aborted) this.#end(CloseCode.ABNORMAL, "the stream ended");
  }

  #refused(asked: Subscribe, status: number): void {
    const code = OF_THE_ORDER.get(status);
    if (code !== undefined) {
      this.#tell({ type: "error", id: asked.id, code, message: `HTTP status ${status}` });
    } else {
      this.#end(closeCodeOf(status), `HTTP status ${status}`);
    }
  }

  #tell(message: Message): void {
    if (!this.#closed) this.#listener.message(message);
  }

  #end(code: number, reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#listener.closed(code, reason);
  }
}

/** The `data` of each record; `heard` is called whenever anything comes (WHATWG HTML, 9.2.6). */
export async function* records(
  body: ReadableStream<Uint8Array>,
  heard: () => void,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  let data: string[] = [];
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      heard();
      const lines = (rest + decoder.decode(read.value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
        if (line.trimEnd() !== "" || data.length === 0) continue;
        yield data.join("\n");
        data = [];
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
