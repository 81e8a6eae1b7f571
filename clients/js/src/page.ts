/** What a browser tells of its page and its network. Elsewhere there is nothing to listen to. */

interface Kept {
  nudge(): void;
  networkChanged(): void;
  pause(): void;
  resume(): void;
}

/**
 * Have a connection come back at once when the page is seen again or the network is back, and let
 * it go after the page was hidden for `pauseAfter` seconds. Answers how to stop that.
 */
export function followPage(kept: Kept, pauseAfter: number | undefined): () => void {
  if (typeof document === "undefined") return () => {};
  const page = document;
  const stop = new AbortController();
  const { signal } = stop;
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const seen = () => {
    clearTimeout(hiding);
    if (page.visibilityState === "visible") {
      kept.resume();
      kept.nudge();
    } else if (pauseAfter !== undefined) {
      hiding = setTimeout(() => kept.pause(), pauseAfter * 1000);
    }
  };
  page.addEventListener("visibilitychange", seen, { signal });
  globalThis.addEventListener("online", () => kept.networkChanged(), { signal });
  return () => {
    clearTimeout(hiding);
    stop.abort();
  };
}
