/** The whole of the Desk: the sign-in, or the board with the order that is looked at. */

import type { wire } from "../../src/index.ts";
import type { Formats } from "../common/formats.ts";
import type { Language, Texts } from "../common/language.ts";
import { Bar, Notice } from "../common/parts.tsx";
import { Board } from "./board.tsx";
import type { Exception, Opened } from "./opened.ts";
import { Order } from "./order.tsx";
import type { Replay } from "./replay.ts";

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

export function Page(shown: Shown) {
  const { token, opened, language, onLanguage, signOut, trouble } = shown;
  const words = language.texts.desk;
  return (
    <>
      <Bar title={words.title} language={language} onLanguage={onLanguage}>
        {token !== undefined && (
          <button type="button" class="quiet" onClick={() => signOut()}>
            {words.signOut}
          </button>
        )}
      </Bar>
      {token === undefined ? (
        <SignIn {...shown} />
      ) : (
        <main class={opened === undefined ? "desk" : "desk split"}>
          <h1 class="visually-hidden">{words.title}</h1>
          <div class="board">
            {trouble === "lost" && <Notice kind="warn">{words.troubles.lost}</Notice>}
            <Board {...shown} />
          </div>
          {opened !== undefined && <Order key={opened.orderId} {...shown} opened={opened} />}
        </main>
      )}
    </>
  );
}

function SignIn({ trouble, signIn, language }: Shown) {
  const words = language.texts.desk;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("token");
    signIn((field as HTMLInputElement).value.trim());
  };
  return (
    <main class="alone">
      <form class="card sign-in" onSubmit={submit}>
        <h1>{words.signInTitle}</h1>
        <p class="soft" id="about-token">
          {words.aboutToken} <code>ordercast token --role platform</code>
        </p>
        <label for="token">{words.token}</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          aria-describedby="about-token"
        />
        {trouble !== undefined && <Notice kind="bad">{words.troubles[trouble]}</Notice>}
        <button type="submit" class="button main">
          {words.signIn}
        </button>
      </form>
    </main>
  );
}
