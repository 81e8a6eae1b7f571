import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ClientError, ClosedError, HubMessageError } from "../src/errors.ts";
import { msgpack } from "../src/msgpack.ts";
import type { Token } from "../src/tokens.ts";
import type { Update } from "../src/updates.ts";
import { UserClient, type UserOptions } from "../src/user.ts";
import { EPOCH, FakeHub, jwt, position } from "./fake-hub.ts";

let hub: FakeHub;
let client: UserClient;
let updates: Update[];
let thrown: unknown;

beforeEach(() => {
  vi.useFakeTimers();
  hub = new FakeHub();
  hub.orders.set("ord_1", 1);
  updates = [];
  thrown = undefined;
});

afterEach(() => {
  client.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** A client whose updates are read as they come. */
async function watch(token: Token = "token", options: UserOptions = {}): Promise<void> {
  make(token, options);
  void read();
  await vi.advanceTimersByTimeAsync(0);
}

function make(token: Token, options: UserOptions): void {
  client = new UserClient("https://hub.example/prefix/", token, {
    orders: ["ord_1"],
    WebSocket: hub.WebSocket,
    chance: () => 0.5,
    fetch: () => Promise.reject(new TypeError("no network")),
    ...options,
  });
}

async function read(): Promise<void> {
  try {
    for await (const update of client) updates.push(update);
  } catch (error) {
    thrown = error;
  }
}

/** Let so many seconds go by. */
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

const kinds = () => updates.map((update) => ("seq" in update ? update.seq : update.type));

describe("an order", () => {
  test.each(["json", "msgpack"])("from start to end, by %s", async (name) => {
    if (name === "msgpack") hub.codec = msgpack;
    await watch("secret", { codec: hub.codec });
    hub.accept();
    for (const status of ["CONFIRMED", "PREPARING", "COMPLETED"]) hub.change("ord_1", status);
    hub.say({ type: "unsubscribed", orderId: "ord_1", reason: "finished" });
    expect(await client.ended).toBeUndefined();
    await pass(0);

    expect(kinds()).toEqual(["snapshot", 2, 3, 4, "finished"]);
    expect(hub.received[0]).toEqual({ type: "auth", token: "secret" });
    expect(hub.socket.url).toBe("wss://hub.example/prefix/v1/stream");
    expect(hub.socket.closedWith).toBe(1000);
  });

  test("a hub that chose no subprotocol speaks JSON", async () => {
    await watch("token", { codec: msgpack });
    hub.socket.readyState = 1;
    hub.socket.raw(JSON.stringify(hub.welcome));

    expect(client.connected).toBe(true);
  });

  test("that is not there is refused, and ends a client that watches no other", async () => {
    hub.orders.clear();
    await watch();
    hub.accept();
    await client.ended;
    await pass(0);

    expect(updates).toEqual([
      { type: "refused", orderId: "ord_1", code: "not_found", message: "no" },
    ]);
  });

  test("may be added and given up while connected", async () => {
    hub.orders.set("ord_2", 4);
    await watch();
    hub.accept();
    client.subscribe("ord_2", { after: { epoch: EPOCH, seq: 3 } });
    client.unsubscribe("ord_1");
    await pass(0);

    expect(kinds()).toEqual(["snapshot", 4, "snapshot"]);
    expect(hub.heard("unsubscribe")).toHaveLength(1);
    expect([...client.cursors]).toEqual([["ord_2", { epoch: EPOCH, seq: 4 }]]);
  });

  test("given up while away ends the client", async () => {
    hub.welcome = { ...hub.welcome, reconnect: { min: 60, max: 60 } };
    await watch();
    hub.accept();
    hub.socket.lose();
    await pass(1);
    client.unsubscribe("ord_1");

    expect(await client.ended).toBeUndefined();
  });
});

describe("a connection that is lost", () => {
  test.each([1001, 1006, 1011, 1012, 1013, 3000, 4008, 4499])(
    "with %i is resumed",
    async (code) => {
      await watch();
      hub.accept();
      hub.change("ord_1", "CONFIRMED");
      hub.socket.lose(code);
      hub.change("ord_1", "PREPARING", false);
      await pass(0.001);
      hub.accept();
      await pass(0);

      expect(hub.heard("subscribe")[1]?.["after"]).toEqual({ epoch: EPOCH, seq: 2 });
      expect(kinds()).toEqual(["snapshot", 2, 3, "snapshot"]);
      expect(updates.at(-1)).toMatchObject({ recovered: true });
    },
  );

  test.each([1000, 1009, 3500, 4501, 4502, 4503, 4509, 4999])("with %i is not", async (code) => {
    hub.refuseWith = code;
    await watch();
    hub.accept();
    await pass(60);

    expect(thrown).toBeInstanceOf(ClosedError);
    expect(thrown).toMatchObject({ code, reason: "refused" });
    expect(hub.sockets).toHaveLength(1);
  });

  test("comes back in the window of the welcome, then ever later, up to 30 s", async () => {
    hub.welcome = { ...hub.welcome, reconnect: { min: 2, max: 6 } };
    await watch("token", { fetch: () => new Promise(() => {}), WebSocket: hub.WebSocket });
    hub.accept();
    hub.socket.lose();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      const before = hub.sockets.length;
      let waited = 0;
      for (; hub.sockets.length === before; waited += 0.5) await pass(0.5);
      waits.push(waited);
      hub.socket.lose();
    }

    expect(waits).toEqual([4, 7, 13, 16, 16]); // the middle of 2..6, 2..12, 2..24, 2..30
  });

  test("starts the backoff anew once it lasted ten seconds", async () => {
    hub.welcome = { ...hub.welcome, reconnect: { min: 2, max: 2 } };
    await watch("token", { chance: () => 0.999 });
    for (const held of [0, 0, 11]) {
      hub.accept();
      await pass(held);
      hub.socket.lose();
      if (held === 0) await pass(10);
    }
    await pass(2.1);

    expect(hub.sockets).toHaveLength(4);
  });

  test("by a hub that drains comes back when that hub said", async () => {
    hub.welcome = { ...hub.welcome, reconnect: { min: 600, max: 600 } };
    await watch();
    hub.accept();
    await pass(20);
    hub.say({ type: "notice", code: "draining", reconnect: { min: 1, max: 1 } });
    hub.socket.lose(1012);
    await pass(1);

    expect(hub.sockets).toHaveLength(2);
    expect(kinds()).toContain("notice");
  });

  test("is told to the page", async () => {
    const onConnection = vi.fn();
    await watch("token", { onConnection });
    hub.accept();
    hub.socket.lose();
    await pass(0.001);

    expect(onConnection.mock.calls).toEqual([[true], [false]]);
  });
});

describe("silence", () => {
  test("is asked about after the hub's ping interval, and ends a dead connection", async () => {
    await watch();
    hub.accept();
    hub.answers = false;
    await pass(25);
    expect(hub.heard("ping")).toHaveLength(1);
    await pass(9);
    expect(hub.sockets).toHaveLength(1);
    await pass(1.1);

    expect(hub.sockets).toHaveLength(2);
    expect(hub.heard("ping")).toHaveLength(1);
  });

  test("is none when the hub answers", async () => {
    await watch();
    hub.accept();
    await pass(100);

    expect(hub.heard("ping")).toHaveLength(4);
    expect(hub.sockets).toHaveLength(1);
  });

  test("of a hub without a welcome is given up", async () => {
    hub.silent = true;
    await watch();
    hub.accept();
    await pass(11);

    expect(hub.sockets).toHaveLength(2);
    expect(hub.sockets[0]?.closedWith).toBe(1000);
  });
});

describe("a token", () => {
  test("that is a string and has expired is the end", async () => {
    hub.refuseWith = 4001;
    await watch();
    hub.accept();
    await pass(60);

    expect(thrown).toMatchObject({ code: 4001 });
  });

  test("that expired is asked for anew", async () => {
    const token = vi.fn().mockResolvedValueOnce("one").mockResolvedValueOnce("two");
    await watch(token);
    hub.accept();
    hub.socket.lose(4001);
    await pass(0.001);
    hub.accept();

    expect(hub.heard("auth").map((message) => message["token"])).toEqual(["one", "two"]);
  });

  test("is renewed in place shortly before its end", async () => {
    const tokens = [jwt(600, "one"), jwt(6000, "two")];
    const token = vi.fn(async () => tokens.shift() ?? "none");
    await watch(token);
    hub.accept();
    await pass(539);
    expect(hub.heard("auth")).toHaveLength(1);
    await pass(2);

    expect(hub.heard("auth")).toHaveLength(2);
    expect(hub.sockets).toHaveLength(1);
  });

  test("that is the same once more is not sent again, nor asked for in a loop", async () => {
    const only = jwt(600);
    const token = vi.fn(async () => only);
    await watch(token);
    hub.accept();
    await pass(700);

    expect(hub.heard("auth")).toHaveLength(1);
    expect(token).toHaveBeenCalledTimes(2);
  });

  test("that takes its time is asked for once", async () => {
    const token = vi
      .fn()
      .mockResolvedValueOnce(jwt(600))
      .mockReturnValue(new Promise(() => {}));
    await watch(token);
    hub.accept();
    await pass(540);
    for (let n = 0; n < 5; n++) hub.say(position("ord_1", n));

    expect(token).toHaveBeenCalledTimes(2);
  });

  test("that cannot be had without a network is tried again", async () => {
    const token = vi
      .fn()
      .mockRejectedValueOnce(new TypeError("fetch failed"))
      .mockResolvedValue("t");
    await watch(token);
    await pass(1);

    expect(hub.sockets).toHaveLength(1);
  });

  test("that cannot be renewed without a network costs the connection only", async () => {
    const first = jwt(600);
    const token = vi
      .fn()
      .mockResolvedValueOnce(first)
      .mockRejectedValueOnce(new TypeError("failed"));
    token.mockResolvedValue("next");
    await watch(token);
    hub.accept();
    await pass(541);

    expect(hub.sockets).toHaveLength(2);
    expect(thrown).toBeUndefined();
  });

  test("that is none ends the client", async () => {
    await watch(async () => undefined as unknown as string);
    await pass(0);

    expect(thrown).toBeInstanceOf(ClientError);
    expect(hub.sockets).toHaveLength(0);
  });

  test("that is refused ends the client with the reason", async () => {
    await watch(() => Promise.reject(new RangeError("no token today")));
    await pass(0);

    expect(thrown).toEqual(new RangeError("no token today"));
  });
});

describe("a reader", () => {
  test("that is slow gets the newest position, and every event", async () => {
    make("token", {});
    client.connect();
    await pass(0);
    hub.accept();
    for (let second = 0; second < 5; second++) hub.say(position("ord_1", second));
    hub.change("ord_1", "CONFIRMED");
    for (let second = 5; second < 9; second++) hub.say(position("ord_1", second));
    hub.change("ord_1", "COMPLETED");
    hub.say({ type: "unsubscribed", orderId: "ord_1", reason: "finished" });
    await read();

    expect(kinds()).toEqual(["snapshot", "position", 2, "position", 3, "finished"]);
    expect(updates[1]).toMatchObject({ at: "2026-11-22T19:05:47.000Z" });
    expect(updates[3]).toMatchObject({ at: "2026-11-22T19:05:51.000Z" });
  });

  test("that leaves the loop closes the client", async () => {
    make("token", {});
    const reading = (async () => {
      for await (const _ of client) break;
    })();
    await pass(0);
    hub.accept();
    await reading;

    expect(hub.socket.closedWith).toBe(1000);
    expect(await client.ended).toBeUndefined();
  });

  test("still gets what came before the end", async () => {
    make("token", {});
    client.connect();
    await pass(0);
    hub.accept();
    hub.socket.lose(4503);
    await pass(0);
    await read();

    expect(kinds()).toEqual(["snapshot"]);
    expect(thrown).toBeInstanceOf(ClosedError);
  });

  test.each([
    "nonsense",
    "[]",
    '{"no": "type"}',
    '{"type": "welcome"}',
    '{"type": "event", "orderId": 5}',
  ])("of what no hub says, %s, is told so", async (payload) => {
    await watch();
    hub.silent = true;
    hub.accept();
    hub.socket.raw(payload);
    await pass(60);

    expect(thrown).toBeInstanceOf(HubMessageError);
    expect(hub.sockets).toHaveLength(1);
  });

  test.each(["", "hub.example", "ftp://hub.example"])("of the address %j is told so", (url) => {
    make("token", {});
    expect(() => new UserClient(url, "token")).toThrow(TypeError);
  });
});

describe("a page", () => {
  class Page extends EventTarget {
    visibilityState = "visible";

    show(visibilityState: string): void {
      this.visibilityState = visibilityState;
      this.dispatchEvent(new Event("visibilitychange"));
    }
  }

  let page: Page;
  let network: EventTarget;

  beforeEach(() => {
    page = new Page();
    network = new EventTarget();
    vi.stubGlobal("document", page);
    vi.stubGlobal("addEventListener", network.addEventListener.bind(network));
    hub.welcome = { ...hub.welcome, reconnect: { min: 600, max: 600 } };
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test.each(["visible", "online"])("that is %s again connects at once", async (what) => {
    await watch();
    hub.accept();
    await pass(5);
    hub.socket.lose();
    await pass(5);
    if (what === "online") network.dispatchEvent(new Event("online"));
    else page.show("visible");
    await pass(0);

    expect(hub.sockets).toHaveLength(2);
  });

  test("whose network comes and goes connects once a second at most", async () => {
    await watch();
    hub.refuseWith = 1006;
    for (let turn = 0; turn < 30; turn++) {
      hub.accept();
      network.dispatchEvent(new Event("online"));
      await pass(0.1);
    }

    expect(hub.sockets.length).toBeLessThanOrEqual(4);
  });

  test("that is seen again asks whether the line is good", async () => {
    hub.welcome = { ...hub.welcome, reconnect: { min: 0, max: 0 } };
    await watch();
    hub.accept();
    await pass(5);
    hub.answers = false;
    page.show("visible");
    expect(hub.heard("ping")).toHaveLength(1);
    await pass(10.1);

    expect(hub.sockets).toHaveLength(2);
  });

  test("that is hidden for long lets go of the hub, and resumes when it is seen", async () => {
    await watch("token", { pauseWhenHidden: 300 });
    hub.accept();
    page.show("hidden");
    await pass(299);
    expect(client.connected).toBe(true);
    await pass(3600);
    expect(hub.socket.closedWith).toBe(1000);
    expect(hub.sockets).toHaveLength(1);
    hub.change("ord_1", "CONFIRMED", false);
    page.show("visible");
    await pass(0);
    hub.accept();
    await pass(0);

    expect(kinds()).toEqual(["snapshot", 2, "snapshot"]);
  });

  test("that is hidden for long stays away whatever its network does", async () => {
    await watch("token", { pauseWhenHidden: 300 });
    hub.accept();
    page.show("hidden");
    await pass(400);
    network.dispatchEvent(new Event("online"));
    await pass(700);

    expect(hub.sockets).toHaveLength(1);
  });

  test("that comes into another network soon suspects a WebSocket that fails", async () => {
    const fetch = vi.fn().mockRejectedValue(new TypeError("no network"));
    await watch("token", { fetch });
    hub.accept();
    network.dispatchEvent(new Event("online"));
    hub.socket.lose();
    hub.refuseWith = 1006;
    for (let attempt = 0; attempt < 2; attempt++) {
      await pass(600);
      hub.accept();
    }
    await pass(600);

    expect(fetch).toHaveBeenCalled();
    expect(hub.sockets).toHaveLength(3);
  });

  test("that was hidden for a moment keeps the hub", async () => {
    await watch("token", { pauseWhenHidden: 300 });
    hub.accept();
    page.show("hidden");
    await pass(200);
    page.show("visible");
    await pass(200);

    expect(hub.sockets).toHaveLength(1);
    expect(client.connected).toBe(true);
  });

  test("is left alone by a client that has ended", async () => {
    await watch();
    hub.accept();
    client.close();
    const looked = vi.fn(() => "visible");
    Object.defineProperty(page, "visibilityState", { get: looked });
    page.dispatchEvent(new Event("visibilitychange"));

    expect(looked).not.toHaveBeenCalled();
  });
});
