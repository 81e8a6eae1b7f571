import { afterEach, beforeEach, expect, test, vi } from "vitest";

type Handler = (event: object) => void;

let answers: Handler;
let patience: AbortController;

/** A service worker's scope, with a page that is kept. */
beforeEach(async () => {
  patience = new AbortController();
  const cache = { keys: async () => [], addAll: async () => {}, put: async () => {} };
  vi.spyOn(AbortSignal, "timeout").mockReturnValue(patience.signal);
  vi.stubGlobal("location", { origin: "https://hub.example" });
  vi.stubGlobal("caches", { match: async () => new Response("kept"), open: async () => cache });
  vi.stubGlobal("addEventListener", (type: string, handler: Handler) => {
    if (type === "fetch") answers = handler;
  });
  vi.resetModules();
  await import("../ride/worker.ts");
});

afterEach(() => void vi.unstubAllGlobals());

/** What somebody sees who opens the page. */
async function shown(answer: () => Promise<Response>): Promise<string> {
  vi.stubGlobal("fetch", answer);
  const request = { url: "https://hub.example/ride", method: "GET", mode: "navigate" };
  const told = await new Promise<Response>((respondWith) =>
    answers({ request, respondWith, waitUntil: () => {} }),
  );
  return told.text();
}

/** Its head has come, and the beginning of its body. */
async function slow(): Promise<Response> {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("<!doc"));
      patience.signal.onabort = () => controller.error(patience.signal.reason);
    },
  });
  setTimeout(() => patience.abort());
  return new Response(body);
}

test.each([
  ["a network that fails", async () => Promise.reject(new TypeError("network error"))],
  ["a page of which the rest does not come in time", slow],
  ["no hub behind the gateway", async () => new Response("later", { status: 503 })],
  ["too many from one address", async () => new Response("later", { status: 429 })],
])("%s: the page that is kept", async (_, answer) => {
  expect(await shown(answer)).toBe("kept");
});

test.each([200, 403, 404])("%i is an answer", async (status) => {
  expect(await shown(async () => new Response("told", { status }))).toBe("told");
});
