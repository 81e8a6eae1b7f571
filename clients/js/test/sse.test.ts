import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Message } from "../src/codec.ts";
import { ClosedError, HubMessageError } from "../src/errors.ts";
import { records } from "../src/sse.ts";
import type { Token } from "../src/tokens.ts";
import type { Update } from "../src/updates.ts";
import { UserClient, type UserOptions } from "../src/user.ts";
import { EPOCH, event, FakeHub, jwt, subscribed } from "./fake-hub.ts";

/** One request for an order's stream, and what the hub writes. */
class Asked {
  readonly url: string;
  readonly headers: Headers;
  readonly signal: AbortSignal | null | undefined;
  readonly #answer: (response: Response) => void;
  #writer: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(url: string, init: RequestInit, answer: (response: Response) => void) {
    this.url = url;
    this.headers = new Headers(init.headers);
    this.signal = init.signal;
    this.#answer = answer;
  }

  refuse(status: number): void {
    this.#answer(new Response(null, { status }));
  }

  /** Begin the stream, with what comes first. */
  accept(...messages: Message[]): void {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#writer = controller;
      },
    });
    this.#answer(new Response(body, { status: 200 }));
    this.write("retry: 2000\n\n");
    this.say(...messages);
  }

  say(...messages: Message[]): void {
    for (const message of messages) this.write(`id: x-1\ndata: ${JSON.stringify(message)}\n\n`);
  }

  write(text: string): void {
    this.#writer?.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.#writer?.close();
  }

  fail(): void {
    this.#writer?.error(new TypeError("network error"));
  }
}

let asked: Asked[];
let client: UserClient;
let updates: Update[];
let thrown: unknown;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", undefined);
  asked = [];
  updates = [];
  thrown = undefined;
});

