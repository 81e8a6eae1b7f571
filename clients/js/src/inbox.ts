/** What has come and was not yet read. Events wait their turn; of positions only the newest. */

interface Slot<T> {
  item: T;
  readonly key: string | undefined;
}

interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

export interface InboxRules<T> {
  /** What an item replaces: one with the same key that still waits gives its place to it. */
  newestOf(item: T): string | undefined;
  /** Keys whose waiting items are replaced no longer: what comes later stands behind this item. */
  fenceOf?(item: T): readonly string[];
  /** Beyond it the oldest are left out. */
  readonly limit?: number;
}

export class Inbox<T> {
  readonly #rules: InboxRules<T>;
  #slots: Slot<T>[] = [];
  readonly #replaceable = new Map<string, Slot<T>>();
  #readers: Waiting<T>[] = [];
  #end: { error: unknown } | undefined;

  constructor(rules: InboxRules<T>) {
    this.#rules = rules;
  }

  put(item: T): void {
    const key = this.#rules.newestOf(item);
    const waiting = key === undefined ? undefined : this.#replaceable.get(key);
    if (waiting !== undefined) {
      waiting.item = item;
      return;
    }
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: item });
      return;
    }
    for (const fenced of this.#rules.fenceOf?.(item) ?? []) this.#replaceable.delete(fenced);
    const slot = { item, key };
    if (key !== undefined) this.#replaceable.set(key, slot);
    this.#slots.push(slot);
    if (this.#slots.length > (this.#rules.limit ?? Number.POSITIVE_INFINITY)) this.#take();
  }

  /** Nothing more will come; `error` is thrown to the reader after what still waits. Once only. */
  close(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    for (const reader of this.#readers.splice(0)) this.#finish(reader, this.#end.error);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      const slot = this.#take();
      if (slot !== undefined) resolve({ done: false, value: slot.item });
      else if (this.#end !== undefined) this.#finish({ resolve, reject }, this.#end.error);
      else this.#readers.push({ resolve, reject });
    });
  }

  #finish(reader: Waiting<T>, error: unknown): void {
    if (error === undefined) reader.resolve({ done: true, value: undefined });
    else reader.reject(error);
  }

  #take(): Slot<T> | undefined {
    const slot = this.#slots.shift();
    if (slot?.key !== undefined && this.#replaceable.get(slot.key) === slot) {
      this.#replaceable.delete(slot.key);
    }
    return slot;
  }
}
