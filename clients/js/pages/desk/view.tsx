/** The whole of the Desk: the sign-in, or the board with the order that is looked at. */

import { Bar, Notice } from "../common/parts.tsx";
import { Board } from "./board.tsx";
import { Order } from "./order.tsx";
import type { Shown } from "./shown.ts";
import { LANGUAGES } from "./texts.ts";

export function Page(shown: Shown) {
  const { token, opened, language, onLanguage, signOut, trouble } = shown;
  const words = language.texts.desk;
  return (
    <>
      <Bar title={words.title} languages={LANGUAGES} {...{ language, onLanguage }}>
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
