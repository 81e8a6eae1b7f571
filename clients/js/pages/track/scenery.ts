/** Keeps the map true: to the order as it changes, and to the rider between two positions. */

import type { HubClock } from "../common/clock.ts";
import type { Tiles } from "../common/config.ts";
import { Glide } from "./glide.ts";
import type { Labels, TrackMap } from "./map.ts";
import { ageOf, isFinal, type Order } from "./order.ts";
import type { Texts } from "./texts.ts";

/** Milliseconds between two frames: a rider crosses a pixel in more. */
const FRAME = 50;
/** The same for who wants less to move. */
const STILL_FRAME = 1000;

export class Scenery {
  readonly #clock: HubClock;
  readonly #tiles: Tiles | undefined;
  readonly #texts: () => Texts;
  readonly #glide = new Glide();
  #map: TrackMap | undefined;
  #element: HTMLElement | undefined;
  #order: Order | undefined;
  #live = false;
  #drawnAt = 0;
  #frame: number | undefined;

  constructor(clock: HubClock, tiles: Tiles | undefined, texts: () => Texts) {
    this.#clock = clock;
    this.#tiles = tiles;
    this.#texts = texts;
  }

  /** The element to draw into, when the page has it. */
  attach(element: HTMLElement | null): void {
    if (element === null || element === this.#element) return;
    this.#element = element;
    void this.#load(element);
  }

  label(): void {
    this.#map?.label(labelsOf(this.#texts()));
  }

  /** `live`: whether what the hub knows gets here at once. */
  show(order: Order, live: boolean): void {
    this.#live = live;
    const { position } = order;
    if (position === undefined) this.#glide.forget();
    else if (position !== this.#order?.position)
      this.#glide.moved({ ...position, at: Date.parse(position.at) }, this.#clock.now());
    this.#order = order;
    this.#draw();
    if (position !== undefined) this.#frame ??= requestAnimationFrame(this.#animate);
  }

  async #load(element: HTMLElement): Promise<void> {
    const { TrackMap } = await import("./map.ts");
    this.#map = new TrackMap(element, labelsOf(this.#texts()), this.#tiles);
    this.#draw();
  }

  readonly #animate = (time: number) => {
    this.#frame = undefined;
    if (this.#order?.position === undefined) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (time - this.#drawnAt >= (calm ? STILL_FRAME : FRAME)) {
      this.#drawnAt = time;
      this.#draw();
    }
    this.#frame = requestAnimationFrame(this.#animate);
  };

  #draw(): void {
    const order = this.#order;
    if (order === undefined || this.#map === undefined) return;
    const { position, pickup, address, trail, status } = order;
    const now = this.#clock.now();
    this.#map.show({
      shop: pickup,
      door: address,
      rider: this.#glide.at(now),
      heading: position?.heading,
      worth: position === undefined ? "lost" : ageOf(position, now, this.#live).worth,
      trail,
      underWay: !isFinal(status) && status !== "RETURNING",
    });
  }
}

function labelsOf({ common, track }: Texts): Labels {
  return { ...common.map, map: track.mapOf, door: track.door };
}
