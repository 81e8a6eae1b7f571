/** Which language a page speaks: what was chosen before, else the browser's. */

import { common as en } from "./en.ts";
import { device } from "./storage.ts";
import { common as zh } from "./zh.ts";

export interface Language<Texts = unknown> {
  /** BCP 47, also for Intl. */
  readonly tag: string;
  /** What it calls itself. */
  readonly name: string;
  readonly texts: Texts & { readonly common: typeof en };
}

export type Languages<Texts = unknown> = readonly [Language<Texts>, ...Language<Texts>[]];

/** A page's own texts, and what is common to all: no page loads another's. */
export function languagesOf<Texts>(english: Texts, chinese: Texts): Languages<Texts> {
  return [
    { tag: "en", name: "English", texts: { ...english, common: en } },
    { tag: "zh-CN", name: "中文", texts: { ...chinese, common: zh } },
  ];
}

const KEPT = "ordercast.language";

function primary(tag: string): string | undefined {
  return tag.toLowerCase().split("-")[0];
}

/** The first wanted one that there is; English if there is none. */
export function pick<Texts>(there: Languages<Texts>, wanted: readonly string[]): Language<Texts> {
  for (const tag of wanted) {
    const found = there.find((language) => primary(language.tag) === primary(tag));
    if (found !== undefined) return found;
  }
  return there[0];
}

export function preferred<Texts>(there: Languages<Texts>): Language<Texts> {
  const chosen = device.get(KEPT);
  return pick(there, chosen === undefined ? navigator.languages : [chosen, ...navigator.languages]);
}

/** As people write numbers and times where the browser is at home, if it speaks that language. */
export function localeOf(language: Language, browser = navigator.languages): string {
  return browser.find((tag) => primary(tag) === primary(language.tag)) ?? language.tag;
}

/** Keep a choice for next time. */
export function choose(language: Language): void {
  device.set(KEPT, language.tag);
}

/** For screen readers, fonts and hyphenation. */
export function speak(language: Language): void {
  document.documentElement.lang = language.tag;
}
