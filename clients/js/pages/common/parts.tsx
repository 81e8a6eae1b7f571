/** What stands on every page. */

import type { ComponentChildren } from "preact";
import type { Language, Languages } from "./language.ts";

interface BarProps<Texts> {
  readonly title: string;
  readonly languages: Languages<Texts>;
  readonly language: Language<Texts>;
  readonly onLanguage: (language: Language<Texts>) => void;
  readonly children?: ComponentChildren;
}

/** The banner: what page this is, and the switch of languages. */
export function Bar<Texts>(props: BarProps<Texts>) {
  const { title, languages, language, onLanguage, children } = props;
  return (
    <header class="bar">
      <span class="bar-title">{title}</span>
      {children}
      <nav class="languages" aria-label={language.texts.common.language}>
        {languages.map((each) => (
          <button
            key={each.tag}
            type="button"
            lang={each.tag}
            aria-pressed={each === language}
            onClick={() => onLanguage(each)}
          >
            {each.name}
          </button>
        ))}
      </nav>
    </header>
  );
}

/** Something that is not as it should be. Screen readers are told when it comes. */
export function Notice({ kind, children }: { kind: "warn" | "bad"; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role="status">
      {children}
    </div>
  );
}
