/** The hub's clock: a phone's may be minutes off, and then every age on the page would be. */

/** Milliseconds that are not worth a correction: `Date` tells whole seconds. */
const CLOSE_ENOUGH = 2000;

export class HubClock {
  readonly #local: () => number;
  #ahead = 0;

  constructor(local: () => number = Date.now) {
    this.#local = local;
  }

  /** An answer's `Date` header, to a request that was `sent` then, by our clock. */
  heard(date: string | null, sent: number): void {
    const told = Date.parse(date ?? "") + 500;
    const ahead = (sent + this.#local()) / 2 - told;
    if (Number.isFinite(ahead)) this.#ahead = Math.abs(ahead) < CLOSE_ENOUGH ? 0 : ahead;
  }

  now(): number {
    return this.#local() - this.#ahead;
  }
}
