/** A browser's storage, which may be forbidden or full: then nothing is kept, and nothing breaks. */

export interface Kept {
  get(name: string): string | undefined;
  /** Undefined forgets it. */
  set(name: string, value: string | undefined): void;
}

/** `storage` is a function: with storage forbidden, even asking for it throws. */
export function keptIn(storage: () => Storage): Kept {
  return {
    get(name) {
      try {
        return storage().getItem(name) ?? undefined;
      } catch {
        return undefined;
      }
    },
    set(name, value) {
      try {
        if (value === undefined) storage().removeItem(name);
        else storage().setItem(name, value);
      } catch {
        // As said above.
      }
    },
  };
}

/** Kept on this device. */
export const device: Kept = keptIn(() => localStorage);
/** Kept while this tab is open. */
export const tab: Kept = keptIn(() => sessionStorage);
