/**
 * A rider's fixes by POST, one request after the other, where a WebSocket cannot get through.
 *
 * To a session it looks like a socket: answers become acknowledgements and rejections, a refused
 * request the close code that a socket would have seen. What a hub says unasked does not come this
 * way (orders, how often to send, that the rider connected from elsewhere); so it ends by itself
 * now and then, for a socket to be tried again.
 */

import type { Message } from "./codec.ts";
import { CloseCode, closeCodeOf } from "./codes.ts";
import { HubMessageError } from "./errors.ts";
import type { Dial, Link, Listener } from "./link.ts";
import type { Auth, Fix, Fixes, FixMessage, Ping } from "./schema.ts";
import { list, text } from "./updates.ts";
import { FIRST_CADENCE, MAX_FIXES } from "./uplink.ts";

/** A hub says nothing by itself; within this a request is answered. */
const WELCOME: Message = { type: "welcome", hub: "", ping: 15 };

/** Seconds. */
const LASTS = 300;

/** `over` is told before it ends for a socket to be tried. */
export function byPosts(url: string, fetcher: typeof fetch, over: () => void): Dial {
  return (token, listener) => new Posts(url, token, listener, fetcher, over);
}

class Posts implements Link {
  readonly answers = false;
  readonly #url: string;
  #token: string;
  readonly #listener: Listener;
  readonly #fetch: typeof fetch;
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #waiting: Fix[] = [];
  #posting = false;
  #answered = false;

  constructor(
    url: string,
    token: string,
    listener: Listener,
    fetcher: typeof fetch,
    over: () => void,
  ) {
    this.#url = url;
    this.#token = token;
    this.#listener = listener;
    this.#fetch = fetcher;
    this.#timer = setTimeout(() => {
      over();
      this.#end(CloseCode.GOING_AWAY, "a WebSocket is tried again");
    }, LASTS * 1000);
    queueMicrotask(() => {
      this.#tell({ ...FIRST_CADENCE });
      this.#tell(WELCOME);
    });
  }

  send(message: object): void {
    const asked = message as FixMessage | Fixes | Auth | Ping;
    if (asked.type === "auth") this.#token = asked.token;
    else if (asked.type === "fix") this.#put([asked]);
    else if (asked.type === "fixes") this.#put(asked.fixes);
    else if (this.#answered && !this.#posting) queueMicrotask(() => this.#listener.alive());
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #put(fixes: readonly Fix[]): void {
    this.#waiting.push(...fixes);
    if (this.#posting) return;
    void this.#postAll().catch((error: unknown) => {
      // What `fetch` throws for a network that failed; what is no JSON is from no hub.
      if (error instanceof TypeError) this.#end(CloseCode.ABNORMAL, error.message);
      else if (!this.#abort.signal.aborted) this.#listener.failed(error);
    });
  }

  async #postAll(): Promise<void> {
    this.#posting = true;
    try {
      while (this.#waiting.length > 0 && !this.#abort.signal.aborted) {
        await this.#post(this.#waiting.splice(0, MAX_FIXES));
      }
    } finally {
      // Not later than the loop's last look: who was told of the answer may send the next at once.
      this.#posting = false;
    }
  }

  async #post(fixes: readonly Fix[]): Promise<void> {
    const response = await this.#fetch(this.#url, {
      method: "POST",
      headers: { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" },
      body: JSON.stringify({
        fixes: fixes.map(({ type: _, ...fix }: Partial<FixMessage>) => fix),
      }),
      signal: this.#abort.signal,
    });
    if (response.status === 200) this.#judged(fixes, await answerOf(response));
    else this.#end(closeCodeOf(response.status), `HTTP status ${response.status}`);
  }

  /** Each fix that was not rejected is taken: the highest of them acknowledges all. */
  #judged(fixes: readonly Fix[], answer: Message): void {
    if (this.#abort.signal.aborted) return;
    const rejected = list(answer, "rejected");
    const refused = new Set(rejected.map(({ seq }) => seq));
    const taken = fixes.filter(({ seq }) => !refused.has(seq)).at(-1);
    this.#answered = true;
    this.#listener.alive();
    for (const each of rejected)
      this.#tell({ ...each, type: "rejected", reason: text(each, "reason") });
    if (taken !== undefined) this.#tell({ type: "ack", seq: taken.seq });
  }

  #tell(message: Message): void {
    if (!this.#abort.signal.aborted) this.#listener.message(message);
  }

  #end(code: number, reason: string): void {
    if (this.#abort.signal.aborted) return;
    this.close();
    this.#listener.closed(code, reason);
  }
}

async function answerOf(response: Response): Promise<Message> {
  const body = await response.text();
  try {
    return { type: "answer", ...JSON.parse(body) };
  } catch {
    throw new HubMessageError("what answers the fixes is no hub");
  }
}
