/**
 * A user's conversation with a hub: cursors, repeats, holes. No I/O.
 *
 * Feed it what happens (`connected`, `receive`, `disconnected`) and send what `outgoing` answers.
 * Per order, what `receive` hands out has no hole and no repeat, whatever became of connections.
 * The Python client has the same in `clients/session.py`; both play `schemas/examples/session`.
 */

import type { Chance } from "./backoff.ts";
import type { Message } from "./codec.ts";
import type { After, Snapshot, Subscribe, Unsubscribe } from "./schema.ts";
import {
  type Event,
  list,
  object,
  optionalText,
  readEstimate,
  readEvent,
  readNotice,
  readPosition,
  readSnapshot,
  text,
  time,
  type Update,
} from "./updates.ts";

/** The last event seen of an order: enough to go on after it, also in another page. */
export type Cursor = Readonly<After>;
export type Crs = "wgs84" | "gcj02";

export interface SubscribeOptions {
  /** Every event since then is told first. */
  readonly after?: Cursor | undefined;
  /** Of the coordinates that are told. */
  readonly crs?: Crs | undefined;
}

/** Seconds after which an unanswered `subscribe` is sent again. */
export const ANSWER_WITHIN = 30;

/** Seconds, at least and at most, before a subscription the hub could not serve is asked anew. */
export const ASK_AGAIN = [1, 5] as const;

const NEVER = Number.POSITIVE_INFINITY;
const AT_ONCE = Number.NEGATIVE_INFINITY;
const NEW_COURIER = new Set<string>(["courier.assigned", "courier.unassigned"]);

class WatchedOrder {
  readonly orderId: string;
  readonly crs: Crs;
  cursor: Cursor | undefined;
  /** The id of the subscription under way. Undefined: it is live, or not yet asked for. */
  request: number | undefined;
  askAt = AT_ONCE;
  /** The newest position's time: no older one follows it. */
  seenAt = AT_ONCE;

  constructor(orderId: string, { after, crs }: SubscribeOptions) {
    this.orderId = orderId;
    this.cursor = after;
    this.crs = crs ?? "wgs84";
  }

  get live(): boolean {
    return this.request === undefined && this.askAt === NEVER;
  }

  askAnew(): void {
    this.request = undefined;
    this.askAt = AT_ONCE;
  }
}

/** `now` is any clock that only goes forward, seconds. One that `stays` never ends. */
export class UserSession {
  /** Whether orders were watched and none is left: all finished, refused or given up. */
  ended = false;

