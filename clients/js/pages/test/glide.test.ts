import fc from "fast-check";
import { expect, test } from "vitest";
import { distance } from "../../src/index.ts";
import { Glide } from "../track/glide.ts";

const START = { lat: 31.2, lng: 121.4, speed: 8, heading: 90, at: 0 };

test("nowhere before the first position, and after it was forgotten", () => {
  const glide = new Glide();
  expect(glide.at(0)).toBeUndefined();
  glide.moved(START, 0);
  expect(glide.at(0)).toEqual({ lat: 31.2, lng: 121.4 });
  glide.forget();
  expect(glide.at(0)).toBeUndefined();
});

test("a newer position is not jumped to, and arrived at", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -0.002, max: 0.002, noNaN: true }),
      fc.double({ min: -0.002, max: 0.002, noNaN: true }),
      (north, east) => {
        const glide = new Glide();
        glide.moved(START, 0);
        const before = glide.at(5000);
        const next = { lat: 31.2 + north, lng: 121.4 + east, at: 5000 };
        glide.moved(next, 5000);
        const shown = glide.at(5000);
        if (before === undefined || shown === undefined) throw new Error("nowhere");
        expect(distance(before, shown)).toBeLessThan(0.01);
        expect(distance(glide.at(10_000) ?? shown, next)).toBeLessThan(1);
      },
    ),
  );
});

test("a place far away is another ride: shown at once", () => {
  const glide = new Glide();
  glide.moved(START, 0);
  glide.moved({ lat: 31.3, lng: 121.4, at: 1000 }, 1000);
  expect(glide.at(1000)).toEqual({ lat: 31.3, lng: 121.4 });
});
