/** What Desk says, in each language. */

import { languagesOf, type Language as Spoken } from "../common/language.ts";
import { desk as en } from "./en.ts";
import { desk as zh } from "./zh.ts";

export const LANGUAGES = languagesOf({ desk: en }, { desk: zh });

export type Language = Spoken<{ readonly desk: typeof en }>;
export type Texts = Language["texts"];
