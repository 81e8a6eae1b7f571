/** What the Desk shows, and what can be done on it. */

import type { wire } from "../../src/index.ts";
import type { Formats } from "../common/formats.ts";
import type { Exception, Opened } from "./opened.ts";
import type { Replay } from "./replay.ts";
import type { Language, Texts } from "./texts.ts";

export type Trouble = keyof Texts["desk"]["troubles"];

export interface Found {
  readonly status: wire.Status | undefined;
  readonly text: string;
  /** Undefined while they are looked for. */
  readonly orders: readonly wire.Order[] | undefined;
  readonly more: boolean;
}

export type Acting =
  | { readonly state: "idle" }
  | { readonly state: "sending"; readonly exceptionId: string }
  | { readonly state: "failed"; readonly exceptionId: string; readonly told: string };

export interface Shown {
  readonly token: string | undefined;
  readonly trouble: Trouble | undefined;
  readonly overview: wire.Overview | undefined;
  readonly exceptions: readonly Exception[];
  readonly found: Found;
  readonly opened: Opened | undefined;
  readonly acting: Acting;
  readonly replay: Replay;
  readonly language: Language;
  readonly formats: Formats;
  /** Milliseconds. */
  readonly now: number;
  onLanguage(language: Language): void;
  signIn(token: string): void;
  signOut(): void;
  search(text: string, status: wire.Status | undefined): void;
  open(orderId: string): void;
  close(): void;
  resolve(exception: Exception, resolution: wire.Resolution): void;
}
