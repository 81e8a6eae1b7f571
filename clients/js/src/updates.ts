/**
 * What a hub says, as the wire has it: camelCase, times as RFC 3339 strings.
 *
 * The types come from the exported schema; what a newer hub may add (fields, event types, codes) is
 * passed on as it is. The readers check what a client relies on, no more.
 */

import type { Message } from "./codec.ts";
import { HubMessageError } from "./errors.ts";
import type * as wire from "./schema.ts";

export type {
  Address,
  CourierState,
  Eta,
  EventType,
  Freshness,
  Order,
  Position,
  RiderOrder,
  Status,
  TrailPoint,
} from "./schema.ts";

/** A numbered fact: within an `epoch`, `seq` follows on `seq` with no hole and no repeat. */
export type Event = wire.StreamEvent;

/** Where the rider was at `at`. Newest wins; some are left out on purpose. */
export type PositionUpdate = wire.PositionMessage;

export type Estimate = wire.EstimateMessage;

/**
 * The order as of `snapshot.seq`; the next event is that plus one.
 *
 * `recovered` says that every event up to it was told before: nothing was missed. Otherwise the
 * snapshot is the new truth, and what was known before is to be forgotten.
 */
export interface SnapshotUpdate {
  readonly type: "snapshot";
  readonly orderId: string;
  readonly recovered: boolean;
  readonly snapshot: wire.Snapshot;
}

/** The order's stream ended with its final event; nothing more will come of it. */
export interface Finished {
  readonly type: "finished";
  readonly orderId: string;
}

/** This order is not to be had: `not_found`, `forbidden`, `too_many_subscriptions`, ... */
export interface Refused {
  readonly type: "refused";
  readonly orderId: string;
  readonly code: string;
  readonly message: string;
}

/** `degraded`, `recovered`, `draining`, or the code of an error that concerns no one order. */
export interface Notice {
  readonly type: "notice";
  readonly code: string;
  readonly message: string;
}

export type Update =
  | Event
  | PositionUpdate
  | SnapshotUpdate
  | Estimate
  | Finished
  | Refused
  | Notice;

/** All the orders that the rider carries now. */
export type Orders = wire.Orders;
/** Send a fix every `seconds`. */
export type Cadence = wire.Cadence;
/** The hub has taken the fixes up to `seq`. */
export type Acked = wire.Ack;
/** The fix `seq` was not taken and is not sent again. Without one: the hub could not read it. */
export type Rejected = wire.Rejected;

export type RiderMessage = Orders | Cadence | Acked | Rejected | Notice;

type Fields = Readonly<Record<string, unknown>>;

function field<T>(data: Fields, name: string, kind: string, fits: (value: unknown) => boolean): T {
  const value = data[name];
  if (!fits(value))
    throw new HubMessageError(`a message of the hub does not fit: ${name} is no ${kind}`);
  return value as T;
}

export function text(data: Fields, name: string): string {
  return field(data, name, "text", (value) => typeof value === "string");
}

export function optionalText(data: Fields, name: string): string | undefined {
  return data[name] === undefined ? undefined : text(data, name);
}

export function whole(data: Fields, name: string): number {
  return field(data, name, "whole number", Number.isInteger);
}

export function number(data: Fields, name: string): number {
  return field(data, name, "number", Number.isFinite);
}

export function list(data: Fields, name: string): Fields[] {
  return field(
    data,
    name,
    "list of objects",
    (value) => Array.isArray(value) && value.every(isObject),
  );
}

export function object(data: Fields, name: string): Fields {
  return field(data, name, "object", isObject);
}

/** In milliseconds, as `Date.parse`. */
export function time(data: Fields, name: string): number {
  return Date.parse(field(data, name, "time", (value) => !Number.isNaN(Date.parse(String(value)))));
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function readEvent(data: Fields): Event {
  for (const name of ["orderId", "epoch", "eventType", "status"]) text(data, name);
  whole(data, "seq");
  time(data, "timestamp");
  if (data["eta"] !== undefined) checkEta(object(data, "eta"));
  return data as unknown as Event;
}

export function readPosition(data: Fields): PositionUpdate {
  for (const name of ["orderId", "freshness"]) text(data, name);
  for (const name of ["lat", "lng"]) number(data, name);
  time(data, "at");
  return data as unknown as PositionUpdate;
}

export function readEstimate(data: Fields): Estimate {
  text(data, "orderId");
  whole(data, "estimatedTime");
  checkEta(object(data, "eta"));
  return data as unknown as Estimate;
}

export function readSnapshot(data: Fields): wire.Snapshot {
  for (const name of ["orderId", "epoch", "status"]) text(data, name);
  whole(data, "seq");
  if (data["position"] !== undefined) readPosition(object(data, "position"));
  if (data["trail"] !== undefined) list(data, "trail");
  return data as unknown as wire.Snapshot;
}

export function readOrders(data: Message): Orders {
  for (const order of list(data, "orders")) {
    for (const name of ["orderId", "status"]) text(order, name);
    object(order, "address");
  }
  return data as unknown as Orders;
}

export function readNotice(data: Message): Notice {
  return { type: "notice", code: text(data, "code"), message: optionalText(data, "message") ?? "" };
}

function checkEta(eta: Fields): void {
  for (const name of ["p10", "p50", "p90"]) time(eta, name);
}
