/** The Track page: one order, live. `/track/ORDER#TOKEN` */

import { render } from "preact";
import { CloseCode, ClosedError, type Update, UserClient, type wire } from "../../src/index.ts";
import { HubClock } from "../common/clock.ts";
import { readConfig } from "../common/config.ts";
import { claimsOf, tokenOf } from "../common/credentials.ts";
import { formatsOf } from "../common/formats.ts";
import { newKey, request } from "../common/http.ts";
import { choose, localeOf, preferred, speak } from "../common/language.ts";
import { Scenery } from "./scenery.ts";
import "./track.css";
import { changed, type Exception, headlineOf, isFinal, type Order, withHistory } from "./order.ts";
import { LANGUAGES, type Language } from "./texts.ts";
import { type Answering, isLive, type Link, Page, type Refusal } from "./view.tsx";

/** Seconds without a connection before it is worth a word: most come back at once. */
const PATIENCE = 1.5;
/** Seconds after which a page in the background lets go of the hub. */
const HIDDEN = 300;

const config = readConfig();
const orderId = location.pathname.split("/").pop() ?? "";
const token = tokenOf(location.hash) ?? "";
const clock = new HubClock();
const page = document.getElementById("page") as HTMLElement;
const path = `/v1/orders/${encodeURIComponent(orderId)}`;

let language: Language = preferred(LANGUAGES);
let formats = formatsOf(localeOf(language));
let order: Order | undefined;
let refusal: Refusal | undefined = token === "" ? "noToken" : undefined;
let shop: string | undefined;
let link: Link = {
  state: "connecting",
  heardAt: Date.now(),
  offline: !navigator.onLine,
  degraded: false,
};
let answering: Answering["state"] = "idle";

const scenery = new Scenery(clock, config.tiles, () => language.texts);

function paint(): void {
  render(
    <Page
      {...{ orderId, order, refusal, shop, link, language, formats, onLanguage }}
      answering={{ state: answering, answer }}
      now={clock.now()}
      onMap={(element) => scenery.attach(element)}
    />,
    page,
  );
  if (order !== undefined) scenery.show(order, isLive(link));
  const words = language.texts.track;
  document.title = order === undefined ? words.title : words.headlines[headlineOf(order)];
}

function onLanguage(chosen: Language): void {
  choose(chosen);
  setLanguage(chosen);
}

function setLanguage(chosen: Language): void {
  language = chosen;
  formats = formatsOf(localeOf(chosen));
  speak(chosen);
  scenery.label();
  paint();
}

function take(update: Update): void {
  link = { ...link, state: "live", heardAt: clock.now() };
  if (update.type === "refused") refusal = update.code === "not_found" ? "notFound" : "failed";
  if (update.type === "notice" && update.code !== "draining")
    link = { ...link, degraded: update.code === "degraded" };
  const first = order === undefined;
  order = changed(order, update, clock.now());
  if (order === undefined) return;
  if (first) void learn(order.restaurantId);
}

/** What the stream does not tell: when the order came this far, and the restaurant's name. */
async function learn(restaurantId: string): Promise<void> {
  const named = request<wire.Restaurant>(token, {
    method: "GET",
    path: `/v1/restaurants/${encodeURIComponent(restaurantId)}`,
  });
  const past = request<wire.EventList>(token, { method: "GET", path: `${path}/events` }, clock);
  const [restaurant, events] = await Promise.allSettled([named, past]);
  if (restaurant.status === "fulfilled") shop = restaurant.value.name;
  if (events.status === "fulfilled" && order !== undefined)
    order = withHistory(order, events.value.events);
  paint();
}

async function answer(exception: Exception, resolution: "accepted" | "declined"): Promise<void> {
  answering = "sending";
  paint();
  const to = `${path}/exceptions/${encodeURIComponent(exception.exceptionId)}/resolve`;
  try {
    await request(token, { method: "POST", path: to, body: { resolution }, key: newKey() });
    answering = "idle";
  } catch {
    answering = "failed";
  }
  paint();
}

let silence: ReturnType<typeof setTimeout> | undefined;

function onConnection(up: boolean): void {
  clearTimeout(silence);
  if (up) return;
  const heardAt = clock.now();
  silence = setTimeout(() => {
    link = { ...link, state: "lost", heardAt };
    paint();
  }, PATIENCE * 1000);
}

async function watch(): Promise<void> {
  const client = new UserClient(location.origin, token, { pauseWhenHidden: HIDDEN, onConnection });
  client.subscribe(orderId, { crs: config.tiles?.crs ?? "wgs84" });
  for await (const update of client) {
    take(update);
    paint();
  }
}

function refusedBy(error: unknown): Refusal {
  if (!(error instanceof ClosedError)) return "failed";
  const { exp = Number.POSITIVE_INFINITY } = claimsOf(token) ?? {};
  const expired = error.code === CloseCode.TOKEN_EXPIRED || exp * 1000 < clock.now();
  return expired ? "expired" : "unauthenticated";
}

function onNetwork(): void {
  link = { ...link, offline: !navigator.onLine };
  paint();
}

async function start(): Promise<void> {
  setLanguage(language);
  if (token === "") return;
  addEventListener("online", onNetwork);
  addEventListener("offline", onNetwork);
  addEventListener("hashchange", () => location.reload());
  const ticking = setInterval(paint, 1000);
  try {
    await watch();
  } catch (error) {
    refusal = refusedBy(error);
  }
  clearTimeout(silence);
  if (order !== undefined && isFinal(order.status)) clearInterval(ticking);
  paint();
}

void start();
