/**
 * Keeps the rider's page for where there is no network: `/ride` and the files that it names, nothing
 * else. Whatever is under `/v1` goes by as if this were not here. A service worker, of its scope alone.
 */

interface Lifetime extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Asked extends Lifetime {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

const KEPT = "ordercast.ride";
const PAGE = "/ride";
/** Files whose names have their digest: the same name is the same file for ever. */
const FILE = /(?:src|href)="(\/pages\/[^"]+-[\w-]{8}\.\w+)"/g;
/** Milliseconds after which the page that is kept is better than none: there are networks like that. */
const PATIENCE = 4000;

addEventListener("install", (event) => {
  const scope = globalThis as unknown as { skipWaiting(): Promise<void> };
  (event as Lifetime).waitUntil(
    fetch(PAGE)
      .then(keep)
      .then(() => scope.skipWaiting()),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event as Asked;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === PAGE) (event as Asked).respondWith(page(event));
  else if (pathname.startsWith("/pages/")) (event as Asked).respondWith(file(request));
});

/** As the hub has it now; the one that is kept where it does not answer, or says to come later. */
async function page(event: Event): Promise<Response> {
  const answer = await asked().catch(() => undefined);
  if (answer?.ok) (event as Lifetime).waitUntil(keep(answer.clone()));
  const later = answer === undefined || answer.status >= 500 || answer.status === 429;
  if (!later) return answer;
  return (await caches.match(PAGE, { ignoreVary: true })) ?? answer ?? Response.error();
}

/** With its body, the rest of which may be what does not come; where it has moved, the browser goes. */
async function asked(): Promise<Response> {
  const answer = await fetch(PAGE, { redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
  await answer.clone().arrayBuffer();
  return answer;
}

async function file(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

/** A page only with all of its files; then what only an older one needed goes. Throws where it can't. */
async function keep(answer: Response): Promise<void> {
  if (!answer.ok) throw new Error(`no page to keep: ${answer.status}`);
  const cache = await caches.open(KEPT);
  const files = new Set(
    Array.from((await answer.clone().text()).matchAll(FILE), ([, path]) => path),
  );
  const kept = (await cache.keys()).map(({ url }) => new URL(url).pathname);
  await cache.addAll(
    [...files].filter((path) => path !== undefined && !kept.includes(path)) as string[],
  );
  await cache.put(PAGE, answer);
  const old = kept.filter((path) => path !== PAGE && !files.has(path));
  await Promise.all(old.map((path) => cache.delete(path)));
}
