/** Which way to try next: the first, or the second when the first seems to be blocked. */

/** Failures in a row after which the other way gets one attempt. */
export const SUSPECT = 2;

/** As many, of a way that has worked on this network: then it is rather the hub that is away. */
export const SUSPECT_PROVEN = 10;

export class Routes<T> {
  readonly #ways: readonly [T, ...T[]];
  #failures = 0;
  #proven = false;
  #fallback = false;

  constructor(...ways: readonly [T, ...T[]]) {
    this.#ways = ways;
  }

  next(): T {
    const [first, second] = this.#ways;
    this.#fallback = second !== undefined && this.#failures % (this.#limit + 1) === this.#limit;
    return this.#fallback ? (second as T) : first;
  }

  /** The way that `next` answered last has led to a hub: it is the one to take again. */
  worked(): void {
    this.#proven ||= !this.#fallback;
    this.#failures = this.#fallback ? this.#limit : 0;
  }

  failed(): void {
    this.#failures += 1;
  }

  /** Another network: nothing is known of it. */
  forget(): void {
    this.#failures = 0;
    this.#proven = false;
  }

  get #limit(): number {
    return this.#proven ? SUSPECT_PROVEN : SUSPECT;
  }
}
