import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Update, wire } from "../../src/index.ts";
import { ageOf, changed, headlineOf, type Order, stepsOf, withHistory } from "../track/order.ts";

const NOW = Date.parse("2026-11-22T19:00:00.000Z");
const iso = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

const SNAPSHOT: wire.Snapshot = {
  orderId: "ord_1",
  epoch: "abcdefgh",
  seq: 1,
  status: "PENDING",
  courierState: "UNASSIGNED",
  ready: false,
  createdAt: iso(-60),
  updatedAt: iso(-60),
  restaurantId: "res_1",
  items: ["i1", "i2"].map((itemId) => ({ itemId, name: itemId, quantity: 1, unitPriceCents: 100 })),
  totalCents: 200,
  address: { text: "here", lat: 31.2, lng: 121.4 },
  paymentMethod: "CASH",
};

function snapshot(more: Partial<wire.Snapshot> = {}): Update {
  return {
    type: "snapshot",
    orderId: "ord_1",
    recovered: false,
    snapshot: { ...SNAPSHOT, ...more },
  };
}

function event(eventType: wire.EventType, more: Partial<wire.StreamEvent> = {}): Update {
  return {
    type: "event",
    orderId: "ord_1",
    epoch: "abcdefgh",
    seq: 2,
    eventType,
    status: "ON_DELIVERY",
    timestamp: iso(0),
    actor: { role: "platform" },
    ...more,
  };
}

function position(seconds: number, more: Partial<wire.PositionMessage> = {}): Update {
  const place = { lat: 31.21, lng: 121.41, at: iso(seconds) };
  return { type: "position", orderId: "ord_1", freshness: "fresh", ...place, ...more };
}

function orderAfter(...updates: Update[]): Order {
  const order = updates.reduce<Order | undefined>(
    (o, update) => changed(o, update, NOW),
    undefined,
  );
  if (order === undefined) throw new Error("no snapshot among them");
  return order;
}

const RIDING = snapshot({ status: "ON_DELIVERY", courierState: "PICKED_UP" });

describe("what is known of an order", () => {
  test("nothing, before the first snapshot", () => {
    expect(changed(undefined, event("order.confirmed"), NOW)).toBeUndefined();
  });

  test("an event moves it on, and tells when", () => {
    const order = orderAfter(snapshot(), event("order.confirmed", { status: "CONFIRMED" }));
    expect(order.status).toBe("CONFIRMED");
    expect(order.reached).toEqual({ PENDING: NOW - 60_000, CONFIRMED: NOW });
  });

  test("positions count while it is on delivery, and end with it", () => {
    expect(orderAfter(snapshot(), position(0)).position).toBeUndefined();
    expect(orderAfter(RIDING, position(0)).position?.at).toBe(iso(0));
    const done = orderAfter(RIDING, position(0), event("order.completed", { status: "COMPLETED" }));
    expect([done.position, done.trail]).toEqual([undefined, []]);
  });

  test.each(["courier.assigned", "courier.unassigned"] as const)(
    "%s forgets the former rider",
    (type) => {
      const order = orderAfter(RIDING, position(0), event(type));
      expect([order.position, order.trail]).toEqual([undefined, []]);
    },
  );

  test("the trail has the way between two positions, and no point twice", () => {
    const way = [{ at: iso(5), lat: 31.211, lng: 121.411 }];
    const there = position(10, { lat: 31.212, lng: 121.412, trail: way });
    const order = orderAfter(RIDING, position(0), there, {
      ...there,
      freshness: "stale",
    } as Update);
    expect(order.trail.map(({ lat }) => lat)).toEqual([31.21, 31.211, 31.212]);
  });

  test("the trail does not grow for ever", () => {
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 900 }), (count) => {
        const ride = Array.from({ length: count }, (_, n) => position(n, { lat: 31 + n / 1e4 }));
        expect(orderAfter(RIDING, ...ride).trail).toHaveLength(400);
      }),
      { numRuns: 5 },
    );
  });

  test("an exception is open until it is resolved; accepting an offer takes the items out", () => {
    const offer: wire.OrderException = {
      exceptionId: "exc_1",
      code: "ITEM_SOLD_OUT",
      orderId: "ord_1",
      state: "open",
      openedAt: iso(0),
      items: ["i2"],
    };
    const raised = event("order.exception", { status: "PREPARING", exception: offer });
    const open = orderAfter(snapshot(), raised);
    expect(open.exceptions).toEqual([offer]);
    const answer = { ...offer, state: "resolved", resolution: "accepted" } as const;
    const resolved = changed(
      open,
      event("order.exception_resolved", { status: "PREPARING", exception: answer }),
      NOW,
    );
    expect(resolved?.exceptions).toEqual([]);
    expect(resolved?.items.map(({ itemId }) => itemId)).toEqual(["i1"]);
  });
});

