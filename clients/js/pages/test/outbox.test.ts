import { expect, test } from "vitest";
import { type Call, ProblemError } from "../common/http.ts";
import type { Kept } from "../common/storage.ts";
import { Outbox } from "../ride/outbox.ts";

function memory(): Kept & { readonly all: Map<string, string> } {
  const all = new Map<string, string>();
  return {
    all,
    get: (name) => all.get(name),
    set: (name, value) => {
      if (value === undefined) all.delete(name);
      else all.set(name, value);
    },
  };
}

/** Answers, one for each call; then it is done. */
function make(storage: Kept, ...answers: (ProblemError | "done")[]) {
  const calls: Call[] = [];
  const rests: number[] = [];
  const taken: string[] = [];
  const outbox = new Outbox({
    name: "said",
    storage,
    onChange: () => {},
    onTaken: ({ action }) => taken.push(action),
    rest: async (milliseconds) => {
      rests.push(milliseconds);
    },
    send: async (call) => {
      calls.push(call);
      const answer = answers.shift();
      if (answer instanceof ProblemError) throw answer;
    },
  });
  return { outbox, calls, rests, taken };
}

const gone = new ProblemError(0, "no network");

test("what is said is sent, in order, with the time it was said", async () => {
  const { outbox, calls, taken } = make(memory());
  outbox.add("atDoor", "ord_1", 0);
  outbox.add("delivered", "ord_1", 1000);
  await outbox.run();
  await expect.poll(() => outbox.entries).toEqual([]);
  expect(calls.map(({ path, body }) => [path, body])).toEqual([
    ["/v1/orders/ord_1/courier-state", { state: "AT_DOOR" }],
    ["/v1/orders/ord_1/status", { status: "COMPLETED", timestamp: "1970-01-01T00:00:01.000Z" }],
  ]);
  expect(taken).toEqual(["atDoor", "delivered"]);
});

test("without an answer it is sent again, under the same key, ever more slowly", async () => {
  const busy = new ProblemError(503, "the store is away");
  const { outbox, calls, rests } = make(memory(), gone, busy, gone, gone, gone, gone, gone);
  outbox.add("delivered", "ord_1", 0);
  await expect.poll(() => outbox.entries).toEqual([]);
  expect(new Set(calls.map(({ key }) => key)).size).toBe(1);
  expect(rests).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test("a no is told, and does not hold up what follows", async () => {
  const { outbox, taken } = make(memory(), new ProblemError(409, "it is CANCELLED"));
  outbox.add("delivered", "ord_1", 0);
  outbox.add("delivered", "ord_2", 0);
  await expect.poll(() => outbox.entries).toEqual([]);
  expect(taken).toEqual(["delivered"]);
});

test("a no is shown until something else is said", async () => {
  const { outbox } = make(memory(), new ProblemError(409, "it is CANCELLED"));
  outbox.add("delivered", "ord_1", 0);
  await expect.poll(() => outbox.refused?.detail).toBe("it is CANCELLED");
  outbox.add("atDoor", "ord_2", 0);
  expect(outbox.refused).toBeUndefined();
});

test("saying it twice sends it once", async () => {
  const { outbox, calls } = make(memory());
  outbox.add("delivered", "ord_1", 0);
  outbox.add("delivered", "ord_1", 5);
  await expect.poll(() => outbox.entries).toEqual([]);
  expect(calls).toHaveLength(1);
});

test("a closed page sends the rest when it is opened again, with the same key", async () => {
  const storage = memory();
  const never = new Outbox({
    name: "said",
    storage,
    onChange: () => {},
    onTaken: () => {},
    send: () => new Promise(() => {}),
  });
  never.add("delivered", "ord_1", 0);
  const key = never.entries[0]?.key;
  const { outbox, calls } = make(storage);
  await outbox.run();
  expect(calls.map((call) => call.key)).toEqual([key]);
  expect(storage.get("said")).toBe("[]");
});

test.each(["nonsense", "{}", "null"])("a storage with %s begins empty", (kept) => {
  const storage = memory();
  storage.all.set("said", kept);
  expect(make(storage).outbox.entries).toEqual([]);
});
