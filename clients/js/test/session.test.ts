import { expect, test } from "vitest";
import type { Fix } from "../src/schema.ts";
import { type Cursor, UserSession } from "../src/session.ts";
import type { RiderMessage, Update } from "../src/updates.ts";
import { RiderSession } from "../src/uplink.ts";
import { type Fields, messages, type Step, type Trace, traces } from "./examples.ts";

type Session = UserSession | RiderSession;

const WHEN: Record<string, number> = {
  now: Number.NEGATIVE_INFINITY,
  never: Number.POSITIVE_INFINITY,
};

function sessionOf(trace: Trace): Session {
  return trace.session === "user"
    ? new UserSession(() => 0.5, trace.stays)
    : new RiderSession(trace);
}

function act(session: Session, step: Step, now: number): void {
  if (session instanceof RiderSession && step.do === "add") {
    const fix = step.fix as unknown as Omit<Fix, "seq">;
    expect(session.add(fix, now, step.immediately)).toBe(step.seq);
  } else if (session instanceof UserSession && step.do === "subscribe") {
    session.subscribe(String(step.orderId), step as { after?: Cursor });
  } else if (session instanceof UserSession && step.do === "unsubscribe") {
    session.unsubscribe(String(step.orderId));
  } else if (step.do === "connected") session.connected();
  else if (step.do === "disconnected") session.disconnected();
  else throw new Error(`${step.do}?`);
}

function told(update: Update | RiderMessage): Fields {
  return update.type === "snapshot" ? { ...update.snapshot, ...update } : { ...update };
}

function hear(session: Session, { hears, tells, fails, code }: Step, now: number): void {
  if (hears === undefined) return;
  if (fails !== undefined) {
    expect(() => session.receive(hears, now)).toThrow(
      expect.objectContaining({ name: fails, ...(code && { code }) }),
    );
    return;
  }
  const updates = session.receive(hears, now).map(told);
  expect(updates).toHaveLength(tells?.length ?? Number.NaN);
  expect(updates).toMatchObject(tells ?? []);
}

function state(session: Session): Fields {
  const { ended } = session;
  const due = session.due();
  if (session instanceof UserSession) {
    const cursors = Array.from(session.orders, ([order, at]) => [order, at ?? null]);
    return { ended, due, cursors: Object.fromEntries(cursors) };
  }
  const { pending, dropped, cadence } = session;
  const orders = session.orders.orders.map((order) => order.orderId);
  return { ended, due, pending, dropped, orders, cadence: cadence.seconds };
}

test.each(traces())("%s", (_, trace) => {
  const session = sessionOf(trace);
  let now = 0;
  for (const step of trace.steps) {
    now = step.now ?? now;
    if (step.do !== undefined) act(session, step, now);
    if (step.sends !== undefined) expect(session.outgoing(now)).toEqual(step.sends);
    hear(session, step, now);
    for (const [name, wanted] of Object.entries(step.holds ?? {})) {
      expect({ [name]: state(session)[name] }).toEqual({ [name]: WHEN[String(wanted)] ?? wanted });
    }
  }
});

test.each(messages("to-rider"))("a rider takes %s", (_, message) => {
  if (message.type === "superseded") return;
  expect(() => new RiderSession().receive(message, 0)).not.toThrow();
});

test.each(messages("to-user"))("a watcher takes %s", (_, message) => {
  const session = new UserSession(() => 0.5);
  session.subscribe("ord_98765");
  session.connected();
  session.outgoing(0);
  expect(() => session.receive(message, 0)).not.toThrow();
});
