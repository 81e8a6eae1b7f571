/** The Ride page: a rider's phone tells where it is, and the rider what was done. `/ride#TOKEN` */

import { render } from "preact";
import { CloseCode, ClosedError, type FixInput, RiderClient, type wire } from "../../src/index.ts";
import { claimsOf, tokenOf } from "../common/credentials.ts";
import { formatsOf } from "../common/formats.ts";
import { request } from "../common/http.ts";
import { choose, localeOf, preferred, speak } from "../common/language.ts";
import { device, tab } from "../common/storage.ts";
import type { Action } from "./actions.ts";
import { locate, stayAwake, type Trouble } from "./locator.ts";
import { Outbox } from "./outbox.ts";
import { LANGUAGES, type Language } from "./texts.ts";
import { type Ending, Page, type Shift } from "./view.tsx";
import "./ride.css";

const ON_SHIFT = "ordercast.ride.shift";
const ORDERS = "ordercast.ride.orders";
/** Seconds of a phone's silence after which it is asked where it is: the hub waits for 30. */
const SILENCE = 20;

const page = document.getElementById("page") as HTMLElement;
const token = tokenOf(location.hash);
const claims = token === undefined ? undefined : claimsOf(token);
const riderId = claims?.role === "rider" ? claims.sub : undefined;
const outbox = new Outbox({
  name: `ordercast.ride.said.${riderId ?? ""}`,
  storage: device,
  send: (call) => request(token ?? "", call),
  onChange: paint,
  onTaken: ({ action, orderId }) => said.add(`${action} ${orderId}`),
});
/** What the hub has taken, by action and order; for as long as the page is open. */
const said = new Set<string>();

let language: Language = preferred(LANGUAGES);
let formats = formatsOf(localeOf(language));
let client: RiderClient | undefined;
let stop: (() => void) | undefined;
/** As they were last told; undefined before that. */
let orders: readonly wire.RiderOrder[] | undefined;
let here: Shift["here"];
let trouble: Trouble | undefined;
let ending: Ending | undefined;

function paint(): void {
  render(
    <Page
      rider={riderId}
      wrongToken={token !== undefined && riderId === undefined}
      shift={client && shiftOf(client)}
      orders={orders}
      refused={outbox.refused}
      isQueued={(action, orderId) => outbox.has(action, orderId)}
      isSaid={(action, orderId) => said.has(`${action} ${orderId}`)}
      onToken={(entered) => {
        location.hash = encodeURIComponent(entered.trim());
      }}
      onStart={start}
      onStop={end}
      {...{ ending, language, formats, onLanguage, onAction }}
    />,
    page,
  );
  document.title = language.texts.ride.title;
}

function shiftOf({ connected, cadence, pending, dropped }: RiderClient): Shift {
  return { connected: connected && navigator.onLine, cadence, pending, dropped, here, trouble };
}

function onLanguage(chosen: Language): void {
  choose(chosen);
  setLanguage(chosen);
}

function setLanguage(chosen: Language): void {
  language = chosen;
  formats = formatsOf(localeOf(chosen));
  speak(chosen);
  paint();
}

function onAction(action: Action, orderId: string): void {
  outbox.add(action, orderId, Date.now());
}

function start(): void {
  if (riderId === undefined || token === undefined || client !== undefined) return;
  ending = undefined;
  orders = keptOrders();
  tab.set(ON_SHIFT, riderId);
  const rider = new RiderClient(location.origin, riderId, token, {
    onConnection: (up) => {
      if (up) outbox.nudge();
      paint();
    },
  });
  client = rider;
  const stopLocating = locate({ onFix, onTrouble }, () => Math.max(SILENCE, rider.cadence.seconds));
  const sleep = stayAwake();
  stop = () => {
    stopLocating();
    sleep();
    rider.close();
  };
  void listen(rider);
  paint();
}

function onFix(fix: FixInput): void {
  if (client === undefined) return;
  trouble = undefined;
  here = { lat: fix.lat, lng: fix.lng, accuracy: fix.accuracy ?? undefined };
  client.send(fix);
  paint();
}

function onTrouble(told: Trouble): void {
  trouble = told;
  paint();
}

async function listen(rider: RiderClient): Promise<void> {
  try {
    for await (const message of rider) {
      if (message.type === "orders") know(message.orders);
      paint();
    }
  } catch (error) {
    ending = endingOf(error);
    end();
  }
}

/** Kept for the shift: a page that is loaded again where there is no network shows where to go. */
function know(told: typeof orders): void {
  orders = told;
  tab.set(ORDERS, told && JSON.stringify({ riderId, told }));
}

function keptOrders(): typeof orders {
  const kept = JSON.parse(tab.get(ORDERS) ?? "{}");
  return kept.riderId === riderId ? kept.told : undefined;
}

function endingOf(error: unknown): Ending {
  if (!(error instanceof ClosedError)) return "failed";
  if (error.code === CloseCode.SUPERSEDED) return "superseded";
  const expired = (claims?.exp ?? Number.POSITIVE_INFINITY) * 1000 < Date.now();
  return expired || error.code === CloseCode.TOKEN_EXPIRED ? "expired" : "refused";
}

/** The shift is over: nothing more is told of the phone's place. */
function end(): void {
  tab.set(ON_SHIFT, undefined);
  stop?.();
  stop = undefined;
  client = undefined;
  here = undefined;
  trouble = undefined;
  know(undefined);
  paint();
}

/** The page itself is kept as well, where the browser can: on a secure origin. */
async function keepPage(): Promise<void> {
  const options = { scope: "/ride", updateViaCache: "none" } as const;
  await navigator.serviceWorker?.register("/pages/ride-worker.js", options).catch(() => undefined);
}

addEventListener("hashchange", () => location.reload());
addEventListener("online", () => {
  outbox.nudge();
  paint();
});
addEventListener("offline", paint);
setLanguage(language);
void outbox.run();
void keepPage();
if (riderId !== undefined && tab.get(ON_SHIFT) === riderId) start();
