/** An open exception, and what may be done about it. */

import { useState } from "preact/hooks";
import type { wire } from "../../src/index.ts";
import type { Exception } from "./opened.ts";
import type { Shown } from "./shown.ts";

interface TroubleProps extends Shown {
  readonly exception: Exception;
  /** Whether it leads to its order. */
  readonly linked?: boolean;
}

/** The first goes on with the order, the second cancels it. */
function choicesOf({ code }: Exception): readonly [wire.Resolution, wire.Resolution] {
  return code === "ITEM_SOLD_OUT" ? ["accepted", "declined"] : ["resolved", "cancelled"];
}

export function Trouble(shown: TroubleProps) {
  const { exception, linked = false, acting, language, formats, now, open } = shown;
  const { desk } = language.texts;
  const { code, orderId, openedAt, detail, exceptionId } = exception;
  const failed = acting.state === "failed" && acting.exceptionId === exceptionId;
  return (
    <li class="trouble">
      <span class="name">{desk.codes[code] ?? code}</span>
      <time class="soft" dateTime={openedAt}>
        {formats.ago((now - Date.parse(openedAt)) / 1000)}
      </time>
      {linked && (
        <button type="button" class="link" onClick={() => open(orderId)}>
          {orderId}
        </button>
      )}
      {detail !== undefined && <span class="detail">{detail}</span>}
      {failed && (
        <span class="failed" role="alert">
          {language.texts.common.failed} {acting.told}
        </span>
      )}
      <Answers {...shown} />
    </li>
  );
}

function Answers({ exception, acting, language, resolve }: TroubleProps) {
  const { desk } = language.texts;
  const [asking, setAsking] = useState(false);
  const [goOn, cancel] = choicesOf(exception);
  const name = `${desk.codes[exception.code] ?? exception.code}, ${exception.orderId}`;
  const sending = acting.state === "sending" && acting.exceptionId === exception.exceptionId;
  const act = (resolution: wire.Resolution) => () => {
    setAsking(false);
    resolve(exception, resolution);
  };
  const button = (text: string, onClick: () => void, kind = "") => (
    <button
      key={text}
      type="button"
      class={`small ${kind}`}
      disabled={sending}
      aria-label={`${text}: ${name}`}
      onClick={onClick}
    >
      {text}
    </button>
  );
  return (
    <span class="answers">
      {asking
        ? [button(desk.reallyCancel, act(cancel), "bad"), button(desk.keep, () => setAsking(false))]
        : [
            button(desk.resolutions[goOn] ?? goOn, act(goOn)),
            button(desk.resolutions[cancel] ?? cancel, () => setAsking(true)),
          ]}
    </span>
  );
}
