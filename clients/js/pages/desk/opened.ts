/** The one order that is looked at, and how each message changes it. No I/O, no clock. */

import type { Update, wire } from "../../src/index.ts";
import { longer, type Way } from "./ride.ts";

export type Exception = wire.OrderException;

/** What is read of it: the head that covers the events, and the seqs that none covers yet. */
export type Proof = Pick<wire.Proof, "head" | "pending">;

export interface Opened {
  readonly orderId: string;
  readonly order?: wire.Snapshot;
  /** Oldest first. */
  readonly log: readonly wire.StreamEvent[];
  readonly position?: wire.Position;
  /** Of the present leg: it is gone with the order's end. */
  readonly way: Way;
  readonly proof?: Proof | "none";
  /** Why there is nothing to see. */
  readonly refused?: string;
}

export function nothing(orderId: string): Opened {
  return { orderId, log: [], way: [] };
}

export function changed(opened: Opened, update: Update): Opened {
  if (!("orderId" in update) || update.orderId !== opened.orderId) return opened;
  switch (update.type) {
    case "snapshot":
      return fromSnapshot(opened, update.snapshot);
    case "event":
      return afterEvent(opened, update);
    case "position":
      return afterPosition(opened, update);
    case "refused":
      return { ...opened, refused: update.code };
    default:
      return opened;
  }
}

/** With the log as it was read; what came by the stream meanwhile follows. */
export function withLog(opened: Opened, read: readonly wire.StreamEvent[]): Opened {
  const end = read.at(-1)?.seq ?? 0;
  return { ...opened, log: [...read, ...opened.log.filter(({ seq }) => seq > end)] };
}

/** Whether events are missing that the order has had. */
export function lacks({ order, log }: Opened): boolean {
  return order !== undefined && log.length < order.seq;
}

function fromSnapshot(opened: Opened, order: wire.Snapshot): Opened {
  const { position: _, ...rest } = opened;
  const way = longer([], order.trail ?? []);
  const { position } = order;
  if (position === undefined) return { ...rest, order, way };
  return { ...rest, order, position, way: longer(way, [position]) };
}

function afterEvent(opened: Opened, event: wire.StreamEvent): Opened {
  const log = withLog({ ...opened, log: [event] }, opened.log).log;
  if (opened.order === undefined) return { ...opened, log };
  const { seq, status, timestamp, courierState = opened.order.courierState, exception } = event;
  const order: wire.Snapshot = {
    ...opened.order,
    ...{ seq, status, courierState, updatedAt: timestamp },
    ready: opened.order.ready || event.eventType === "order.ready",
    exceptions: stillOpen(opened.order.exceptions ?? [], exception),
  };
  if (event.reason !== undefined) order.reason = event.reason;
  if (!endsWay(event)) return { ...opened, order, log };
  const { position: _, ...rest } = opened;
  return { ...rest, order, log, way: [] };
}

function stillOpen(before: readonly Exception[], told: Exception | undefined): Exception[] {
  const others = before.filter(({ exceptionId }) => exceptionId !== told?.exceptionId);
  return told?.state === "open" ? [...others, told] : others;
}

/** A new leg, or the end. */
function endsWay({ eventType }: wire.StreamEvent): boolean {
  const ends = ["order.on_delivery", "order.completed", "order.cancelled", "order.returned"];
  return eventType.endsWith("assigned") || ends.includes(eventType);
}

function afterPosition(opened: Opened, { type: _, ...position }: wire.PositionMessage): Opened {
  const points = [...(position.trail ?? []), position];
  return { ...opened, position, way: longer(opened.way, points) };
}
