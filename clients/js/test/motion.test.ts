import { expect, test } from "vitest";
import { distance, type LatLng, METRES_OF_A_DEGREE, type Moving, reckoned } from "../src/motion.ts";
import { read } from "./examples.ts";

interface Vector {
  position: Moving;
  seconds: number;
  expected: LatLng;
}

test.each(read("motion.json") as Vector[])("$position after $seconds s", (vector) => {
  const { lat, lng } = reckoned(vector.position, vector.seconds);
  expect(lat).toBeCloseTo(vector.expected.lat, 8);
  expect(lng).toBeCloseTo(vector.expected.lng, 8);
});

test("a position without a way stays where it is", () => {
  expect(reckoned({ lat: 31, lng: 121, speed: 5 }, 10)).toEqual({ lat: 31, lng: 121 });
});

test("a degree of latitude is as long everywhere", () => {
  expect(distance({ lat: 10, lng: 20 }, { lat: 11, lng: 20 })).toBeCloseTo(METRES_OF_A_DEGREE, 3);
  expect(distance({ lat: 60, lng: 0 }, { lat: 60, lng: 1 })).toBeCloseTo(55_597, -1);
});
