/** The Desk, for dispatchers: how everything stands, and one order looked at. `/desk#TOKEN` */

import { render } from "preact";
import { ClosedError, type Update, UserClient, type wire } from "../../src/index.ts";
import { HubClock } from "../common/clock.ts";
import { readConfig } from "../common/config.ts";
import { claimsOf, tokenOf } from "../common/credentials.ts";
import { formatsOf } from "../common/formats.ts";
import { newKey, ProblemError, request } from "../common/http.ts";
import { choose, localeOf, preferred, speak } from "../common/language.ts";
import { tab } from "../common/storage.ts";
import { changed, type Exception, lacks, nothing, type Opened, withLog } from "./opened.ts";
import { Replay } from "./replay.ts";
import "./desk.css";
import type { Acting, Found, Trouble } from "./shown.ts";
import { LANGUAGES, type Language } from "./texts.ts";
import { Page } from "./view.tsx";

/** Seconds between two looks at the overview; the list of orders is longer, and read every third. */
const PACE = 2;
const LISTED = 50;
const KEPT = "ordercast.desk";

const config = readConfig();
const crs = config.tiles?.crs ?? "wgs84";
const clock = new HubClock();
const page = document.getElementById("page") as HTMLElement;

let language: Language = preferred(LANGUAGES);
let formats = formatsOf(localeOf(language));
let token = tokenOf(location.hash) ?? tab.get(KEPT);
let trouble: Trouble | undefined;
let overview: wire.Overview | undefined;
let exceptions: readonly Exception[] = [];
let found: Found = { status: undefined, text: "", orders: undefined, more: false };
let opened: Opened | undefined;
let acting: Acting = { state: "idle" };
let client: UserClient | undefined;
let turn = 0;

const replay = new Replay(config.tiles, () => language.texts, paint);

function paint(): void {
  render(
    <Page
      {...{ token, trouble, overview, exceptions, found, opened, acting, language, formats }}
      {...{ replay, onLanguage, signIn, signOut, search, open, close, resolve }}
      now={clock.now()}
    />,
    page,
  );
  replay.show(opened);
  document.title = language.texts.desk.title;
}

function onLanguage(chosen: Language): void {
  choose(chosen);
  setLanguage(chosen);
}

function setLanguage(chosen: Language): void {
  language = chosen;
  formats = formatsOf(localeOf(chosen));
  speak(chosen);
  replay.label();
  paint();
}

// Who is here

/** The token is kept for this tab alone, and out of the address, which goes into histories. */
function signIn(given: string): void {
  if (claimsOf(given) === undefined) {
    trouble = "noToken";
    paint();
    return;
  }
  token = given;
  trouble = undefined;
  tab.set(KEPT, given);
  // The stream only for a token that will do: it is not closed again while it opens.
  void look().then(() => {
    if (token === given) void watch();
  });
  const asked = new URLSearchParams(location.search).get("order");
  if (asked !== null) open(asked);
  paint();
}

function signOut(why?: Trouble): void {
  tab.set(KEPT, undefined);
  client?.close();
  [token, client, overview, opened] = [undefined, undefined, undefined, undefined];
  exceptions = [];
  found = { status: undefined, text: "", orders: undefined, more: false };
  trouble = why;
  paint();
}

/** The answer, or undefined where it did not come; what is wrong is shown. */
async function ask<T>(path: string): Promise<T | undefined> {
  const asked = token;
  if (asked === undefined) return undefined;
  try {
    const answer = await request<T>(asked, { method: "GET", path }, clock);
    if (asked !== token) return undefined;
    if (trouble === "lost") trouble = undefined;
    return answer;
  } catch (error) {
    if (asked === token) refusedBy(error);
    return undefined;
  }
}

function refusedBy(error: unknown): void {
  const status = error instanceof ProblemError ? error.status : -1;
  if (status === 401) signOut("expired");
  else if (status === 403) signOut("forbidden");
  else if (status === 0 || status >= 500) trouble = "lost";
}

// How everything stands

async function look(): Promise<void> {
  turn += 1;
  const whole = turn % 3 === 1;
  const [told, open, orders] = await Promise.all([
    ask<wire.Overview>("/v1/overview"),
    ask<wire.ExceptionList>(`/v1/exceptions?state=open&limit=${LISTED}`),
    whole ? list() : undefined,
  ]);
  overview = told ?? overview;
  exceptions = open?.items ?? exceptions;
  found = orders ?? found;
  if (opened !== undefined && whole) void prove(opened.orderId);
  paint();
}

async function list(): Promise<Found | undefined> {
  const { status, text } = found;
  const query = new URLSearchParams({ limit: String(LISTED) });
  if (text !== "") query.set("q", text);
  else if (status !== undefined) query.set("status", status);
  const page = await ask<wire.OrderList>(`/v1/orders?${query}`);
  const same = status === found.status && text === found.text;
  if (page === undefined || !same) return undefined;
  return { status, text, orders: page.items, more: page.next !== null };
}

