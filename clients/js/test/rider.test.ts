import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClosedError } from "../src/errors.ts";
import { RiderClient, type RiderOptions } from "../src/rider.ts";
import type { RiderMessage } from "../src/updates.ts";
import { FakeHub } from "./fake-hub.ts";

let hub: FakeHub;
let rider: RiderClient;

const HERE = { lat: 31.2304, lng: 121.4737 };
const NOW = new Date("2026-11-22T19:05:43.120Z");

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  hub = new FakeHub();
});

afterEach(() => {
  rider.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

async function ride(options: RiderOptions = {}): Promise<void> {
  rider = new RiderClient("http://hub.example:8000", "r/7", "token", {
    WebSocket: hub.WebSocket,
    chance: () => 0.5,
    firstSeq: 1,
    ...options,
  }).connect();
  await pass(0);
}

test("a fix goes out as it was taken, without what is not known", async () => {
  await ride();
  hub.accept();
  rider.send({ ...HERE, heading: Number.NaN, speed: null, accuracy: 8, battery: 0.5 });
  await rider.settled();

  expect(hub.socket.url).toBe("ws://hub.example:8000/v1/riders/r%2F7/stream");
  expect(hub.heard("fix")).toEqual([
    { type: "fix", seq: 1, at: "2026-11-22T19:05:43.120Z", ...HERE, accuracy: 8, battery: 0.5 },
  ]);
  expect(rider.pending).toBe(0);
});

test("GCJ-02 and a time of one's own are told", async () => {
  await ride();
  hub.accept();
  rider.send({ ...HERE, at: 0, crs: "gcj02", speed: 0, heading: 0 });

  expect(hub.heard("fix")).toMatchObject([
    { at: "1970-01-01T00:00:00.000Z", crs: "gcj02", speed: 0, heading: 0 },
  ]);
});

test("the cadence is the hub's, and the fix that waits goes out by itself", async () => {
  await ride();
  hub.accept();
  hub.say({ type: "cadence", seconds: 4, reason: "watched" });
  for (let n = 0; n < 3; n++) rider.send(HERE);
  expect(hub.heard("fix")).toHaveLength(1);
  await pass(4);

  expect(hub.heard("fix").map((fix) => fix["seq"])).toEqual([1, 3]);
  expect(rider.cadence.seconds).toBe(4);
});

test("offline the newest fixes are kept, and sent in one batch on return", async () => {
  await ride({ capacity: 3 });
  for (let n = 0; n < 5; n++) rider.send(HERE, true);
  hub.accept();

  expect(hub.heard("fixes")).toMatchObject([{ fixes: [{ seq: 3 }, { seq: 4 }, { seq: 5 }] }]);
  expect([rider.dropped, rider.pending]).toEqual([2, 3]);
});

test("what was not acknowledged is sent again after a lost connection", async () => {
  await ride();
  hub.accept();
  hub.answers = false;
  rider.send(HERE);
  hub.socket.lose();
  await pass(1);
  hub.answers = true;
  hub.accept();
  await rider.settled();

  expect(hub.heard("fix").map((fix) => fix["seq"])).toEqual([1, 1]);
});

test("settled waits for the hub's word on every fix", async () => {
  await ride();
  hub.accept();
  hub.answers = false;
  rider.send(HERE);
  const settled = vi.fn();
  void rider.settled().then(settled);
  await pass(1);
  expect(settled).not.toHaveBeenCalled();
  hub.say({ type: "ack", seq: 1 });
  await pass(0);

  expect(settled).toHaveBeenCalled();
});

test("orders, rejections and notices are handed out", async () => {
  await ride();
  hub.accept();
  const order = { orderId: "ord_1", status: "PREPARING", address: { text: "here", ...HERE } };
  hub.say({ type: "orders", orders: [order] }, { type: "rejected", seq: 1, reason: "old" });
  const messages: RiderMessage[] = [];
  for await (const message of rider) {
    messages.push(message);
    if (message.type === "rejected") break;
  }

  expect(messages.map(({ type }) => type)).toEqual(["orders", "rejected"]);
  expect(rider.orders).toEqual([order]);
});

test("superseded is the end, and further fixes say so", async () => {
  await ride();
  hub.accept();
  hub.answers = false;
  rider.send(HERE);
  const settled = rider.settled().catch((error: unknown) => error);
  hub.say({ type: "superseded" });

  expect(await settled).toBeInstanceOf(ClosedError);
  expect(await rider.ended).toMatchObject({ code: 4509 });
  expect(() => rider.send(HERE)).toThrow(ClosedError);
  await pass(60);
  expect(hub.sockets).toHaveLength(1);
});

test("an app that does not read keeps a thousand messages at most", async () => {
  await ride();
  hub.accept();
  for (let seq = 0; seq < 1500; seq++) hub.say({ type: "rejected", seq, reason: "rate" });
  rider.close();
  const kept: RiderMessage[] = [];
  for await (const message of rider) kept.push(message);

  expect(kept).toHaveLength(1000);
  expect(kept[0]).toMatchObject({ seq: 500 });
});
