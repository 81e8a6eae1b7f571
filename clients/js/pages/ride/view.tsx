/** What the page shows a rider. */

import { distance, type LatLng, type wire } from "../../src/index.ts";
import type { Formats } from "../common/formats.ts";
import { Bar, Notice } from "../common/parts.tsx";
import { type Action, offered } from "./actions.ts";
import type { Trouble } from "./locator.ts";
import type { Refused } from "./outbox.ts";
import { LANGUAGES, type Language, type Texts } from "./texts.ts";

export type Ending = keyof Texts["ride"]["ended"];

/** Being on the road: what the connection and the phone are like. */
export interface Shift {
  readonly connected: boolean;
  readonly cadence: wire.Cadence;
  /** Fixes that the hub has not got yet, and those that fell out of the buffer. */
  readonly pending: number;
  readonly dropped: number;
  /** The last fix. */
  readonly here: (LatLng & { readonly accuracy: number | undefined }) | undefined;
  readonly trouble: Trouble | undefined;
}

export interface Shown {
  /** Whoever the token says; undefined without one. */
  readonly rider: string | undefined;
  readonly wrongToken: boolean;
  readonly shift: Shift | undefined;
  readonly ending: Ending | undefined;
  /** Undefined until the hub has told them. */
  readonly orders: readonly wire.RiderOrder[] | undefined;
  readonly refused: Refused | undefined;
  readonly language: Language;
  readonly formats: Formats;
  isQueued(action: Action, orderId: string): boolean;
  /** Whether the hub has taken it. */
  isSaid(action: Action, orderId: string): boolean;
  onLanguage(language: Language): void;
  onToken(token: string): void;
  onStart(): void;
  onStop(): void;
  onAction(action: Action, orderId: string): void;
}

export function Page(shown: Shown) {
  const { language, onLanguage, rider, ending } = shown;
  const words = language.texts.ride;
  return (
    <>
      <Bar title={words.title} languages={LANGUAGES} {...{ language, onLanguage }} />
      <main class="ride">
        {ending !== undefined && <Notice kind="bad">{words.ended[ending]}</Notice>}
        {rider === undefined ? <SignIn {...shown} /> : <Duty {...shown} rider={rider} />}
      </main>
    </>
  );
}

function SignIn({ language, wrongToken, onToken }: Shown) {
  const words = language.texts.ride;
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    onToken(String(new FormData(event.target as HTMLFormElement).get("token") ?? ""));
  };
  return (
    <form class="card" onSubmit={send}>
      <h1>{words.signIn}</h1>
      <label for="token">{words.token}</label>
      <input
        id="token"
        name="token"
        type="password"
        autocomplete="off"
        required
        aria-describedby="token-help"
        aria-invalid={wrongToken}
      />
      <p id="token-help" class={wrongToken ? "failed" : "soft"}>
        {wrongToken ? words.tokenWrong : words.tokenHelp}
      </p>
      <button type="submit" class="button main">
        {words.signIn}
      </button>
    </form>
  );
}

function Duty(shown: Shown & { readonly rider: string }) {
  const { shift, rider, language, refused, onStart } = shown;
  const words = language.texts.ride;
  if (shift === undefined)
    return (
      <section class="card">
        <h1>{words.hello(rider)}</h1>
        <p class="soft">{words.intro}</p>
        <button type="button" class="button main" onClick={onStart}>
          {words.start}
        </button>
      </section>
    );
  return (
    <>
      <Position {...shown} shift={shift} />
      {refused !== undefined && (
        <Notice kind="bad">
          {words.refusedAction(words.actions[refused.entry.action], refused.detail)}
        </Notice>
      )}
      <Orders {...shown} shift={shift} />
    </>
  );
}

type OnShift = Shown & { readonly shift: Shift };

