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

/** As the hub has it now; the one that is kept where it does not answer. */
async function page(event: Event): Promise<Response> {
  const answer = await fetch(PAGE, { signal: AbortSignal.timeout(PATIENCE) }).catch(
    () => undefined,
  );
  if (answer?.ok) (event as Lifetime).waitUntil(keep(answer.clone()));
  if (answer !== undefined && answer.status < 500) return answer;
  return (await caches.match(PAGE, { ignoreVary: true })) ?? answer ?? Response.error();
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
