/** Where to show the rider between two positions: led on by the shared predictor, without a jump. */

import { type LatLng, type Moving, reckoned } from "../../src/index.ts";

/** Seconds in which a correction is worked off, all but a twentieth. */
const SETTLES = 1.2;

/** Degrees beyond which a correction is shown at once: some 300 m, nobody rides that. */
const TOO_FAR = 0.003;

export interface Fix extends Moving {
  /** Milliseconds. */
  readonly at: number;
}

/** Times in milliseconds, as the hub's clock has them. */
export class Glide {
  #fix: Fix | undefined;
  #error: LatLng = { lat: 0, lng: 0 };
  #since = 0;

  /** A newer position. What was shown until `now` is left smoothly. */
  moved(fix: Fix, now: number): void {
    const shown = this.at(now);
    const right = led(fix, now);
    this.#fix = fix;
    this.#since = now;
    const error = shown && { lat: shown.lat - right.lat, lng: shown.lng - right.lng };
    const close = error && Math.max(Math.abs(error.lat), Math.abs(error.lng)) < TOO_FAR;
    this.#error = error && close ? error : { lat: 0, lng: 0 };
  }

  forget(): void {
    this.#fix = undefined;
  }

  at(now: number): LatLng | undefined {
    if (this.#fix === undefined) return undefined;
    const { lat, lng } = led(this.#fix, now);
    const left = Math.exp((-3 * Math.max(0, now - this.#since)) / 1000 / SETTLES);
    return { lat: lat + this.#error.lat * left, lng: lng + this.#error.lng * left };
  }
}

function led(fix: Fix, now: number): LatLng {
  return reckoned(fix, (now - fix.at) / 1000);
}
