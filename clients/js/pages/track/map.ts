/** The map: shop, door, rider and the way, on tiles where there are some. Loaded when needed. */

import L from "leaflet";
import "leaflet/dist/leaflet.css";
import "./map.css";
import type { LatLng } from "../../src/index.ts";
import type { Tiles } from "../common/config.ts";
import { SIGNS, type Sign } from "./signs.ts";

export interface Labels {
  readonly map: string;
  readonly shop: string;
  readonly door: string;
  readonly rider: string;
  readonly zoomIn: string;
  readonly zoomOut: string;
  readonly recentre: string;
}

export interface Scene {
  readonly shop: LatLng | undefined;
  readonly door: LatLng;
  /** Where the rider is shown now. */
  readonly rider: LatLng | undefined;
  readonly heading: number | undefined;
  /** How sure that is: it fades. */
  readonly worth: "fresh" | "stale" | "lost";
  readonly trail: readonly LatLng[];
  /** Whether the food is still to go: a line shows where. */
  readonly underWay: boolean;
}

const NEAREST = 17;
const FARTHEST = 3;

export class TrackMap {
  readonly #map: L.Map;
  readonly #marks = new Map<Sign, L.Marker>();
  readonly #past: L.Polyline;
  /** From the last told place to where the rider is shown. */
  readonly #latest: L.Polyline;
  readonly #ahead: L.Polyline;
  readonly #zoom: L.Control.Zoom;
  readonly #all: HTMLButtonElement;
  #labels: Labels;
  #scene: Scene | undefined;
  #trail: readonly LatLng[] = [];
  /** Whether the map follows what it shows; not after it was moved by hand. */
  #follows = true;
  /** While the map itself moves it. */
  #framing = false;

