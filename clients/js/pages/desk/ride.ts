/** A ride as it can be played again: the way with its times. No I/O, no clock. */

import type { LatLng, wire } from "../../src/index.ts";

/** Milliseconds, and a place. */
export interface Moment extends LatLng {
  readonly at: number;
}

export type Way = readonly Moment[];

/** Points that are kept: a ride of some hours. */
const MOST = 2000;

function moment({ at, lat, lng }: wire.TrailPoint): Moment {
  return { at: Date.parse(at), lat, lng };
}

/** The way so far with more of it behind. What is older than its end was known. */
export function longer(way: Way, points: readonly wire.TrailPoint[]): Way {
  const end = way.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  const news = points.map(moment).filter(({ at }) => at > end);
  return news.length === 0 ? way : [...way, ...news].slice(-MOST);
}

/** The way until then: it ends where the rider was, straight between two points. */
export function until(way: Way, at: number): Way {
  const past = way.filter((each) => each.at <= at);
  const [last, next] = [past.at(-1), way[past.length]];
  if (last === undefined || next === undefined || last.at === at) return past;
  const share = (at - last.at) / (next.at - last.at);
  const between = (from: number, to: number) => from + (to - from) * share;
  return [...past, { at, lat: between(last.lat, next.lat), lng: between(last.lng, next.lng) }];
}
