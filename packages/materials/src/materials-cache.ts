export interface CacheBounds {
  readonly maxAgeMs: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly maxEntries: number;
}

interface Entry<Materials> {
  readonly materials: Promise<Materials>;
  /** Those, once they are there. */
  loaded: Materials | undefined;
  readonly since: number;
  messages: number;
  bytes: number;
}

/** Remembers what was loaded until a bound is reached; callers that ask at the same time share one load. */
export class MaterialsCache<Materials> {
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry<Materials>>();
  readonly #bounds: CacheBounds;
  readonly #now: () => number;

  constructor(bounds: CacheBounds, now: () => number) {
    this.#bounds = bounds;
    this.#now = now;
  }

  /** Counts before it waits, so that no number of concurrent callers passes a bound. */
  take(key: string, bytes: number, load: () => Promise<Materials>): Promise<Materials> {
    const entry = this.#usable(key, bytes) ?? this.#load(key, load);
    entry.messages += 1;
    entry.bytes += bytes;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#bounds.maxEntries && oldest !== undefined) this.#entries.delete(oldest);
    return entry.materials;
  }

  /** Forgets what was loaded and is one of these. */
  forget(isOne: (materials: Materials) => boolean): void {
    for (const [key, { loaded }] of this.#entries) {
      if (loaded !== undefined && isOne(loaded)) this.#entries.delete(key);
    }
  }

  clear(): void {
    this.#entries.clear();
  }

  #usable(key: string, bytes: number): Entry<Materials> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#isOld(entry)) return undefined;
    const { maxMessages, maxBytes } = this.#bounds;
    return entry.messages < maxMessages && entry.bytes + bytes <= maxBytes ? entry : undefined;
  }

  #load(key: string, load: () => Promise<Materials>): Entry<Materials> {
    // A miss costs a call to a key store anyway: the moment to let go of keys that are too old to be used.
    for (const [other, entry] of this.#entries) if (this.#isOld(entry)) this.#entries.delete(other);
    const entry: Entry<Materials> = { materials: load(), loaded: undefined, since: this.#now(), messages: 0, bytes: 0 };
    entry.materials.then(
      (materials) => {
        entry.loaded = materials;
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    return entry;
  }

  #isOld({ since }: Entry<Materials>): boolean {
    return this.#now() - since >= this.#bounds.maxAgeMs;
  }
}
