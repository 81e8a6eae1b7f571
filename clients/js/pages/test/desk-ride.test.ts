import { expect, test } from "vitest";
import { longer, until, type Way } from "../desk/ride.ts";

const at = (second: number) => new Date(second * 1000).toISOString();
const way: Way = [
  { at: 10_000, lat: 1, lng: 2 },
  { at: 20_000, lat: 3, lng: 6 },
];

test("a way grows by what is newer than its end", () => {
  const points = [10, 20, 30].map((second) => ({ at: at(second), lat: second, lng: 0 }));
  expect(longer(way, points)).toEqual([...way, { at: 30_000, lat: 30, lng: 0 }]);
  expect(longer(way, points.slice(0, 2))).toBe(way);
  expect(longer([], points).length).toBe(3);
});

test("a way keeps no more than some thousand points", () => {
  const points = Array.from({ length: 3000 }, (_, n) => ({ at: at(n), lat: n, lng: 0 }));
  expect(longer([], points).length).toBe(2000);
  expect(longer([], points).at(-1)?.lat).toBe(2999);
});

test("a way ends where the rider was then", () => {
  expect(until(way, 9_999)).toEqual([]);
  expect(until(way, 10_000)).toEqual(way.slice(0, 1));
  expect(until(way, 15_000).at(-1)).toEqual({ at: 15_000, lat: 2, lng: 4 });
  expect(until(way, 99_000)).toEqual(way);
});