function Position({ shift, language, formats, onStop }: OnShift) {
  const words = language.texts.ride;
  const { connected, cadence, pending, dropped, here, trouble } = shift;
  return (
    <section class="card position" aria-labelledby="shift">
      <div class="head">
        <h2 id="shift">{words.shift}</h2>
        <button type="button" class="button small" onClick={onStop}>
          {words.stop}
        </button>
      </div>
      <p class={`state ${connected ? "up" : "down"}`} role="status">
        <span class="dot" aria-hidden="true" />
        {connected ? words.connected : words.away}
        {!connected && trouble === undefined && ` ${words.kept}`}
      </p>
      {trouble !== undefined && <Notice kind="bad">{words.noLocation[trouble]}</Notice>}
      <ul class="soft facts">
        {trouble === undefined && (
          <li>
            {here === undefined
              ? words.locating
              : here.accuracy !== undefined && words.accuracy(formats.distance(here.accuracy))}
          </li>
        )}
        {connected && trouble === undefined && (
          <li>
            {words.every(formats.seconds(cadence.seconds))} ({words.reasons[cadence.reason]})
          </li>
        )}
        {!connected && pending > 0 && <li>{words.waiting(formats.number(pending))}</li>}
        {dropped > 0 && <li>{words.lost(formats.number(dropped))}</li>}
      </ul>
    </section>
  );
}

function Orders(shown: OnShift) {
  const { orders, language } = shown;
  const words = language.texts.ride;
  return (
    <section class="orders" aria-labelledby="orders">
      <h1 id="orders">{words.orders}</h1>
      {orders === undefined && <p class="soft">{words.noOrdersYet}</p>}
      {orders?.length === 0 && <p class="soft">{words.noOrders}</p>}
      <ul aria-live="polite">
        {orders?.map((order) => (
          <li key={order.orderId}>
            <OrderCard {...shown} order={order} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What people read out to each other. */
function shortened(orderId: string): string {
  return orderId.slice(-6).toUpperCase();
}

/** Called by a press where it is a number, and nothing but one. */
function Contact({ contact, words }: { contact: string; words: Texts["ride"] }) {
  const isNumber = /^\+?[\d ()-]{5,24}$/.test(contact);
  const text = words.call(contact);
  return (
    <span class="contact">
      {isNumber ? <a href={`tel:${contact.replace(/[^\d+]/g, "")}`}>{text}</a> : text}
    </span>
  );
}

type OfOrder = OnShift & { readonly order: wire.RiderOrder };

function OrderCard(shown: OfOrder) {
  const { order, language, formats, shift } = shown;
  const words = language.texts.ride;
  const { orderId, status, pickup, address } = order;
  const { usual, trouble } = offered(status);
  const far = (place: LatLng) =>
    shift.here === undefined ? "" : formats.distance(distance(shift.here, place));
  const queued = [...usual, ...trouble].some((action) => shown.isQueued(action, orderId));
  return (
    <article class="card order" aria-labelledby={`order-${orderId}`}>
      <div class="head">
        <h2 id={`order-${orderId}`} title={orderId}>
          {words.order(shortened(orderId))}
        </h2>
        <span class="badge">{language.texts.common.statuses[status]}</span>
      </div>
      <dl>
        {pickup !== undefined && far(pickup) !== "" && status !== "ON_DELIVERY" && (
          <div>
            <dt>{words.pickup}</dt>
            <dd class="far">{far(pickup)}</dd>
          </div>
        )}
        <div>
          <dt>{words.door}</dt>
          <dd>
            {address.text}
            {address.contact && <Contact contact={address.contact} {...{ words }} />}
          </dd>
          <dd class="far">{far(address)}</dd>
        </div>
      </dl>
      {status === "RETURNING" && <p>{words.takeBack}</p>}
      {usual.length > 0 && (
        <div class="choices">
          {usual.map((action, n) => (
            <ActionButton {...shown} key={action} action={action} main={n === usual.length - 1} />
          ))}
        </div>
      )}
      {queued && !shift.connected && <p class="soft">{words.queued}</p>}
      {trouble.length > 0 && (
        <details>
          <summary>{words.trouble}</summary>
          <div class="choices">
            {trouble.map((action) => (
              <ActionButton {...shown} key={action} action={action} main={false} />
            ))}
          </div>
        </details>
      )}
    </article>
  );
}

function ActionButton({
  action,
  main,
  order,
  language,
  isQueued,
  isSaid,
  onAction,
}: OfOrder & { readonly action: Action; readonly main: boolean }) {
  const said = isSaid(action, order.orderId);
  const queued = isQueued(action, order.orderId);
  return (
    <button
      type="button"
      class={`button${main ? " main" : ""}`}
      disabled={said || queued}
      aria-busy={queued}
      onClick={() => onAction(action, order.orderId)}
    >
      {language.texts.ride.actions[action]}
      {said && <span aria-hidden="true"> ✓</span>}
    </button>
  );
}
