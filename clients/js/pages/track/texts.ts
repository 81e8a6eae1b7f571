/** What Track says, in each language. */

import { languagesOf, type Language as Spoken } from "../common/language.ts";
import { track as en } from "./en.ts";
import { track as zh } from "./zh.ts";

export const LANGUAGES = languagesOf({ track: en }, { track: zh });

export type Language = Spoken<{ readonly track: typeof en }>;
export type Texts = Language["texts"];
