/** What a rider said, until the hub has it: kept over lost connections, and over a closed page. */

import { type Call, newKey, ProblemError } from "../common/http.ts";
import type { Kept } from "../common/storage.ts";
import { type Action, callFor } from "./actions.ts";

export interface Entry {
  readonly action: Action;
  readonly orderId: string;
  /** Milliseconds. */
  readonly at: number;
  readonly key: string;
}

export interface Refused {
  readonly entry: Entry;
  readonly detail: string;
}

export interface Options {
  readonly send: (call: Call) => Promise<unknown>;
  readonly storage: Kept;
  /** Where in the storage: each rider's own. */
  readonly name: string;
  /** Something that the page shows has changed. */
  readonly onChange: () => void;
  /** The hub has done it. */
  readonly onTaken: (entry: Entry) => void;
  /** Milliseconds; resolves early on `nudge`. */
  readonly rest?: (milliseconds: number) => Promise<void>;
}

const FIRST_REST = 1000;
const LONGEST_REST = 30_000;

/** Sends entries one by one, in order. An answer that says no is told, and the next one is sent. */
export class Outbox {
  readonly #options: Options;
  #entries: readonly Entry[];
  #running = false;
  #wake: () => void = () => {};
  /** The last one that the hub did not want. */
  refused: Refused | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#entries = stored(options);
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  has(action: Action, orderId: string): boolean {
    return this.#entries.some((entry) => entry.action === action && entry.orderId === orderId);
  }

  add(action: Action, orderId: string, at: number): void {
    if (this.has(action, orderId)) return;
    this.refused = undefined;
    this.#keep([...this.#entries, { action, orderId, at, key: newKey() }]);
    void this.run();
  }

  /** There may be a connection again. */
  nudge(): void {
    this.#wake();
  }

  /** Until nothing is left. */
  async run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    let rest = FIRST_REST;
    for (let entry = this.#entries[0]; entry !== undefined; entry = this.#entries[0]) {
      if (await this.#settled(entry)) {
        rest = FIRST_REST;
        this.#keep(this.#entries.slice(1));
      } else {
        await this.#rest(rest);
        rest = Math.min(rest * 2, LONGEST_REST);
      }
    }
    this.#running = false;
  }

  async #settled(entry: Entry): Promise<boolean> {
    const { action, orderId, at, key } = entry;
    try {
      await this.#options.send({ ...callFor(action, orderId, at), key });
      this.#options.onTaken(entry);
      return true;
    } catch (error) {
      if (!(error instanceof ProblemError) || comesBack(error.status)) return false;
      this.refused = { entry, detail: error.message };
      return true;
    }
  }

  #rest(milliseconds: number): Promise<void> {
    if (this.#options.rest !== undefined) return this.#options.rest(milliseconds);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #keep(entries: readonly Entry[]): void {
    this.#entries = entries;
    this.#options.storage.set(this.#options.name, JSON.stringify(entries));
    this.#options.onChange();
  }
}

/** No answer, too many requests, or the hub's own trouble: the same may do later. */
function comesBack(status: number): boolean {
  return status === 0 || status === 429 || status >= 500;
}

function stored({ storage, name }: Options): Entry[] {
  try {
    const entries: unknown = JSON.parse(storage.get(name) ?? "[]");
    return Array.isArray(entries) ? entries : [];
  } catch {
    return [];
  }
}
