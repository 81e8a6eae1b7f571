/** How everything stands. */

import type { ComponentChildren } from "preact";
import type { wire } from "../../src/index.ts";
import { Trouble } from "./exception.tsx";
import type { Shown } from "./shown.ts";

const LIVE: readonly wire.Status[] = [
  "PENDING",
  "CONFIRMED",
  "PREPARING",
  "ON_DELIVERY",
  "RETURNING",
];

export function Board(shown: Shown) {
  const { overview, language } = shown;
  if (overview === undefined) return <p role="status">{language.texts.common.connecting}</p>;
  const whole = { ...shown, overview };
  return (
    <>
      <Figures {...whole} />
      <Exceptions {...whole} />
      <Orders {...whole} />
      <Webhooks {...whole} />
      <Processes {...whole} />
    </>
  );
}

export type Whole = Shown & { readonly overview: wire.Overview };

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly more?: string | undefined;
  readonly bad?: boolean;
}

function Figure({ name, value, more, bad = false }: FigureProps) {
  return (
    <div class={bad ? "figure bad" : "figure"}>
      <dt>{name}</dt>
      <dd>
        <span class="value">{value}</span>
        {more !== undefined && <span class="more">{more}</span>}
      </dd>
    </div>
  );
}

function sum(counts: { [name: string]: number }): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function Figures({ overview, language, formats, now }: Whole) {
  const { desk } = language.texts;
  const { orders, exceptions, webhooks, hubs } = overview;
  const dead = webhooks.endpoints.reduce(
    (total, { dead }) => total + dead,
    webhooks.callbacks.dead,
  );
  const lags = hubs.flatMap(({ eventLag }) => eventLag?.p99Ms ?? []);
  const entered = (status: wire.Status) => formats.number(orders.entered[status] ?? 0);
  const { oldestAt } = exceptions;
  return (
    <section aria-labelledby="figures">
      <h2 id="figures">{desk.now}</h2>
      <dl class="figures">
        <Figure name={desk.underWay} value={formats.number(sum(orders.live))} />
        <Figure
          name={desk.placed}
          value={entered("PENDING")}
          more={desk.since(formats.clock(Date.parse(orders.since)))}
        />
        <Figure
          name={desk.completed}
          value={entered("COMPLETED")}
          more={desk.cancelledToo(entered("CANCELLED"))}
        />
        <Figure
          name={desk.openExceptions}
          value={formats.number(exceptions.open)}
          more={oldestAt && desk.oldest(formats.ago((now - Date.parse(oldestAt)) / 1000))}
          bad={exceptions.open > 0}
        />
        <Figure name={desk.deadWebhooks} value={formats.number(dead)} bad={dead > 0} />
        <Figure
          name={desk.slowest}
          value={lags.length === 0 ? "–" : formats.number(Math.max(...lags))}
        />
      </dl>
    </section>
  );
}

function Exceptions(shown: Whole) {
  const { exceptions, overview, language, formats } = shown;
  const { desk } = language.texts;
  const hidden = overview.exceptions.open - exceptions.length;
  return (
    <section class="card" aria-labelledby="exceptions">
      <h2 id="exceptions">{desk.openExceptions}</h2>
      {exceptions.length === 0 && <p class="soft">{desk.noExceptions}</p>}
      <ul class="rows">
        {exceptions.map((each) => (
          <Trouble key={each.exceptionId} {...shown} exception={each} linked />
        ))}
      </ul>
      {hidden > 0 && <p class="soft">{desk.andMore(formats.number(hidden))}</p>}
    </section>
  );
}

function Orders(shown: Whole) {
  const { found, overview, language, formats, search } = shown;
  const { desk, common } = language.texts;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("q");
    search((field as HTMLInputElement).value, undefined);
  };
  const choice = (status: wire.Status | undefined, name: string, count: number) => (
    <button
      key={name}
      type="button"
      class="choice"
      aria-pressed={found.text === "" && found.status === status}
      onClick={() => search("", status)}
    >
      {name} <span class="count">{formats.number(count)}</span>
    </button>
  );
  return (
    <section class="card" aria-labelledby="orders">
      <h2 id="orders">{desk.orders}</h2>
      <search>
        <form class="search" onSubmit={submit}>
          <label for="q" class="visually-hidden">
            {desk.searchFor}
          </label>
          <input
            id="q"
            name="q"
            type="search"
            maxLength={64}
            placeholder={desk.searchFor}
            defaultValue={found.text}
          />
          <button type="submit" class="button">
            {desk.search}
          </button>
        </form>
      </search>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for what a form sends */}
      <div class="choices" role="group" aria-label={desk.byStatus}>
        {choice(undefined, desk.all, sum(overview.orders.live))}
        {LIVE.map((each) => choice(each, common.statuses[each], overview.orders.live[each] ?? 0))}
      </div>
      <Results {...shown} />
    </section>
  );
}

