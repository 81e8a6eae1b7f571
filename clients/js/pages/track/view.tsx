/** What the page shows of its order. */

import type { ComponentChildren } from "preact";
import { distance } from "../../src/index.ts";
import type { Formats } from "../common/formats.ts";
import { Bar, Notice } from "../common/parts.tsx";
import {
  ageOf,
  type Estimate,
  type Exception,
  headlineOf,
  isFinal,
  type Order,
  type Step,
  stepsOf,
} from "./order.ts";
import { LANGUAGES, type Language, type Texts } from "./texts.ts";

/** Why there is no order to show. */
export type Refusal = keyof Texts["track"]["refused"];

export interface Link {
  readonly state: "connecting" | "live" | "lost";
  /** When the last message came, in milliseconds. */
  readonly heardAt: number;
  readonly offline: boolean;
  /** The hub's own trouble. */
  readonly degraded: boolean;
}

/** Whether what the hub knows gets here at once. */
export function isLive({ state, offline, degraded }: Link): boolean {
  return state === "live" && !offline && !degraded;
}

export interface Answering {
  readonly state: "idle" | "sending" | "failed";
  answer(exception: Exception, resolution: "accepted" | "declined"): void;
}

export interface Shown {
  readonly orderId: string;
  readonly order: Order | undefined;
  readonly refusal: Refusal | undefined;
  readonly shop: string | undefined;
  readonly link: Link;
  readonly answering: Answering;
  readonly language: Language;
  readonly formats: Formats;
  /** Milliseconds. */
  readonly now: number;
  onLanguage(language: Language): void;
  onMap(element: HTMLElement | null): void;
}

export function Page(shown: Shown) {
  const { language, onLanguage, order, refusal } = shown;
  const words = language.texts.track;
  const kind = order === undefined ? "alone" : "track";
  return (
    <>
      <Bar title={words.title} languages={LANGUAGES} {...{ language, onLanguage }} />
      <main key={kind} class={kind}>
        {order === undefined ? <Nothing {...shown} /> : <Whole {...shown} order={order} />}
        {order !== undefined && refusal !== undefined && (
          <p class="visually-hidden">{words.refused[refusal]}</p>
        )}
      </main>
    </>
  );
}

function Nothing({ refusal, link, language }: Shown) {
  const { common, track } = language.texts;
  if (refusal !== undefined)
    return (
      <section class="card">
        <h1>{track.title}</h1>
        <Notice kind="bad">{track.refused[refusal]}</Notice>
      </section>
    );
  return (
    <section class="card waiting" aria-busy="true">
      <h1>{track.title}</h1>
      <p role="status">{link.offline ? common.offline : common.connecting}</p>
    </section>
  );
}

type Showing = Shown & { readonly order: Order };

function Whole(shown: Showing) {
  const { order, language, onMap } = shown;
  return (
    <>
      <section class="map" aria-label={language.texts.track.map}>
        <div class="canvas" ref={onMap} />
      </section>
      <div class="sheet">
        <Connection {...shown} />
        <Summary {...shown} />
        {order.exceptions.map((each) =>
          each.code === "ITEM_SOLD_OUT" ? (
            <SoldOut key={each.exceptionId} {...shown} exception={each} />
          ) : (
            <Trouble key={each.exceptionId} code={each.code} texts={language.texts} />
          ),
        )}
        <Steps {...shown} />
        <Details {...shown} />
      </div>
    </>
  );
}

function Connection({ link, language, formats, order, refusal }: Showing) {
  const { common, track } = language.texts;
  if (refusal !== undefined) return <Notice kind="bad">{track.refused[refusal]}</Notice>;
  if (isFinal(order.status)) return null;
  if (link.state === "live" && !link.offline)
    return link.degraded ? <Notice kind="warn">{common.degraded}</Notice> : null;
  const what = link.offline ? common.offline : common.reconnecting;
  return (
    <Notice kind="warn">
      {what} {common.shownSince(formats.clock(link.heardAt))}
    </Notice>
  );
}

function Summary(shown: Showing) {
  const { order, language, formats, now } = shown;
  const words = language.texts.track;
  const headline = words.headlines[headlineOf(order)];
  return (
    <section class="summary" aria-labelledby="headline">
      <h1 id="headline">{headline}</h1>
      {isFinal(order.status) || order.status === "RETURNING" ? (
        <Ended {...shown} />
      ) : (
        <Expected estimate={order.estimate} formats={formats} texts={language.texts} now={now} />
      )}
      {order.status === "ON_DELIVERY" && <Rider {...shown} />}
      <p class="visually-hidden" aria-live="polite">
        {announced(headline, order, formats, language.texts)}
      </p>
    </section>
  );
}

/** What a screen reader says when it changes; so it does not depend on the time. */
function announced(headline: string, order: Order, formats: Formats, texts: Texts): string {
  const { estimate } = order;
  if (estimate === undefined) return headline;
  return `${headline}. ${texts.track.arrives} ${whenOf(estimate, formats, texts, 0)}`;
}

/** A window where there is one, else about one time; what has passed is due any minute. */
function whenOf({ from, to }: Estimate, formats: Formats, texts: Texts, now: number): string {
  if (to <= now) return texts.track.anyMinute;
  const start = Math.max(from, now);
  if (from === to || to - start < 60_000) return texts.track.about(formats.clock(to));
  return formats.window(start, to);
}

