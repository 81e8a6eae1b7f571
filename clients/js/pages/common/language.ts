/** Which language a page speaks: what was chosen before, else the browser's. */

import { en } from "./en.ts";
import { device } from "./storage.ts";
import { zh } from "./zh.ts";

export type Texts = typeof en;

export interface Language {
  /** BCP 47, also for Intl. */
  readonly tag: string;
  /** What it calls itself. */
  readonly name: string;
  readonly texts: Texts;
}

export const LANGUAGES: readonly [Language, ...Language[]] = [
  { tag: "en", name: "English", texts: en },
  { tag: "zh-CN", name: "中文", texts: zh },
];

const KEPT = "ordercast.language";

function primary(tag: string): string | undefined {
  return tag.toLowerCase().split("-")[0];
}

/** The first wanted one that there is; English if there is none. */
export function pick(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const found = LANGUAGES.find((language) => primary(language.tag) === primary(tag));
    if (found !== undefined) return found;
  }
  return LANGUAGES[0];
}

export function preferred(): Language {
  const chosen = device.get(KEPT);
  return pick(chosen === undefined ? navigator.languages : [chosen, ...navigator.languages]);
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