function Results({ found, opened, language, formats, now, open }: Whole) {
  const { desk, common } = language.texts;
  const { orders } = found;
  if (orders === undefined) return <p role="status">{desk.looking}</p>;
  return (
    <>
      <p class={orders.length === 0 ? "soft" : "visually-hidden"} role="status">
        {orders.length === 0 ? desk.noOrders : desk.foundOrders(formats.number(orders.length))}
      </p>
      <ul class="rows">
        {orders.map((each) => (
          <li key={each.orderId}>
            <button
              type="button"
              class="row"
              aria-current={opened?.orderId === each.orderId && "true"}
              onClick={() => open(each.orderId)}
            >
              <span class={`status ${each.status}`}>{common.statuses[each.status]}</span>
              <span class="name">{each.externalId ?? each.orderId}</span>
              <span class="soft">{each.restaurantId}</span>
              <span class="soft">{each.riderId ?? desk.noRider}</span>
              <time class="soft" dateTime={each.createdAt}>
                {formats.ago((now - Date.parse(each.createdAt)) / 1000)}
              </time>
            </button>
          </li>
        ))}
      </ul>
      {found.more && <p class="soft">{desk.onlyNewest(formats.number(orders.length))}</p>}
    </>
  );
}

interface TableProps {
  readonly name: string;
  readonly columns: readonly string[];
  readonly children: ComponentChildren;
}

/** On a phone it is wider than the screen: then it scrolls, by keyboard too. */
function Table({ name, columns, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="wide" aria-label={name} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((each, n) => (
              <th key={each} scope="col" class={n === 0 ? "" : "number"}>
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

function Webhooks({ overview, language, formats }: Whole) {
  const { desk } = language.texts;
  const { endpoints, callbacks, registered, unreached } = overview.webhooks;
  const columns = [desk.endpoint, desk.waiting, desk.retrying, desk.dead, desk.held];
  const cells = (counts: wire.DeliveryCounts) =>
    [counts.waiting, counts.retrying, counts.dead, counts.held].map((count, n) => (
      <td key={columns[n + 1]} class={n === 2 && count > 0 ? "number alarm" : "number"}>
        {formats.number(count)}
      </td>
    ));
  return (
    <section class="card" aria-labelledby="webhooks">
      <h2 id="webhooks">{desk.webhooks}</h2>
      {unreached.length > 0 && <p class="alarm">{desk.unreached(unreached.join(", "))}</p>}
      <Table name={desk.tableOf(desk.webhooks)} columns={columns}>
        {endpoints.map((each) => (
          <tr key={each.endpointId}>
            <th scope="row">
              {each.origin} {each.state === "disabled" && <span class="off">{desk.off}</span>}
              <span class="soft">
                <bdi>{each.partner}</bdi> · {each.endpointId}
              </span>
            </th>
            {cells(each)}
          </tr>
        ))}
        <tr>
          <th scope="row">{desk.callbacks}</th>
          {cells(callbacks)}
        </tr>
      </Table>
      {registered > endpoints.length && (
        <p class="soft">{desk.andMore(formats.number(registered - endpoints.length))}</p>
      )}
    </section>
  );
}

function Processes({ overview, language, formats }: Whole) {
  const { desk } = language.texts;
  const { hubs, bridges, workers } = overview;
  const lag = (value: number | undefined) =>
    value === undefined ? "–" : desk.milliseconds(formats.number(value));
  return (
    <section class="card" aria-labelledby="processes">
      <h2 id="processes">{desk.processes}</h2>
      <p class={bridges.length * workers.length === 0 ? "alarm" : "soft"}>
        {desk.others(formats.number(bridges.length), formats.number(workers.length))}
      </p>
      <Table
        name={desk.tableOf(desk.processes)}
        columns={[desk.hub, desk.sockets, desk.watched, "p50", "p99"]}
      >
        {hubs.map(({ hub, sockets = 0, feeds = 0, eventLag }) => (
          <tr key={hub}>
            <th scope="row">{hub}</th>
            <td class="number">{formats.number(sockets)}</td>
            <td class="number">{formats.number(feeds)}</td>
            <td class="number">{lag(eventLag?.p50Ms)}</td>
            <td class="number">{lag(eventLag?.p99Ms)}</td>
          </tr>
        ))}
      </Table>
      <p class="soft">{desk.aboutLag}</p>
    </section>
  );
}
