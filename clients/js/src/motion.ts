/** Distances and movement on the ground: the hub's own reckoning, which tells what to expect. */

export interface Moving {
  readonly lat: number;
  readonly lng: number;
  /** m/s */
  readonly speed?: number | undefined;
  /** Degrees clockwise from north. */
  readonly heading?: number | undefined;
}

export interface LatLng {
  readonly lat: number;
  readonly lng: number;
}

const EARTH = 6_371_008.8; // mean radius, metres (IUGG)
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Of latitude. */
export const METRES_OF_A_DEGREE: number = radians(EARTH);

/** Seconds for which a position is led on; then it stays where that got. */
export const HORIZON = 30;

/** Metres between two points, along the great circle (haversine). */
export function distance(a: LatLng, b: LatLng): number {
  const halfLat = Math.sin(radians(b.lat - a.lat) / 2);
  const halfLng = Math.sin(radians(b.lng - a.lng) / 2);
  const chord = halfLat ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * halfLng ** 2;
  return 2 * EARTH * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/**
 * Dead reckoning: where a position has got to `seconds` after it was taken. Show this between two
 * positions; the hub sends the next one when it would be wrong by more than 15 m.
 */
export function reckoned(position: Moving, seconds: number): LatLng {
  const { lat, lng, speed, heading } = position;
  if (speed === undefined || heading === undefined) return { lat, lng };
  const course = radians(heading);
  const degrees = (speed / METRES_OF_A_DEGREE) * Math.min(Math.max(seconds, 0), HORIZON);
  const east = (degrees * Math.sin(course)) / Math.max(0.01, Math.cos(radians(lat)));
  return {
    lat: Math.max(-90, Math.min(90, lat + degrees * Math.cos(course))),
    lng: around(lng + east),
  };
}

/** A longitude, from -180 on and below 180. */
function around(degrees: number): number {
  if (degrees >= -180 && degrees < 180) return degrees;
  return ((((degrees + 180) % 360) + 360) % 360) - 180;
}