function search(text: string, status: wire.Status | undefined): void {
  found = { ...found, text: text.trim(), status, orders: undefined };
  paint();
  void list().then((orders) => {
    found = orders ?? found;
    const only = found.text !== "" && found.orders?.length === 1 ? found.orders[0] : undefined;
    if (orders !== undefined && only !== undefined) open(only.orderId);
    paint();
  });
}

// The order that is looked at

function open(orderId: string): void {
  if (opened?.orderId === orderId) return;
  if (opened !== undefined) client?.unsubscribe(opened.orderId);
  opened = nothing(orderId);
  acting = { state: "idle" };
  replay.live();
  remember(orderId);
  client?.subscribe(orderId, { crs });
  void learn(orderId);
  void prove(orderId);
  paint();
}

function close(): void {
  if (opened !== undefined) client?.unsubscribe(opened.orderId);
  opened = undefined;
  remember(undefined);
  paint();
}

/** In the address, so that it is there again after a reload. */
function remember(orderId: string | undefined): void {
  const query = orderId === undefined ? "" : `?order=${encodeURIComponent(orderId)}`;
  history.replaceState(null, "", location.pathname + query);
}

/** The log from its beginning: the stream tells what comes. */
async function learn(orderId: string): Promise<void> {
  const path = `/v1/orders/${encodeURIComponent(orderId)}/events`;
  const told = await ask<{ events: wire.StreamEvent[] }>(path);
  if (told === undefined || opened?.orderId !== orderId) return;
  opened = withLog(opened, told.events);
  paint();
}

async function prove(orderId: string): Promise<void> {
  const { proof } = opened ?? {};
  if (proof === "none" || (proof?.head !== undefined && proof.pending.length === 0)) return;
  const asked = token ?? "";
  const path = `/v1/orders/${encodeURIComponent(orderId)}/proof`;
  const told = await request<NonNullable<Opened["proof"]>>(asked, { method: "GET", path }).catch(
    (error: ProblemError) => (error.status === 404 ? "none" : undefined),
  );
  if (opened?.orderId !== orderId || told === undefined) return;
  opened = { ...opened, proof: told };
  paint();
}

/** Who rides is not in the events. */
async function learnRider(orderId: string): Promise<void> {
  const told = await ask<wire.Order>(`/v1/orders/${encodeURIComponent(orderId)}`);
  if (told === undefined || opened?.orderId !== orderId || opened.order === undefined) return;
  const { riderId: _, ...order } = opened.order;
  opened = { ...opened, order: told.riderId ? { ...order, riderId: told.riderId } : order };
  paint();
}

function take(update: Update): void {
  if (opened === undefined) return;
  const before = opened;
  opened = changed(opened, update);
  if (update.type === "event" && opened.proof !== "none") {
    const { proof: _, ...rest } = opened;
    opened = rest;
  }
  if (update.type === "snapshot" && lacks(opened) && before.log.length > 0)
    void learn(opened.orderId);
  if (update.type === "event" && update.eventType.endsWith("assigned"))
    void learnRider(opened.orderId);
}

async function watch(): Promise<void> {
  client?.close();
  const mine = new UserClient(location.origin, token ?? "", { stays: true });
  client = mine;
  if (opened !== undefined) mine.subscribe(opened.orderId, { crs });
  try {
    for await (const update of mine) {
      take(update);
      paint();
    }
  } catch (error) {
    if (client === mine && error instanceof ClosedError) signOut("expired");
  }
}

async function resolve(exception: Exception, resolution: wire.Resolution): Promise<void> {
  const { orderId, exceptionId } = exception;
  acting = { state: "sending", exceptionId };
  paint();
  const path = `/v1/orders/${encodeURIComponent(orderId)}/exceptions/${encodeURIComponent(exceptionId)}/resolve`;
  try {
    await request(token ?? "", { method: "POST", path, body: { resolution }, key: newKey() });
    acting = { state: "idle" };
  } catch (error) {
    const told = error instanceof ProblemError ? error.message : "";
    acting = { state: "failed", exceptionId, told };
  }
  await look();
}

function start(): void {
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  setLanguage(language);
  if (token !== undefined) signIn(token);
  setInterval(() => {
    if (token !== undefined && document.visibilityState === "visible") void look();
  }, PACE * 1000);
  setInterval(paint, 1000);
  addEventListener("hashchange", () => {
    const given = tokenOf(location.hash);
    history.replaceState(null, "", location.pathname + location.search);
    if (given !== undefined) signIn(given);
  });
  addEventListener("keydown", ({ key, defaultPrevented }) => {
    if (key === "Escape" && !defaultPrevented && opened !== undefined) close();
  });
}

start();
