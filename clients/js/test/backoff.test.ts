import fc from "fast-check";
import { expect, test } from "vitest";
import { backoff, readWindow, type Window } from "../src/backoff.ts";
import { Routes, SUSPECT, SUSPECT_PROVEN } from "../src/routes.ts";
import { expiry } from "../src/tokens.ts";

function first(count: number, chance: number, window: Window): number[] {
  const delays = backoff(() => chance, window);
  return Array.from({ length: count }, () => delays.next().value);
}

test("the upper bound doubles, up to 30 s or the hub's own", () => {
  expect(first(7, 1, { min: 0, max: 1 })).toEqual([1, 2, 4, 8, 16, 30, 30]);
  expect(first(3, 1, { min: 5, max: 60 })).toEqual([60, 60, 60]);
  expect(first(4, 1, { min: 0, max: 0 })).toEqual([0, 1, 2, 4]);
});

test("each delay is anywhere between the window's lower end and that bound", () => {
  const window = fc
    .tuple(
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.double({ min: 0, max: 100, noNaN: true }),
    )
    .map(([min, more]) => ({ min, max: min + more }));
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(window, chance, (given, luck) => {
      const delays = first(8, luck, given);
      const most = Math.max(30, given.max);
      return (
        delays.every((delay) => delay >= given.min && delay <= most) &&
        (delays[0] ?? 0) <= given.max
      );
    }),
  );
});

test.each([
  [
    { min: 0.5, max: 20 },
    { min: 0.5, max: 20 },
  ],
  [{ min: 2, max: 1 }, undefined],
  [{ min: -1, max: 1 }, undefined],
  [{ min: 0, max: Number.POSITIVE_INFINITY }, undefined],
  [{ min: Number.NaN, max: 1 }, undefined],
  [{ min: "0", max: 1 }, undefined],
  ["soon", undefined],
  [null, undefined],
  [undefined, undefined],
])("the window of %j is %j", (data, wanted) => {
  expect(readWindow(data)).toEqual(wanted);
});

/** The ways that so many failed attempts take. */
function ways(routes: Routes<string>, attempts: number): string {
  return Array.from({ length: attempts }, () => {
    const way = routes.next();
    routes.failed();
    return way;
  }).join("");
}

test("every third attempt takes the other way while nothing works", () => {
  expect(SUSPECT).toBe(2);
  expect(ways(new Routes("a", "b"), 7)).toBe("aabaaba");
  expect(ways(new Routes("a"), 5)).toBe("aaaaa");
});

test("a way that worked is trusted for longer, until the network changes", () => {
  const routes = new Routes("a", "b");
  routes.next();
  routes.worked();
  expect(SUSPECT_PROVEN).toBe(10);
  expect(ways(routes, 11)).toBe("aaaaaaaaaab");
  routes.forget();
  expect(ways(routes, 3)).toBe("aab");
});

test("the other way is taken again when it worked, then the first has its turn", () => {
  const routes = new Routes("a", "b");
  expect(ways(routes, 2)).toBe("aa");
  expect(routes.next()).toBe("b");
  routes.worked();
  expect(ways(routes, 4)).toBe("baab");
});

test.each([
  ["head.eyJleHAiOjE4MDAwMDAwMDB9.signature", 1_800_000_000],
  ["head.eyJzdWIiOiLwn5qyIiwiZXhwIjoxODAwMDAwMDAwLjV9.signature", 1_800_000_000.5],
  ["head.e30.signature", undefined],
  ["head.eyJleHAiOiJzb29uIn0.signature", undefined],
  ["not a token", undefined],
  ["a.b.c", undefined],
  ["", undefined],
])("the token %j ends at %s", (token, wanted) => {
  expect(expiry(token)).toBe(wanted);
});
