/** One way to a hub, once: a WebSocket, or Server-Sent Events that stand in for it. */

import type { Message } from "./codec.ts";

export interface Link {
  /** Whether a `ping` gets an answer at once. */
  readonly answers: boolean;
  send(message: object): void;
  /** Nothing is told to the listener after it. */
  close(): void;
}

export interface Listener {
  message(message: Message): void;
  /** Something came, be it no whole message. */
  alive(): void;
  closed(code: number, reason: string): void;
  /** What came is from no hub. */
  failed(error: unknown): void;
}

/** Begins to connect. What is wrong is told to `listener`, later. */
export type Dial = (token: string, listener: Listener) => Link;
