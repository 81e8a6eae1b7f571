/** The ride on the map: live, or played again. Loaded when an order is opened. */

import type { Tiles } from "../common/config.ts";
import type { Labels, TrackMap } from "../track/map.ts";
import type { Opened } from "./opened.ts";
import { until, type Way } from "./ride.ts";
import type { Texts } from "./texts.ts";

/** Times as fast as it was, and milliseconds between two pictures. */
const FASTER = 60;
const FRAME = 100;

export class Replay {
  readonly #tiles: Tiles | undefined;
  readonly #texts: () => Texts;
  readonly #onMoved: () => void;
  #map: TrackMap | undefined;
  #element: HTMLElement | undefined;
  #opened: Opened | undefined;
  /** Milliseconds; undefined while it is live. */
  #at: number | undefined;
  #playing: ReturnType<typeof setInterval> | undefined;

  constructor(tiles: Tiles | undefined, texts: () => Texts, onMoved: () => void) {
    this.#tiles = tiles;
    this.#texts = texts;
    this.#onMoved = onMoved;
  }

  get at(): number | undefined {
    return this.#at;
  }

  get playing(): boolean {
    return this.#playing !== undefined;
  }

  /** The element to draw into. Another order's is another one. */
  readonly attach = (element: HTMLElement | null): void => {
    if (element === this.#element) return;
    this.#element = element ?? undefined;
    this.#map = undefined;
    if (element !== null) void this.#load(element);
  };

  label(): void {
    this.#map?.label(labelsOf(this.#texts()));
  }

  live(): void {
    this.#stop();
    this.#at = undefined;
    this.#onMoved();
  }

  seek(at: number): void {
    this.#at = at;
    this.#onMoved();
  }

  play(): void {
    const way = this.#way;
    const [start, end] = [way[0]?.at ?? 0, way.at(-1)?.at ?? 0];
    if (this.#at === undefined || this.#at >= end) this.#at = start;
    this.#stop();
    this.#playing = setInterval(() => this.#step(), FRAME);
    this.#onMoved();
  }

  pause(): void {
    this.#stop();
    this.#onMoved();
  }

  show(opened: Opened | undefined): void {
    this.#opened = opened;
    if (this.#way.length === 0 && this.#at !== undefined) {
      this.#stop();
      this.#at = undefined;
    }
    this.#draw();
  }

  #step(): void {
    const end = this.#way.at(-1)?.at ?? 0;
    const at = Math.min((this.#at ?? 0) + FRAME * FASTER, end);
    if (at === end) this.#stop();
    this.seek(at);
  }

  #stop(): void {
    clearInterval(this.#playing);
    this.#playing = undefined;
  }

  get #way(): Way {
    return this.#opened?.way ?? [];
  }

  async #load(element: HTMLElement): Promise<void> {
    const { TrackMap } = await import("../track/map.ts");
    if (element !== this.#element) return;
    this.#map = new TrackMap(element, labelsOf(this.#texts()), this.#tiles);
    this.#draw();
  }

  #draw(): void {
    const { order, position } = this.#opened ?? {};
    if (order === undefined || this.#map === undefined) return;
    const way = this.#at === undefined ? this.#way : until(this.#way, this.#at);
    const live = this.#at === undefined && position !== undefined;
    this.#map.show({
      shop: order.pickup,
      door: order.address,
      rider: way.at(-1),
      heading: live ? position.heading : undefined,
      worth: live ? position.freshness : "fresh",
      trail: way,
      underWay: live,
    });
  }
}

function labelsOf({ common, desk }: Texts): Labels {
  return { ...common.map, map: desk.mapOf, door: desk.door };
}
