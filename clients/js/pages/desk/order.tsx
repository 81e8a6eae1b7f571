/** The order that is looked at: what it is, what happened, where its rider is, whether it is proven. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { wire } from "../../src/index.ts";
import { Trouble } from "./exception.tsx";
import type { Opened } from "./opened.ts";
import type { Shown } from "./shown.ts";

type Showing = Shown & { readonly opened: Opened };
type Known = Showing & { readonly order: wire.Snapshot };

const FINAL: ReadonlySet<string> = new Set(["COMPLETED", "CANCELLED", "RETURNED"]);

export function Order(shown: Showing) {
  const { opened, language, close } = shown;
  const { desk } = language.texts;
  const heading = useRef<HTMLHeadingElement>(null);
  // Keyboards and screen readers go on where the new thing is.
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="order" aria-labelledby="order">
      <header>
        <h2 id="order" ref={heading} tabIndex={-1}>
          {opened.orderId}
        </h2>
        <button type="button" class="small" onClick={close}>
          {desk.close}
        </button>
      </header>
      {opened.refused !== undefined ? (
        <p class="alarm" role="alert">
          {opened.refused === "not_found" ? desk.noSuchOrder : opened.refused}
        </p>
      ) : opened.order === undefined ? (
        <p role="status">{desk.looking}</p>
      ) : (
        <Whole {...shown} order={opened.order} />
      )}
    </section>
  );
}

function Whole(shown: Known) {
  const { order } = shown;
  return (
    <>
      <Facts {...shown} />
      {(order.exceptions ?? []).length > 0 && (
        <ul class="rows">
          {order.exceptions?.map((each) => (
            <Trouble key={each.exceptionId} {...shown} exception={each} />
          ))}
        </ul>
      )}
      <Ride {...shown} />
      <Log {...shown} />
      <Proof {...shown} />
    </>
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

function Facts({ order, language, formats }: Known) {
  const { desk, common } = language.texts;
  const { courierStates } = desk;
  return (
    <dl class="facts">
      <Row name={desk.status}>
        <span class={`status ${order.status}`} aria-live="polite">
          {common.statuses[order.status]}
        </span>{" "}
        {order.ready && !FINAL.has(order.status) && <span class="soft">{desk.ready}</span>}
      </Row>
      {order.reason !== undefined && <Row name={desk.reason}>{order.reason}</Row>}
      <Row name={common.map.rider}>
        {order.riderId ?? desk.noRider}{" "}
        <span class="soft">{courierStates[order.courierState]}</span>
      </Row>
      <Row name={common.map.shop}>{order.restaurantId}</Row>
      <Row name={desk.to}>{order.address.text}</Row>
      <Row name={desk.placedAt}>{formats.clock(Date.parse(order.createdAt))}</Row>
      {order.externalId !== undefined && <Row name={desk.externalId}>{order.externalId}</Row>}
      {order.customerId !== undefined && <Row name={desk.customer}>{order.customerId}</Row>}
      <Row name={desk.items}>
        {order.items.map(({ itemId, name, quantity }, n) => (
          <span key={itemId}>
            {n > 0 && ", "}
            {quantity}× <bdi>{name}</bdi>
          </span>
        ))}
      </Row>
    </dl>
  );
}

function Ride(shown: Known) {
  const { order, opened, replay, language } = shown;
  const { desk } = language.texts;
  const over = FINAL.has(order.status);
  return (
    <section class="ride" aria-labelledby="ride">
      <h3 id="ride">{desk.ride}</h3>
      <div class="canvas" ref={replay.attach} />
      {opened.way.length > 1 ? (
        <Player {...shown} />
      ) : (
        <p class="soft">{over ? desk.rideGone : desk.noRide}</p>
      )}
    </section>
  );
}

function Player({ opened: { way }, replay, language, formats }: Known) {
  const { desk } = language.texts;
  const [start, end] = [way[0]?.at ?? 0, way.at(-1)?.at ?? 0];
  const { at, playing } = replay;
  const shown = formats.precise(at ?? end);
  const input = (event: Event) =>
    replay.seek(Number((event.currentTarget as HTMLInputElement).value));
  return (
    <div class="player">
      <button
        type="button"
        class="small"
        onClick={() => (playing ? replay.pause() : replay.play())}
      >
        {playing ? desk.pause : desk.play}
      </button>
      <input
        type="range"
        min={start}
        max={end}
        step={1000}
        value={at ?? end}
        aria-label={desk.moment}
        aria-valuetext={shown}
        onInput={input}
      />
      <output>{at === undefined ? desk.live : shown}</output>
      <button type="button" class="small" disabled={at === undefined} onClick={() => replay.live()}>
        {desk.goLive}
      </button>
    </div>
  );
}

function Log({ opened: { log }, language, formats }: Known) {
  const { desk } = language.texts;
  return (
    <section aria-labelledby="log">
      <h3 id="log">{desk.log}</h3>
      <ol class="log" aria-live="polite" aria-relevant="additions">
        {log.map((each) => (
          <li key={each.seq}>
            <span class="seq">{each.seq}</span>
            <time dateTime={each.timestamp}>{formats.precise(Date.parse(each.timestamp))}</time>
            <span class="name">{desk.events[each.eventType] ?? each.eventType}</span>
            <span class="soft">
              {each.actor.role} <bdi>{each.actor.sub}</bdi>
              {each.exception && ` · ${desk.codes[each.exception.code] ?? each.exception.code}`}
              {each.exception?.resolution &&
                ` · ${desk.outcomes[each.exception.resolution] ?? each.exception.resolution}`}
              {each.reason && " · "}
              <bdi>{each.reason}</bdi>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Proof({ opened: { proof }, language, formats }: Known) {
  const { desk } = language.texts;
  const text = () => {
    if (proof === undefined) return desk.looking;
    if (proof === "none") return desk.noProof;
    const { head, pending } = proof;
    if (head === undefined) return desk.noHead;
    if (pending.length > 0) return desk.pending(formats.number(pending.length));
    return desk.proven(formats.number(head.number), formats.precise(Date.parse(head.at)));
  };
  return (
    <section aria-labelledby="proof">
      <h3 id="proof">{desk.proof}</h3>
      <p class="soft">{text()}</p>
    </section>
  );
}
