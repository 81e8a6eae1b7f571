import { expect, test } from "vitest";
import type { Update, wire } from "../../src/index.ts";
import { changed, lacks, nothing, withLog } from "../desk/opened.ts";

const AT = "2026-11-22T19:05:00.000Z";
const snapshot = { orderId: "o", epoch: "e", seq: 2, status: "CONFIRMED", createdAt: AT };
const whole: Update = {
  type: "snapshot",
  orderId: "o",
  recovered: false,
  snapshot: snapshot as wire.Snapshot,
};

function event(seq: number, eventType: string, more: object = {}): wire.StreamEvent {
  const told = { type: "event", orderId: "o", epoch: "e", seq, eventType, timestamp: AT };
  return { ...told, status: "CONFIRMED", ...more } as wire.StreamEvent;
}

function position(second: number): wire.PositionMessage {
  const at = `2026-11-22T19:05:0${second}.000Z`;
  return { type: "position", orderId: "o", at, lat: 1, lng: second, freshness: "fresh" };
}

test("the log is what was read and what came since, each once", () => {
  let opened = changed(nothing("o"), whole);
  expect(lacks(opened)).toBe(true);
  opened = changed(opened, event(3, "order.preparing"));
  opened = withLog(
    opened,
    [1, 2, 3].map((seq) => event(seq, "order.created")),
  );
  opened = changed(opened, event(4, "order.ready"));
  expect(opened.log.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect(lacks(opened)).toBe(false);
  expect(opened.order?.ready).toBe(true);
});

test("exceptions open and are resolved", () => {
  const told = { exceptionId: "x", code: "RIDER_SILENT", state: "open" };
  let opened = changed(nothing("o"), whole);
  opened = changed(opened, event(3, "order.exception", { exception: told }));
  expect(opened.order?.exceptions).toEqual([told]);
  const over = { ...told, state: "resolved" };
  opened = changed(opened, event(4, "order.exception_resolved", { exception: over }));
  expect(opened.order?.exceptions).toEqual([]);
});

test("the way is of the present leg", () => {
  let opened = changed(nothing("o"), whole);
  for (const second of [1, 2, 3]) opened = changed(opened, position(second));
  expect(opened.way.length).toBe(3);
  opened = changed(opened, event(3, "order.exception"));
  expect(opened.way.length).toBe(3);
  opened = changed(opened, event(4, "order.completed", { status: "COMPLETED" }));
  expect([opened.way.length, opened.position]).toEqual([0, undefined]);
});

test("what is told of another order changes nothing", () => {
  const opened = changed(nothing("other"), whole);
  expect(opened).toEqual(nothing("other"));
});