  constructor(element: HTMLElement, labels: Labels, tiles: Tiles | undefined) {
    this.#labels = labels;
    this.#map = L.map(element, {
      attributionControl: false,
      zoomControl: false,
      zoomSnap: 0.25,
      minZoom: FARTHEST,
      maxZoom: 19,
      zoomAnimation: !still(),
      fadeAnimation: !still(),
      markerZoomAnimation: !still(),
      inertia: !still(),
    }).setView([0, 0], FARTHEST);
    new Ground({ className: "plain" }).addTo(this.#map);
    if (tiles !== undefined) this.#addTiles(tiles);
    const line = (className: string) =>
      L.polyline([], { className, interactive: false, smoothFactor: 1.5 }).addTo(this.#map);
    this.#ahead = line("ahead");
    this.#past = line("past");
    this.#latest = line("past");
    L.control.scale({ position: "bottomleft", maxWidth: 120, imperial: false }).addTo(this.#map);
    this.#zoom = L.control.zoom({ position: "bottomright" }).addTo(this.#map);
    this.#all = this.#allButton(element);
    this.#map.on("dragstart", () => this.#freed());
    this.#map.on("zoomstart", () => this.#framing || this.#freed());
    element.addEventListener("keydown", ({ key }) => {
      if (key.startsWith("Arrow")) this.#freed();
    });
    new ResizeObserver(() => this.#resized()).observe(element);
    this.label(labels);
  }

  /** In another language. */
  label(labels: Labels): void {
    this.#labels = labels;
    const container = this.#map.getContainer();
    container.setAttribute("role", "region");
    container.setAttribute("aria-label", labels.map);
    this.#all.textContent = labels.recentre;
    const buttons = [...(this.#zoom.getContainer()?.querySelectorAll("a") ?? [])];
    for (const [n, text] of [labels.zoomIn, labels.zoomOut].entries()) {
      buttons[n]?.setAttribute("aria-label", text);
      buttons[n]?.setAttribute("title", text);
    }
    for (const [sign, mark] of this.#marks) nameMark(mark, labels[sign]);
  }

  show(scene: Scene): void {
    const before = this.#scene;
    this.#scene = scene;
    this.#mark("shop", scene.shop);
    this.#mark("door", scene.door);
    this.#showRider(scene);
    const start = scene.rider ?? scene.shop;
    this.#ahead.setLatLngs(start && scene.underWay ? [start, scene.door] : []);
    const cast = places(before) !== places(scene);
    if (this.#follows && (cast || this.#outside(scene.rider))) this.#frame(before !== undefined);
  }

  #showRider(scene: Scene): void {
    this.#mark("rider", scene.rider);
    const element = this.#marks.get("rider")?.getElement();
    if (element !== undefined) {
      element.dataset["worth"] = scene.worth;
      const arrow = element.querySelector<SVGElement>(".heading");
      if (arrow !== null) {
        arrow.style.display = scene.heading === undefined ? "none" : "";
        arrow.style.transform = `rotate(${scene.heading ?? 0}deg)`;
      }
    }
    if (this.#trail !== scene.trail) {
      this.#trail = scene.trail;
      this.#past.setLatLngs([...scene.trail]);
    }
    const last = scene.trail.at(-1);
    this.#latest.setLatLngs(last && scene.rider ? [last, scene.rider] : []);
  }

  #mark(sign: Sign, place: LatLng | undefined): void {
    const mark = this.#marks.get(sign);
    if (place === undefined) {
      mark?.remove();
      this.#marks.delete(sign);
    } else if (mark !== undefined) {
      mark.setLatLng(place);
    } else {
      this.#marks.set(sign, this.#newMark(sign, place));
    }
  }

  #newMark(sign: Sign, place: LatLng): L.Marker {
    const icon = L.divIcon({
      className: `sign ${sign}`,
      html: SIGNS[sign],
      iconSize: [40, 40],
      iconAnchor: [20, 20],
    });
    const zIndexOffset = sign === "rider" ? 1000 : 0;
    const mark = L.marker(place, { icon, zIndexOffset, interactive: false, keyboard: false });
    mark.addTo(this.#map);
    nameMark(mark, this.#labels[sign]);
    return mark;
  }

  /** Shop, door and rider into view. Under way, the shop no longer matters. */
  #frame(animate: boolean): void {
    const { shop, door, rider } = this.#scene as Scene;
    const seen = [rider ?? shop, door].filter((place) => place !== undefined);
    // An animation starts and ends later; and what moves nothing ends as well.
    this.#framing = true;
    this.#map.once("moveend", () => {
      this.#framing = false;
    });
    this.#map.fitBounds(L.latLngBounds(seen), {
      maxZoom: NEAREST,
      paddingTopLeft: [48, 56],
      paddingBottomRight: [48, 56],
      animate: animate && !still(),
    });
  }

  #outside(place: LatLng | undefined): boolean {
    return place !== undefined && !this.#map.getBounds().pad(-0.08).contains(place);
  }

  #freed(): void {
    this.#follows = false;
    this.#all.hidden = false;
  }

  #resized(): void {
    this.#map.invalidateSize({ animate: false });
    if (this.#follows && this.#scene !== undefined) this.#frame(false);
  }

  #allButton(element: HTMLElement): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "show-all";
    button.hidden = true;
    L.DomEvent.disableClickPropagation(button);
    button.addEventListener("click", () => {
      this.#follows = true;
      button.hidden = true;
      if (this.#scene !== undefined) this.#frame(true);
      this.#map.getContainer().focus();
    });
    element.append(button);
    return button;
  }

  #addTiles({ url, attribution }: Tiles): void {
    // Tile servers want to know which site asks; the page's own policy tells nobody anything.
    const referrerPolicy = "strict-origin";
    L.tileLayer(url, { maxZoom: 19, referrerPolicy, detectRetina: url.includes("{r}") }).addTo(
      this.#map,
    );
    const credit = document.createElement("span");
    credit.textContent = attribution;
    if (attribution !== "")
      L.control.attribution({ prefix: false }).addAttribution(credit.innerHTML).addTo(this.#map);
  }
}

/** A quiet grid that moves with the map, so that moving shows where there are no tiles. */
class Ground extends L.GridLayer {
  protected override createTile(): HTMLElement {
    return document.createElement("div");
  }
}

function nameMark(mark: L.Marker, name: string): void {
  const element = mark.getElement();
  element?.setAttribute("role", "img");
  element?.setAttribute("aria-label", name);
}

/** What the frame depends on, besides the rider's being in it. */
function places(scene: Scene | undefined): string {
  return JSON.stringify([scene?.shop, scene?.door, scene?.rider !== undefined]);
}

function still(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
