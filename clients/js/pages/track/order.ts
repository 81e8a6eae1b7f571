/** What the page knows of its order, and how each message changes it. No I/O, no clock. */

import { HORIZON, type LatLng, type Update, type wire } from "../../src/index.ts";

export type Status = wire.Status;
export type Exception = wire.OrderException;

/** Points of the way that are kept: some two hours of a ride. */
const TRAIL = 400;

export interface Estimate {
  /** Milliseconds; all the same where only one time is known. */
  readonly from: number;
  readonly likely: number;
  readonly to: number;
}

export interface Order {
  readonly status: Status;
  readonly courierState: wire.CourierState;
  readonly ready: boolean;
  readonly restaurantId: string;
  readonly items: readonly wire.Item[];
  readonly address: wire.Address;
  readonly pickup: LatLng | undefined;
  readonly reason: string | undefined;
  /** Those that are open. */
  readonly exceptions: readonly Exception[];
  readonly estimate: Estimate | undefined;
  readonly position: wire.Position | undefined;
  /** Where the rider has been, oldest first. */
  readonly trail: readonly LatLng[];
  /** When each status was reached, as far as that is known; milliseconds. */
  readonly reached: Partial<Readonly<Record<Status, number>>>;
}

const FINAL: ReadonlySet<Status> = new Set(["COMPLETED", "CANCELLED", "RETURNED"]);

export function isFinal(status: Status): boolean {
  return FINAL.has(status);
}

/** `now` in milliseconds, as the hub's clock has it. Undefined before the first snapshot. */
export function changed(order: Order | undefined, update: Update, now: number): Order | undefined {
  if (update.type === "snapshot") return fromSnapshot(update.snapshot, order, now);
  if (order === undefined) return undefined;
  switch (update.type) {
    case "event":
      return afterEvent(order, update);
    case "position":
      return order.status === "ON_DELIVERY" ? afterPosition(order, update, now) : order;
    case "estimate":
      return { ...order, estimate: estimateOf(update, now) ?? order.estimate };
    default:
      return order;
  }
}

/** When the order came to where it is, from its events so far. */
export function withHistory(order: Order, events: readonly wire.Event[]): Order {
  const reached: Partial<Record<Status, number>> = {};
  for (const { status, timestamp } of events) reached[status] ??= Date.parse(timestamp);
  return { ...order, reached: { ...reached, ...order.reached } };
}

function fromSnapshot(told: wire.Snapshot, before: Order | undefined, now: number): Order {
  const { status, courierState, ready, restaurantId, items, address, pickup, reason } = told;
  const { exceptions = [], position, trail = [] } = told;
  return {
    ...{ status, courierState, ready, restaurantId, items, address, pickup, reason, exceptions },
    estimate: isFinal(status) ? undefined : estimateOf(told, now),
    position,
    trail: trail.slice(-TRAIL),
    reached: { PENDING: Date.parse(told.createdAt), ...before?.reached },
  };
}

function afterEvent(order: Order, event: wire.StreamEvent): Order {
  const at = Date.parse(event.timestamp);
  const { status, courierState = order.courierState, reason = order.reason } = event;
  const moved = status !== order.status;
  const next: Order = {
    ...order,
    ...{ status, courierState, reason },
    ready: order.ready || event.eventType === "order.ready",
    estimate: isFinal(status) ? undefined : (estimateOf(event, at) ?? order.estimate),
    reached: moved ? { ...order.reached, [status]: at } : order.reached,
    ...answered(order, event.exception),
  };
  const newRide = event.eventType.startsWith("courier.") && /assigned$/.test(event.eventType);
  return newRide || status !== "ON_DELIVERY" ? { ...next, position: undefined, trail: [] } : next;
}