describe("the estimate", () => {
  test("a window where there is one", () => {
    const eta = { p10: iso(600), p50: iso(720), p90: iso(900) };
    const told = { type: "estimate", orderId: "ord_1", estimatedTime: 12, eta } as const;
    expect(orderAfter(RIDING, told).estimate).toEqual({
      from: NOW + 600_000,
      likely: NOW + 720_000,
      to: NOW + 900_000,
    });
  });

  test("minutes count from when they were told", () => {
    const at = NOW + 1_740_000;
    const order = orderAfter(
      snapshot(),
      event("order.confirmed", { estimatedTime: 30, timestamp: iso(-60) }),
    );
    expect(order.estimate).toEqual({ from: at, likely: at, to: at });
  });

  test("an event without one leaves it, a final one ends it", () => {
    const order = orderAfter(snapshot({ estimatedTime: 5 }), event("order.ready"));
    expect(order.estimate?.to).toBe(NOW + 300_000);
    expect(
      changed(order, event("order.cancelled", { status: "CANCELLED" }), NOW)?.estimate,
    ).toBeUndefined();
  });
});

describe("what a position is worth", () => {
  test.each([
    [0, "fresh", "fresh"],
    [29, "fresh", "fresh"],
    [31, "fresh", "stale"],
    [121, "fresh", "lost"],
    [5, "stale", "stale"],
  ] as const)("%i s old and told %s: %s", (age, freshness, worth) => {
    const told = { orderId: "o", lat: 0, lng: 0, at: iso(-age), freshness };
    expect(ageOf(told, NOW, true)).toEqual({ age, worth });
    const unsure = worth === "fresh" ? "stale" : worth;
    expect(ageOf(told, NOW, false)).toEqual({ age, worth: unsure });
  });
});

describe("the steps", () => {
  const statesOf = (order: Order) => stepsOf(order).map(({ state }) => state);

  test("what is behind is done, what is to come is ahead", () => {
    const order = orderAfter(snapshot({ status: "PREPARING" }));
    expect(statesOf(order)).toEqual(["done", "done", "current", "ahead", "ahead"]);
    expect(statesOf(orderAfter(snapshot({ status: "COMPLETED" })))).toEqual(Array(5).fill("done"));
  });

  test("an order that was cancelled shows how far it came", () => {
    const order = orderAfter(snapshot(), event("order.cancelled", { status: "CANCELLED" }));
    expect(stepsOf(order).map(({ status }) => status)).toEqual(["PENDING", "CANCELLED"]);
  });

  test("the history tells when, and not more than the stream knows better", () => {
    const events = [
      { status: "PENDING", timestamp: iso(-90) },
      { status: "CONFIRMED", timestamp: iso(-30) },
    ];
    const order = withHistory(
      orderAfter(snapshot({ status: "CONFIRMED" })),
      events as wire.Event[],
    );
    expect(order.reached).toEqual({ PENDING: NOW - 60_000, CONFIRMED: NOW - 30_000 });
  });
});

test.each([
  [{ status: "PREPARING" }, "PREPARING"],
  [{ status: "PREPARING", ready: true }, "READY"],
  [{ status: "PREPARING", courierState: "AT_STORE", ready: true }, "AT_STORE"],
  [{ status: "ON_DELIVERY", courierState: "PICKED_UP" }, "ON_DELIVERY"],
  [{ status: "ON_DELIVERY", courierState: "AT_DOOR" }, "AT_DOOR"],
  [{ status: "COMPLETED", courierState: "AT_DOOR" }, "COMPLETED"],
] as const)("of %o the headline is %s", (more, headline) => {
  expect(headlineOf(orderAfter(snapshot(more)))).toBe(headline);
});
