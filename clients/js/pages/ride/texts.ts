/** What Ride says, in each language. */

import { languagesOf, type Language as Spoken } from "../common/language.ts";
import { ride as en } from "./en.ts";
import { ride as zh } from "./zh.ts";

export const LANGUAGES = languagesOf({ ride: en }, { ride: zh });

export type Language = Spoken<{ readonly ride: typeof en }>;
export type Texts = Language["texts"];
