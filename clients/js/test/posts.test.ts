import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClosedError, HubMessageError } from "../src/errors.ts";
import { RiderClient, type RiderOptions } from "../src/rider.ts";
import type { Token } from "../src/tokens.ts";
import type { RiderMessage } from "../src/updates.ts";
import { FakeHub, jwt } from "./fake-hub.ts";

/** One request, and how the hub answers it. */
interface Posted {
  readonly url: string;
  readonly bearer: string | null;
  readonly fixes: { readonly seq: number; readonly type?: string }[];
  readonly signal: AbortSignal | null | undefined;
  answer(body: object | string, status?: number): void;
  fail(): void;
}

let posted: Posted[];
let rider: RiderClient;
let told: RiderMessage[];
let thrown: unknown;

const HERE = { lat: 31.2304, lng: 121.4737 };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", undefined);
  posted = [];
  told = [];
  thrown = undefined;
});

afterEach(() => {
  rider.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const fetcher = (url: unknown, init: RequestInit = {}) =>
  new Promise<Response>((resolve, reject) =>
    posted.push({
      url: String(url),
      bearer: new Headers(init.headers).get("Authorization"),
      fixes: JSON.parse(String(init.body)).fixes,
      signal: init.signal,
      answer: (body, status = 200) =>
        resolve(new Response(typeof body === "string" ? body : JSON.stringify(body), { status })),
      fail: () => reject(new TypeError("network error")),
    }),
  );

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);
const newest = () => posted.at(-1) as Posted;
const seqs = () => posted.map(({ fixes }) => fixes.map(({ seq }) => seq));
const taken = { taken: 1, rejected: [] };

async function ride(options: RiderOptions = {}, token: Token = "token"): Promise<void> {
  rider = new RiderClient("https://hub.example/", "r/7", token, {
    chance: () => 0.5,
    firstSeq: 1,
    fetch: fetcher as typeof fetch,
    ...options,
  });
  void (async () => {
    try {
      for await (const message of rider) told.push(message);
    } catch (error) {
      thrown = error;
    }
  })();
  await pass(0);
}

test("a fix is posted, and settled by the answer", async () => {
  const onConnection = vi.fn();
  await ride({ onConnection });
  rider.send({ ...HERE, battery: 0.5 });
  expect(onConnection).not.toHaveBeenCalled();
  newest().answer(taken);
  await rider.settled();

  expect(newest().url).toBe("https://hub.example/v1/riders/r%2F7/positions");
  expect(newest().bearer).toBe("Bearer token");
  expect(newest().fixes).toMatchObject([{ seq: 1, ...HERE, battery: 0.5 }]);
  expect(newest().fixes[0]).not.toHaveProperty("type");
  expect(told.at(-1)).toEqual({ type: "ack", seq: 1 });
  expect(onConnection.mock.calls).toEqual([[true]]);
});

test("they go every five seconds, the newest", async () => {
  await ride();
  for (let n = 0; n < 3; n++) rider.send(HERE);
  newest().answer(taken);
  await pass(4.9);
  expect(seqs()).toEqual([[1]]);
  await pass(0.1);

  expect(seqs()).toEqual([[1], [3]]);
  expect(rider.cadence.seconds).toBe(5);
});

test("one request at a time; what gathers goes in batches", async () => {
  await ride({ capacity: 500 });
  rider.send(HERE, true);
  for (let n = 0; n < 150; n++) rider.send(HERE, true);
  expect(seqs()).toEqual([[1]]);
  for (let n = 0; n < 3; n++) {
    newest().answer(taken);
    await pass(0);
  }

  expect(seqs().map(({ length }) => length)).toEqual([1, 100, 50]);
  expect(seqs().flat()).toEqual(Array.from({ length: 151 }, (_, n) => n + 1));
  expect(rider.pending).toBe(0);
});

test("a fix that comes as soon as the last one is settled goes at once", async () => {
  await ride();
  for (let n = 0; n < 2; n++) {
    rider.send(HERE, true);
    newest().answer(taken);
    await rider.settled();
  }

  expect(seqs()).toEqual([[1], [2]]);
});

test("what was rejected is told, and not sent again", async () => {
  await ride();
  rider.send(HERE, true);
  newest().answer({ taken: 0, rejected: [{ seq: 1, reason: "off_duty" }] });
  await pass(0);
  for (let n = 0; n < 3; n++) rider.send(HERE, true);
  newest().answer(taken);
  await pass(0);
  newest().answer({ taken: 1, rejected: [{ seq: 4, reason: "old" }] });
  await rider.settled();

  expect(told.filter(({ type }) => type !== "cadence")).toEqual([
    { type: "rejected", seq: 1, reason: "off_duty" },
    { type: "ack", seq: 2 },
    { type: "rejected", seq: 4, reason: "old" },
    { type: "ack", seq: 3 },
  ]);
});

test.each([
  ["a network that fails", () => newest().fail()],
  ["429", () => newest().answer({}, 429)],
  ["503", () => newest().answer({}, 503)],
  ["silence", () => pass(25)],
])("after %s the fixes are posted again, in order", async (_, happens) => {
  await ride();
  rider.send(HERE, true);
  rider.send(HERE, true);
  await happens();
  await pass(5);
  newest().answer(taken);
  await rider.settled();

  expect(seqs()).toEqual([[1], [1, 2]]);
});

test.each([
  [401, 4501],
  [403, 4503],
])("%i ends the client as %i does", async (status, code) => {
  await ride();
  rider.send(HERE);
  newest().answer({}, status);
  await pass(0);

  expect(thrown).toBeInstanceOf(ClosedError);
  expect(thrown).toMatchObject({ code });
});

test.each(["<html>", "[]", '{"taken": 1}'])("%s is no hub's answer", async (body) => {
  await ride();
  rider.send(HERE);
  newest().answer(body);
  await pass(0);

  expect(thrown).toBeInstanceOf(HubMessageError);
});

test("a renewed token is for the requests to come", async () => {
  const [first, second] = [jwt(100, "one"), jwt(1000, "two")];
  const tokens = [first, second];
  await ride({}, async () => tokens.shift() ?? "none");
  for (let turn = 0; turn < 10; turn++) {
    rider.send(HERE, true);
    newest().answer(taken);
    await pass(10);
  }

  expect(new Set(posted.map(({ bearer }) => bearer))).toEqual(
    new Set([`Bearer ${first}`, `Bearer ${second}`]),
  );
  expect(newest().bearer).toBe(`Bearer ${second}`);
});

test("while nothing was answered there is no connection", async () => {
  const onConnection = vi.fn();
  await ride({ onConnection });
  await pass(200);

  expect(onConnection).not.toHaveBeenCalled();
});

test("closing lets go of the request", async () => {
  await ride();
  rider.send(HERE);
  rider.close();

  expect(newest().signal?.aborted).toBe(true);
});

test("a WebSocket that is blocked gives way, and is tried again after five minutes", async () => {
  const hub = new FakeHub();
  hub.refuseWith = 1006;
  await ride({ WebSocket: hub.WebSocket });
  for (const wait of [0.5, 1]) {
    hub.accept();
    await pass(wait);
  }
  rider.send(HERE);
  newest().answer(taken);
  for (let turn = 0; turn < 25; turn++) await pass(10);
  expect([hub.sockets.length, posted.length]).toEqual([2, 1]);
  hub.refuseWith = undefined;
  await pass(60);
  hub.accept();
  rider.send(HERE, true);

  expect([hub.sockets.length, posted.length]).toEqual([3, 1]);
  expect(hub.heard("fix")).toMatchObject([{ seq: 2 }]);
  expect(rider.pending).toBe(0);
});
