/** What the two clients share: a connection that is kept, an inbox to read from. */

import type { Connection } from "./connection.ts";
import type { Inbox } from "./inbox.ts";
import { followPage } from "./page.ts";

/** Iterating reads it, and throws what ended it. Leaving the loop closes it. */
export abstract class SocketClient<T> implements AsyncIterable<T> {
  /** Settles when the client has ended, and then says why: undefined, or what was thrown. */
  readonly ended: Promise<unknown>;

  readonly #connection: Connection<T>;
  readonly #inbox: Inbox<T>;
  readonly #pauseWhenHidden: number | undefined;
  #settle!: (error: unknown) => void;
  #stop: (() => void) | undefined;

  protected constructor(connection: Connection<T>, inbox: Inbox<T>, pauseWhenHidden?: number) {
    this.#connection = connection;
    this.#inbox = inbox;
    this.#pauseWhenHidden = pauseWhenHidden;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get connected(): boolean {
    return this.#connection.up;
  }

  /** Open it. Iterating does that too. */
  connect(): this {
    if (this.#stop === undefined) {
      this.#stop = followPage(this.#connection, this.#pauseWhenHidden);
      this.#connection.run().then(
        () => this.end(undefined),
        (error: unknown) => this.end(error),
      );
    }
    return this;
  }

  /** Close it and end the iteration; may be called again. */
  close(): void {
    this.#connection.close();
    this.end(undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    this.connect();
    return {
      next: () => this.#inbox.next(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** Only the first call counts: closing does not hide what ended the client before. */
  protected end(error: unknown): void {
    this.#stop?.();
    this.#inbox.close(error);
    this.#settle(error);
  }
}