/** What an exception that was raised or resolved changes. */
function answered(order: Order, told: Exception | undefined): Partial<Order> {
  if (told === undefined) return {};
  const others = order.exceptions.filter(({ exceptionId }) => exceptionId !== told.exceptionId);
  if (told.state === "open") return { exceptions: [...others, told] };
  const sold = told.code === "ITEM_SOLD_OUT" && told.resolution === "accepted";
  const gone = new Set(sold ? told.items : []);
  return { exceptions: others, items: order.items.filter(({ itemId }) => !gone.has(itemId)) };
}

function afterPosition(order: Order, told: wire.PositionMessage, now: number): Order {
  const { position: before } = order;
  const moved = before === undefined || before.lat !== told.lat || before.lng !== told.lng;
  const way = moved ? [...(told.trail ?? []), { lat: told.lat, lng: told.lng }] : [];
  const estimate = estimateOf(told, now) ?? order.estimate;
  return { ...order, position: told, trail: [...order.trail, ...way].slice(-TRAIL), estimate };
}

interface Estimated {
  readonly estimatedTime?: number;
  readonly eta?: wire.Eta;
}

/** `eta` is a window; minutes alone count from `told`, and are one time. */
function estimateOf({ estimatedTime, eta }: Estimated, told: number): Estimate | undefined {
  if (eta !== undefined) {
    const [from, likely, to] = [eta.p10, eta.p50, eta.p90].map(Date.parse) as [
      number,
      number,
      number,
    ];
    return { from, likely, to };
  }
  if (estimatedTime === undefined) return undefined;
  const at = told + estimatedTime * 60_000;
  return { from: at, likely: at, to: at };
}

export type Freshness = wire.Freshness;

/**
 * Seconds since the position was taken, and what it is worth: what the hub says, or less. Without a
 * connection (`live`), nothing is fresh.
 */
export function ageOf(
  position: wire.Position,
  now: number,
  live: boolean,
): { age: number; worth: Freshness } {
  const age = Math.max(0, (now - Date.parse(position.at)) / 1000);
  const own = age < HORIZON && live ? 0 : age < LOST_AFTER ? 1 : 2;
  return { age, worth: WORTHS[Math.max(own, WORTHS.indexOf(position.freshness))] ?? "lost" };
}

const WORTHS: readonly Freshness[] = ["fresh", "stale", "lost"];
const LOST_AFTER = 120;

export type StepState = "done" | "current" | "ahead";

export interface Step {
  readonly status: Status;
  readonly state: StepState;
  /** Milliseconds. */
  readonly at: number | undefined;
}

const USUAL: readonly Status[] = ["PENDING", "CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED"];
const TURNED: ReadonlySet<Status> = new Set(["CANCELLED", "RETURNING", "RETURNED"]);

/** The usual way; once the order has left it, what was passed of it and where it is now. */
export function stepsOf(order: Order): readonly Step[] {
  const step = (status: Status, state: StepState): Step => {
    return { status, state, at: order.reached[status] };
  };
  if (TURNED.has(order.status)) {
    const passed = USUAL.filter((status) => order.reached[status] !== undefined);
    const turns: Status[] =
      order.status === "RETURNED" ? ["RETURNING", "RETURNED"] : [order.status];
    return [
      ...passed.map((status) => step(status, "done")),
      ...turns.map((status) => step(status, status === order.status ? "current" : "done")),
    ];
  }
  const here = order.status === "COMPLETED" ? USUAL.length : USUAL.indexOf(order.status);
  return USUAL.map((status, n) => step(status, n < here ? "done" : n > here ? "ahead" : "current"));
}

export type Headline = Status | "READY" | "AT_STORE" | "NEARBY" | "AT_DOOR";

/** The one thing to say. */
export function headlineOf(order: Order): Headline {
  const { status, courierState, ready } = order;
  if (status === "ON_DELIVERY" && (courierState === "NEARBY" || courierState === "AT_DOOR"))
    return courierState;
  if (status !== "PREPARING") return status;
  return courierState === "AT_STORE" ? "AT_STORE" : ready ? "READY" : status;
}
