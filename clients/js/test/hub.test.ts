/** Against a real hub, over real sockets, in real time. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { msgpack } from "../src/msgpack.ts";
import { RiderClient } from "../src/rider.ts";
import type { Update } from "../src/updates.ts";
import { UserClient, type UserOptions } from "../src/user.ts";
import { freePort, Platform, RealHub, token } from "./real-hub.ts";

let directory: string;
let hub: RealHub;
let platform: Platform;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "oc")); // a unix socket's path is short
  hub = await RealHub.start(directory, await freePort());
  platform = new Platform(token(directory, "--role", "platform"));
});

afterAll(async () => {
  await hub.kill();
  rmSync(directory, { recursive: true });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** One who watches an order to its end. */
class Watcher {
  readonly updates: Update[] = [];
  readonly client: UserClient;
  readonly done: Promise<void>;
  #check = () => {};

  constructor(url: string, bearer: string, orderId: string, options: UserOptions) {
    this.client = new UserClient(url, bearer, { orders: [orderId], ...options });
    this.done = this.#read();
  }

  get seqs(): number[] {
    return this.updates.flatMap((update) => (update.type === "event" ? [update.seq] : []));
  }

  /** Wait until such an update has come. */
  async saw(wanted: (update: Update) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#check = () => this.updates.some(wanted) && resolve();
      this.#check();
    });
  }

  async #read(): Promise<void> {
    for await (const update of this.client) {
      this.updates.push(update);
      this.#check();
    }
  }
}

const WAYS: Record<string, UserOptions> = {
  json: { WebSocket },
  msgpack: { WebSocket, codec: msgpack },
  "server-sent events": {},
};

test("a hub killed with -9 costs nobody an event", async () => {
  const { orderId, streamToken } = await platform.place(hub.url);
  const watchers = Object.entries(WAYS).map(([way, options]) => {
    const plain = way === "server-sent events" ? { ...options, WebSocket: undefined } : options;
    return new Watcher(hub.url, streamToken, orderId, plain);
  });
  const all = (wanted: (update: Update) => boolean) =>
    Promise.all(watchers.map((watcher) => watcher.saw(wanted)));
  await all(({ type }) => type === "snapshot");
  await platform.advance(hub.url, orderId, "CONFIRMED");
  await all((update) => update.type === "event" && update.status === "CONFIRMED");

  await hub.kill();
  const elsewhere = await RealHub.start(directory); // on another port: the clients miss this
  await platform.advance(elsewhere.url, orderId, "PREPARING");
  await platform.assign(elsewhere.url, orderId, "rider-7");
  await elsewhere.kill();
  hub = await RealHub.start(directory, Number(new URL(hub.url).port));
  await platform.advance(hub.url, orderId, "ON_DELIVERY", "COMPLETED");
  await Promise.all(watchers.map(({ done }) => done));

  for (const { updates, seqs } of watchers) {
    expect(seqs).toEqual([2, 3, 4, 5, 6]);
    expect(updates.filter(({ type }) => type === "snapshot")).toMatchObject([
      { recovered: false },
      { recovered: true },
    ]);
    expect(updates.at(-1)).toEqual({ type: "finished", orderId });
  }
});

test.each([
  ["WebSocket", { WebSocket }],
  ["POST", {}],
])("where a rider is reaches the customer, by %s", async (way, options) => {
  vi.stubGlobal("WebSocket", undefined); // Node's own, from 22 on
  const { orderId, streamToken } = await platform.place(hub.url);
  await platform.assign(hub.url, orderId, "rider-7");
  await platform.advance(hub.url, orderId, "CONFIRMED", "PREPARING", "ON_DELIVERY");
  const watcher = new Watcher(hub.url, streamToken, orderId, { WebSocket });
  await watcher.saw(({ type }) => type === "snapshot");
  const bearer = token(directory, "--role", "rider", "--sub", "rider-7");
  const rider = new RiderClient(hub.url, "rider-7", async () => bearer, options).connect();
  rider.send({ lat: 31.2304, lng: 121.4737, speed: 6, heading: 90, accuracy: 5 });
  await rider.settled();
  await watcher.saw(({ type }) => type === "position");

  const orders = way === "POST" ? [] : [{ orderId, status: "ON_DELIVERY" }];
  expect(rider.orders).toMatchObject(orders);
  const position = watcher.updates.find(({ type }) => type === "position");
  expect(position).toMatchObject({ orderId, lat: 31.2304, lng: 121.4737, freshness: "fresh" });
  rider.close();
  await platform.advance(hub.url, orderId, "COMPLETED");
  await watcher.done;
});

test("a wrong token ends the client, whichever way it takes", async () => {
  const watching = new UserClient(hub.url, "wrong", { orders: ["ord_1"], WebSocket }).connect();
  const reading = new UserClient(hub.url, "wrong", { orders: ["ord_1"] }).connect();

  expect(await watching.ended).toMatchObject({ code: 4501 });
  expect(await reading.ended).toMatchObject({ code: 4501 });
});
