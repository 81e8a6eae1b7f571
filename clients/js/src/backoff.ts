/** When to come back: full jitter, so that clients who fell together do not return together. */

/** A number in [0, 1). */
export type Chance = () => number;

/** The hub's `reconnect {min, max}`, in seconds. */
export interface Window {
  readonly min: number;
  readonly max: number;
}

export const DEFAULT: Window = { min: 0, max: 1 };

/** Seconds: no first guess of the client is longer. A window of the hub may be. */
export const CEILING = 30;

const FLOOR = 1; // an upper bound of zero would double to zero for ever

/** Undefined for what is no window: the client then keeps the one it has. */
export function readWindow(data: unknown): Window | undefined {
  const { min, max } = (data ?? {}) as Partial<Record<string, unknown>>;
  if (typeof min !== "number" || typeof max !== "number") return undefined;
  return Number.isFinite(max) && min >= 0 && min <= max ? { min, max } : undefined;
}

/**
 * Seconds to wait before each attempt, without end.
 *
 * The first is anywhere in `window`; the upper bound then doubles up to `ceiling`, or stays at the
 * window's own if that is higher.
 */
export function* backoff(
  chance: Chance,
  window: Window = DEFAULT,
  ceiling: number = CEILING,
): Generator<number, never> {
  const most = Math.max(ceiling, window.max);
  let reach = window.max;
  while (true) {
    yield window.min + chance() * (reach - window.min);
    reach = Math.min(Math.max(2 * reach, window.min + FLOOR), most);
  }
}