  readonly #chance: Chance;
  readonly #stays: boolean;
  readonly #orders = new Map<string, WatchedOrder>();
  #farewells: Unsubscribe[] = [];
  #connected = false;
  #lastId = 0;
  readonly #handlers = new Map<string, (message: Message, now: number) => Update[]>([
    ["subscribed", (message) => this.#subscribed(message)],
    ["event", (message) => this.#event(message)],
    ["position", (message) => this.#position(message)],
    ["estimate", (message) => this.#estimate(message)],
    ["unsubscribed", (message) => this.#unsubscribed(message)],
    ["error", (message, now) => this.#error(message, now)],
    ["notice", (message) => this.#notice(message)],
  ]);

  constructor(chance: Chance, stays = false) {
    this.#chance = chance;
    this.#stays = stays;
  }

  /** Where each order that is still watched stands. */
  get orders(): ReadonlyMap<string, Cursor | undefined> {
    return new Map(Array.from(this.#orders.values(), (order) => [order.orderId, order.cursor]));
  }

  /** Watch an order. `after` goes on where another session stood. */
  subscribe(orderId: string, options: SubscribeOptions = {}): void {
    if (this.#orders.has(orderId)) return;
    this.#orders.set(orderId, new WatchedOrder(orderId, options));
    this.ended = false;
  }

  unsubscribe(orderId: string): void {
    if (!this.#orders.has(orderId)) return;
    this.#drop(orderId);
    if (this.#connected) this.#farewells.push({ type: "unsubscribe", id: ++this.#lastId, orderId });
  }

  /** The hub has taken the token: everything watched is to be asked for again. */
  connected(): void {
    this.#connected = true;
    for (const order of this.#orders.values()) order.askAnew();
  }

  disconnected(): void {
    this.#connected = false;
    this.#farewells = [];
  }

  /** When `outgoing` will have something to say; minus infinity for now. */
  due(): number {
    if (!this.#connected) return NEVER;
    if (this.#farewells.length > 0) return AT_ONCE;
    return Math.min(NEVER, ...Array.from(this.#orders.values(), (order) => order.askAt));
  }

  /** The messages to send, in order. Each is handed out once. */
  outgoing(now: number): (Subscribe | Unsubscribe)[] {
    if (!this.#connected) return [];
    const farewells = this.#farewells;
    this.#farewells = [];
    const due = [...this.#orders.values()].filter((order) => order.askAt <= now);
    return [...farewells, ...due.map((order) => this.#ask(order, now))];
  }

  /**
   * One decoded message of the hub. Unknown types are for newer clients: nothing follows.
   *
   * Throws HubMessageError if it lacks what its type must have.
   */
  receive(message: Message, now: number): Update[] {
    return this.#handlers.get(message.type)?.(message, now) ?? [];
  }

  #ask(order: WatchedOrder, now: number): Subscribe {
    order.request ??= ++this.#lastId;
    order.askAt = now + ANSWER_WITHIN;
    return {
      type: "subscribe",
      id: order.request,
      orderId: order.orderId,
      ...(order.cursor && { after: order.cursor }),
      ...(order.crs !== "wgs84" && { crs: order.crs }),
    };
  }

  #drop(orderId: string): void {
    this.#orders.delete(orderId);
    this.ended = this.#orders.size === 0 && !this.#stays;
  }

  #subscribed(message: Message): Update[] {
    const order = this.#orders.get(text(message, "orderId"));
    if (order?.request === undefined || message["id"] !== order.request) return [];
    const events = list(message, "events").map(readEvent);
    const snapshot = readSnapshot(object(message, "snapshot"));
    // What is said to be whole and is not counts as its snapshot alone.
    const missed = message["recovered"] === true ? missedOf(order, events, snapshot) : undefined;
    order.cursor = { epoch: snapshot.epoch, seq: snapshot.seq };
    order.request = undefined;
    order.askAt = NEVER;
    order.seenAt = snapshot.position ? Date.parse(snapshot.position.at) : AT_ONCE;
    const { orderId } = order;
    const recovered = missed !== undefined;
    return [...(missed ?? []), { type: "snapshot", orderId, recovered, snapshot }];
  }

  #event(message: Message): Update[] {
    const order = this.#orders.get(text(message, "orderId"));
    if (!order?.live || order.cursor === undefined) return []; // the answer to `subscribe` has it
    const event = readEvent(message);
    const { epoch, seq } = order.cursor;
    if (event.epoch === epoch && event.seq <= seq) return [];
    if (event.epoch !== epoch || event.seq !== seq + 1) {
      order.askAnew();
      return [];
    }
    order.cursor = { epoch, seq: event.seq };
    if (NEW_COURIER.has(event.eventType)) order.seenAt = AT_ONCE;
    return [event];
  }

  #position(message: Message): Update[] {
    const order = this.#orders.get(text(message, "orderId"));
    if (!order?.live) return [];
    const position = readPosition(message);
    const at = time(message, "at");
    if (at < order.seenAt) return [];
    order.seenAt = at;
    return [position];
  }

  #estimate(message: Message): Update[] {
    const order = this.#orders.get(text(message, "orderId"));
    return order?.live ? [readEstimate(message)] : [];
  }

  #unsubscribed(message: Message): Update[] {
    const order = this.#orders.get(text(message, "orderId"));
    const reason = optionalText(message, "reason");
    if (order === undefined || reason === undefined) return []; // the answer to our `unsubscribe`
    const { orderId } = order;
    if (reason === "finished") {
      this.#drop(orderId);
      return [{ type: "finished", orderId }];
    }
    if (reason === "forbidden") {
      this.#drop(orderId);
      return [{ type: "refused", orderId, code: reason, message: "" }];
    }
    order.cursor = undefined; // lost: what we know is worth nothing to the hub
    order.askAnew();
    return [];
  }

  #error(message: Message, now: number): Update[] {
    const notice = readNotice(message);
    const id = message["id"];
    const order = [...this.#orders.values()].find(
      ({ request }) => id !== undefined && request === id,
    );
    if (order === undefined) return [notice];
    if (notice.code === "unavailable") {
      const [least, most] = ASK_AGAIN;
      order.askAt = now + least + this.#chance() * (most - least);
      return [];
    }
    this.#drop(order.orderId);
    return [{ ...notice, type: "refused", orderId: order.orderId }];
  }

  #notice(message: Message): Update[] {
    const notice = readNotice(message);
    if (notice.code === "recovered") {
      for (const order of this.#orders.values()) {
        if (!order.live) order.askAt = AT_ONCE; // no need to wait longer
      }
    }
    return [notice];
  }
}

/** The events from our cursor to the snapshot; undefined if one is missing. */
function missedOf(order: WatchedOrder, events: Event[], snapshot: Snapshot): Event[] | undefined {
  const { cursor } = order;
  if (cursor?.epoch !== snapshot.epoch || snapshot.seq < cursor.seq) return undefined;
  const missed = events.filter((event) => event.seq > cursor.seq);
  const whole =
    missed.length === snapshot.seq - cursor.seq &&
    missed.every(({ epoch, seq }, at) => epoch === cursor.epoch && seq === cursor.seq + 1 + at);
  return whole ? missed : undefined;
}