interface ExpectedProps {
  readonly estimate: Estimate | undefined;
  readonly formats: Formats;
  readonly texts: Texts;
  readonly now: number;
}

function Expected({ estimate, formats, texts, now }: ExpectedProps) {
  if (estimate === undefined) return <p class="soft">{texts.track.noEstimate}</p>;
  const left = Math.ceil((estimate.likely - now) / 60_000);
  return (
    <p class="expected">
      <span class="label">{texts.track.arrives}</span>
      <span class="when">{whenOf(estimate, formats, texts, now)}</span>
      {left > 0 && <span class="soft">{texts.track.within(formats.minutes(left))}</span>}
    </p>
  );
}

function Ended({ order, language, formats }: Showing) {
  const words = language.texts.track;
  const at = order.reached[order.status];
  const reason = order.reason && (words.reasons[order.reason] ?? order.reason);
  return (
    <>
      {at !== undefined && (
        <p class="when">
          {order.status === "RETURNING"
            ? words.sinceThen(formats.clock(at))
            : words.deliveredAt(formats.clock(at))}
        </p>
      )}
      {reason && order.status !== "COMPLETED" && <p class="soft">{reason}</p>}
    </>
  );
}

function Rider({ order, link, language, formats, now }: Showing) {
  const words = language.texts.track;
  const { position, address } = order;
  const dot = <span class="dot" aria-hidden="true" />;
  if (position === undefined)
    return (
      <p class="whereabouts lost">
        {dot}
        {words.noPosition}
      </p>
    );
  const { age, worth } = ageOf(position, now, isLive(link));
  const ago = formats.ago(age);
  const text = { fresh: words.live, stale: words.seen(ago), lost: words.lost(ago) }[worth];
  return (
    <p class={`whereabouts ${worth}`}>
      {dot}
      {text}
      {worth !== "lost" && (
        <span class="away">{words.away(formats.distance(distance(position, address)))}</span>
      )}
    </p>
  );
}

function Trouble({ code, texts }: { code: string; texts: Texts }) {
  const text = texts.track.exceptions[code];
  return text === undefined ? null : <Notice kind="warn">{text}</Notice>;
}

function SoldOut({ order, exception, answering, language }: Showing & { exception: Exception }) {
  const words = language.texts.track.soldOut;
  const gone = new Set(exception.items);
  const [out, rest] = [true, false].map((is) =>
    order.items.filter(({ itemId }) => gone.has(itemId) === is),
  );
  const sending = answering.state === "sending";
  return (
    <section class="card question" aria-labelledby="sold-out" role="alert">
      <h2 id="sold-out">{words.title}</h2>
      <p>{words.gone}</p>
      <Items items={out ?? []} />
      <p>{rest?.length === 0 ? words.nothing : words.rest}</p>
      <Items items={rest ?? []} />
      <p class="soft">{sending ? words.waiting : words.soon}</p>
      {answering.state === "failed" && <p class="failed">{language.texts.common.failed}</p>}
      <div class="choices">
        <button
          type="button"
          class="button main"
          disabled={sending}
          onClick={() => answering.answer(exception, "accepted")}
        >
          {words.accept}
        </button>
        <button
          type="button"
          class="button"
          disabled={sending}
          onClick={() => answering.answer(exception, "declined")}
        >
          {words.decline}
        </button>
      </div>
    </section>
  );
}

function Items({ items }: { items: Order["items"] }) {
  return (
    <ul class="items">
      {items.map(({ itemId, name, quantity }) => (
        <li key={itemId}>
          <span class="quantity">{quantity}×</span> <bdi>{name}</bdi>
        </li>
      ))}
    </ul>
  );
}

function Steps({ order, language, formats }: Showing) {
  const { texts } = language;
  return (
    <section class="card" aria-labelledby="steps">
      <h2 id="steps">{texts.track.steps}</h2>
      <ol class="steps">
        {stepsOf(order).map((step) => (
          <StepRow key={step.status} {...{ step, texts, formats }} />
        ))}
      </ol>
    </section>
  );
}

interface StepProps {
  readonly step: Step;
  readonly texts: Texts;
  readonly formats: Formats;
}

function StepRow({ step: { status, state, at }, texts, formats }: StepProps) {
  const turned = status === "CANCELLED" || status.startsWith("RETURN");
  return (
    <li class={`${state}${turned ? " turned" : ""}`} aria-current={state === "current" && "step"}>
      <svg class="knot" viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="10" r="9" />
        <path d={state === "done" ? "M6 10.300l2.800 2.800L14.200 7.500" : ""} />
      </svg>
      <span class="name">
        {texts.common.statuses[status]}
        {state === "done" && <span class="visually-hidden"> ({texts.track.done})</span>}
      </span>
      {at !== undefined && <time dateTime={new Date(at).toISOString()}>{formats.clock(at)}</time>}
    </li>
  );
}

function Details({ order, orderId, shop, language }: Showing) {
  const words = language.texts.track;
  return (
    <section class="card details" aria-labelledby="details">
      <h2 id="details">{words.details}</h2>
      <dl>
        {shop !== undefined && <Row name={words.from}>{shop}</Row>}
        <Row name={words.to}>{order.address.text}</Row>
        <Row name={words.items}>
          <Items items={order.items} />
        </Row>
        <Row name={words.number}>{orderId}</Row>
      </dl>
    </section>
  );
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