afterEach(() => {
  client.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const finished = (orderId: string) => ({ type: "unsubscribed", orderId, reason: "finished" });

const fetcher = (url: unknown, init: RequestInit = {}) =>
  new Promise<Response>((resolve) => asked.push(new Asked(String(url), init, resolve)));

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

async function watch(options: UserOptions = {}, token: Token = "token"): Promise<void> {
  client = new UserClient("https://hub.example", token, {
    orders: ["ord_1"],
    chance: () => 0.5,
    fetch: fetcher as typeof fetch,
    ...options,
  });
  void (async () => {
    try {
      for await (const update of client) updates.push(update);
    } catch (error) {
      thrown = error;
    }
  })();
  await pass(0);
}

const whole = (seq: number, after?: number) =>
  subscribed(
    { type: "subscribe", orderId: "ord_1", after: after && { epoch: EPOCH, seq: after } },
    seq,
  );
const newest = () => asked.at(-1) as Asked;
const kinds = () => updates.map((update) => ("seq" in update ? update.seq : update.type));

test("without a WebSocket an order is watched by Server-Sent Events", async () => {
  await watch();
  newest().accept(whole(1), event("ord_1", 2, "CONFIRMED"));
  newest().say(finished("ord_1"));
  await pass(0);

  expect(kinds()).toEqual(["snapshot", 2, "finished"]);
  expect(newest().url).toBe("https://hub.example/v1/orders/ord_1/stream");
  expect(newest().headers.get("Authorization")).toBe("Bearer token");
  expect(newest().headers.has("Last-Event-ID")).toBe(false);
});

test.each(["end", "fail"] as const)("a stream whose network %ss is resumed", async (how) => {
  await watch();
  newest().accept(whole(1), event("ord_1", 2, "CONFIRMED"));
  await pass(0);
  newest()[how]();
  await pass(5);
  newest().accept(whole(4, 2));
  await pass(0);

  expect(newest().headers.get("Last-Event-ID")).toBe(`${EPOCH}-2`);
  expect(kinds()).toEqual(["snapshot", 2, 3, 4, "snapshot"]);
});

test("each order has a stream; giving one up ends it alone", async () => {
  await watch({ orders: ["ord_1", "ord_2"], stays: true });
  client.subscribe("ord_3", { crs: "gcj02", after: { epoch: EPOCH, seq: 7 } });
  client.unsubscribe("ord_2");
  await pass(0);

  expect(asked.map(({ url }) => url.split("/").slice(-2).join("/"))).toEqual([
    "ord_1/stream",
    "ord_2/stream",
    "ord_3/stream?crs=gcj02",
  ]);
  expect(asked[2]?.headers.get("Last-Event-ID")).toBe(`${EPOCH}-7`);
  expect(asked.map(({ signal }) => signal?.aborted)).toEqual([false, true, false]);
});

test("an order that is finished leaves the others' streams alone", async () => {
  await watch({ orders: ["ord_1", "ord_2"] });
  asked[0]?.accept(whole(1), finished("ord_1"));
  asked[0]?.end();
  await pass(5);

  expect(kinds()).toEqual(["snapshot", "finished"]);
  expect(asked).toHaveLength(2);
  expect(asked[1]?.signal?.aborted).toBe(false);
});

test("a hole is asked for by a stream in the place of the first", async () => {
  await watch();
  newest().accept(whole(1), event("ord_1", 3, "PREPARING"));
  await pass(0);

  expect(asked.map(({ signal }) => signal?.aborted)).toEqual([true, false]);
  expect(newest().headers.get("Last-Event-ID")).toBe(`${EPOCH}-1`);
});

test("a renewed token is for the streams to come", async () => {
  const [first, second] = [jwt(100, "one"), jwt(1000, "two")];
  const tokens = [first, second];
  await watch({}, async () => tokens.shift() ?? "none");
  newest().accept(whole(1));
  for (let turn = 0; turn < 9; turn++) {
    newest().write(": keep-alive\n\n");
    await pass(10);
  }
  client.subscribe("ord_2");

  const bearers = asked.map(({ headers }) => headers.get("Authorization"));
  expect(bearers).toEqual([`Bearer ${first}`, `Bearer ${second}`]);
});

test("204 says that the order is finished", async () => {
  await watch();
  newest().refuse(204);
  await pass(0);

  expect(kinds()).toEqual(["finished"]);
});

test("404 refuses the order", async () => {
  await watch();
  newest().refuse(404);
  await pass(0);

  expect(updates).toMatchObject([{ type: "refused", orderId: "ord_1", code: "not_found" }]);
});

test.each([
  [401, 4501],
  [403, 4503],
])("%i ends the client as %i does", async (status, code) => {
  await watch();
  newest().refuse(status);
  await pass(0);

  expect(thrown).toBeInstanceOf(ClosedError);
  expect(thrown).toMatchObject({ code });
});

test.each([429, 500, 502, 503])("%i is tried again, and no connection", async (status) => {
  const onConnection = vi.fn();
  await watch({ onConnection });
  newest().refuse(status);
  await pass(5);

  expect(asked).toHaveLength(2);
  expect(onConnection).not.toHaveBeenCalled();
});

test("what no hub says is told so", async () => {
  await watch();
  newest().accept();
  newest().write("data: nonsense\n\n");
  await pass(0);

  expect(thrown).toBeInstanceOf(HubMessageError);
});

test("silence beyond the hub's keep-alives is a lost connection", async () => {
  await watch();
  newest().accept(whole(1));
  for (let turn = 0; turn < 5; turn++) {
    await pass(15);
    newest().write(": keep-alive\n\n");
  }
  await pass(0);
  expect(asked).toHaveLength(1);
  await pass(31);

  expect(asked).toHaveLength(2);
});

test("a client without orders keeps still", async () => {
  const onConnection = vi.fn();
  await watch({ orders: [], stays: true, onConnection });
  await pass(600);

  expect(onConnection.mock.calls).toEqual([[true]]);
});

test("a WebSocket that is blocked gives way, and the way that worked is taken again", async () => {
  const hub = new FakeHub();
  hub.refuseWith = 1006;
  await watch({ WebSocket: hub.WebSocket });
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(asked).toHaveLength(0);
    hub.accept();
    await pass([0.5, 1][attempt] ?? 0);
  }
  newest().accept(whole(1));
  await pass(20);
  newest().end();
  await pass(5);

  expect(hub.sockets).toHaveLength(2);
  expect(asked).toHaveLength(2);
});

test("records are read however they are cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "binary" }), { maxLength: 5 }),
      fc.array(fc.nat({ max: 200 })),
      fc.constantFrom("\n", "\r\n"),
      async (values, cuts, end) => {
        const wanted = values.map((value) => JSON.stringify(value));
        const lines = wanted.map((value) => `: comment${end}id: 1${end}data: ${value}${end}${end}`);
        const bytes = new TextEncoder().encode(lines.join(""));
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b)];
        const chunks = places.map((from, n) => bytes.slice(from, places[n + 1] ?? bytes.length));
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            for (const chunk of chunks) controller.enqueue(chunk);
            controller.close();
          },
        });
        const read: string[] = [];
        for await (const data of records(body, () => {})) read.push(data.trimEnd());
        expect(read).toEqual(wanted);
      },
    ),
  );
});
