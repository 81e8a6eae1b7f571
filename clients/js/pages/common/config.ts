/** What the hub that served the page tells it, in a meta element. */

import type { Crs } from "../../src/index.ts";

export interface Tiles {
  /** A template as Leaflet takes it. */
  readonly url: string;
  readonly attribution: string;
  /** What the tiles' makers take for degrees; positions are asked for in the same. */
  readonly crs: Crs;
}

export interface Config {
  readonly tiles?: Tiles;
}

export function readConfig(): Config {
  const told = document.querySelector<HTMLMetaElement>('meta[name="ordercast"]')?.content;
  return told ? JSON.parse(told) : {};
}
