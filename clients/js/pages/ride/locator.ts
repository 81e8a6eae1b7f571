/** Where the phone is: what the browser tells, and a question when it has been silent. */

import type { FixInput } from "../../src/index.ts";

export type Trouble = "denied" | "unavailable" | "unsupported";

export interface Listener {
  onFix(fix: FixInput): void;
  onTrouble(trouble: Trouble): void;
}

const OPTIONS: PositionOptions = { enableHighAccuracy: true, maximumAge: 0, timeout: 30_000 };
const DENIED = 1;

interface Battery {
  readonly level: number;
}

/**
 * Tell each fix. A browser need not tell anything while the phone stands still: after `silence()`
 * seconds it is asked, so that the hub does not think that the rider is lost. Answers how to stop.
 */
export function locate({ onFix, onTrouble }: Listener, silence: () => number): () => void {
  if (!("geolocation" in navigator)) {
    onTrouble("unsupported");
    return () => {};
  }
  let last = Date.now();
  let battery: Battery | undefined;
  void batteryOf(navigator).then((found) => {
    battery = found;
  });
  const told = ({ coords, timestamp }: GeolocationPosition) => {
    last = Date.now();
    const { latitude: lat, longitude: lng, heading, speed, accuracy } = coords;
    onFix({ lat, lng, at: timestamp, heading, speed, accuracy, battery: battery?.level });
  };
  const failed = ({ code }: GeolocationPositionError) =>
    onTrouble(code === DENIED ? "denied" : "unavailable");
  const watch = navigator.geolocation.watchPosition(told, failed, OPTIONS);
  const asking = setInterval(() => {
    if (Date.now() - last < silence() * 1000) return;
    last = Date.now();
    navigator.geolocation.getCurrentPosition(told, failed, OPTIONS);
  }, 1000);
  return () => {
    navigator.geolocation.clearWatch(watch);
    clearInterval(asking);
  };
}

/** Not every browser tells; and it is nobody's loss. */
async function batteryOf(from: Navigator): Promise<Battery | undefined> {
  const { getBattery } = from as Navigator & { getBattery?: () => Promise<Battery> };
  try {
    return await getBattery?.call(from);
  } catch {
    return undefined;
  }
}

/** Keep the screen on while the page is seen; a locked phone tells no position. */
export function stayAwake(): () => void {
  let lock: WakeLockSentinel | undefined;
  let over = false;
  const ask = async () => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    const granted = await navigator.wakeLock.request("screen").catch(() => undefined);
    if (over) void granted?.release();
    else lock = granted;
  };
  document.addEventListener("visibilitychange", ask);
  void ask();
  return () => {
    over = true;
    document.removeEventListener("visibilitychange", ask);
    void lock?.release();
  };
}
