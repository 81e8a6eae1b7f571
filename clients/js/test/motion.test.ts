import { expect, test } from "vitest";
import {
  distance,
  HORIZON,
  type LatLng,
  METRES_OF_A_DEGREE,
  type Moving,
  reckoned,
} from "../src/motion.ts";
import { read } from "./examples.ts";

interface Case {
  name: string;
  position: Moving;
  seconds: number;
  expected: LatLng;
}

const { cases, horizon } = read("reckoning.json") as { cases: Case[]; horizon: number };

test.each(cases)("$name", ({ position, seconds, expected }) => {
  const { lat, lng } = reckoned(position, seconds);
  expect(lat).toBeCloseTo(expected.lat, 7);
  expect(lng).toBeCloseTo(expected.lng, 7);
});

test("the vectors know the horizon", () => {
  expect(horizon).toBe(HORIZON);
});

test("a position without a way stays where it is", () => {
  expect(reckoned({ lat: 31, lng: 121, speed: 5 }, 10)).toEqual({ lat: 31, lng: 121 });
});

test("a degree of latitude is as long everywhere", () => {
  expect(distance({ lat: 10, lng: 20 }, { lat: 11, lng: 20 })).toBeCloseTo(METRES_OF_A_DEGREE, 3);
  expect(distance({ lat: 60, lng: 0 }, { lat: 60, lng: 1 })).toBeCloseTo(55_597, -1);
});
