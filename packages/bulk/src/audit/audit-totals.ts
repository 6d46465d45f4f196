import type { Need } from "../key-question/key-question.js";
import type { Readable } from "./audit-reader.js";
import type { AuditedObject, AuditState } from "./audited-object.js";

/** So many objects, and bytes of their plaintext. */
export interface AuditSum {
  /** Objects, or versions. */
  readonly objects: number;
  /** Bytes of plaintext, of those that say. */
  readonly bytes: number;
  /** Objects of which nothing says how long their plaintext is. */
  readonly ofUnknownLength: number;
}

const NOTHING: AuditSum = Object.freeze({ objects: 0, bytes: 0, ofUnknownLength: 0 });

/** What an audit comes to. */
export class AuditTotals {
  readonly #byState = new Map<AuditState, AuditSum>();
  readonly #byFormat = new Map<string, AuditSum>();
  readonly #byWrap = new Map<string, AuditSum>();
  readonly #byNeed = new Map<Need, AuditSum>();
  readonly #byNeedOf = new Map<string, Map<Need, AuditSum>>();
  readonly #byReadable = new Map<Readable, AuditSum>();
  #all = NOTHING;
  #legacyWraps = NOTHING;
  #uncommitted = NOTHING;
  #unauthenticated = NOTHING;

  /** Counts one result. */
  add(audited: AuditedObject): void {
    const { state, format, wraps, isCommitting, isAuthenticated, needsKey, needsKeys = {}, readable } = audited;
    // Nothing of it is stored, and it is no part of the sum.
    if (state === "nothing") {
      count(this.#byState, state, { ...audited, contentLength: 0 });
      return;
    }
    this.#all = plus(this.#all, audited);
    count(this.#byState, state, audited);
    if (needsKey !== undefined) count(this.#byNeed, needsKey, audited);
    for (const [name, need] of Object.entries(needsKeys)) {
      const sums = this.#byNeedOf.get(name) ?? new Map<Need, AuditSum>();
      this.#byNeedOf.set(name, sums);
      count(sums, need, audited);
    }
    if (readable !== undefined) count(this.#byReadable, readable, audited);
    if (state === "encrypted" && format !== undefined) count(this.#byFormat, format, audited);
    if (state === "encrypted") {
      for (const name of new Set(wraps.map(({ wrapAlgorithm }) => wrapAlgorithm))) count(this.#byWrap, name, audited);
      if (wraps.some(({ isLegacy }) => isLegacy)) this.#legacyWraps = plus(this.#legacyWraps, audited);
    }
    if (isCommitting === false) this.#uncommitted = plus(this.#uncommitted, audited);
    if (isAuthenticated === false) this.#unauthenticated = plus(this.#unauthenticated, audited);
  }

  /** All that is there. */
  get all(): AuditSum {
    return this.#all;
  }

  /** By what was found. */
  get byState(): ReadonlyMap<AuditState, AuditSum> {
    return this.#byState;
  }

  /** Of encrypted objects, by their format. */
  get byFormat(): ReadonlyMap<string, AuditSum> {
    return this.#byFormat;
  }

  /** Of encrypted objects, by each wrap that they have: one with several counts for each. */
  get byWrap(): ReadonlyMap<string, AuditSum> {
    return this.#byWrap;
  }

  /** By whether they need the key that was asked about; empty where none was. */
  get byNeed(): ReadonlyMap<Need, AuditSum> {
    return this.#byNeed;
  }

  /** By the name of each key of several, the same. */
  get byNeedOf(): ReadonlyMap<string, ReadonlyMap<Need, AuditSum>> {
    return this.#byNeedOf;
  }

  /** Of encrypted objects, and what may be some, by whether the reader opens them that was asked about; empty where none was. */
  get byReadable(): ReadonlyMap<Readable, AuditSum> {
    return this.#byReadable;
  }

  /** Of encrypted objects, those with a wrap that is not bound to the content's cipher. */
  get legacyWraps(): AuditSum {
    return this.#legacyWraps;
  }

  /** Of encrypted objects, those without key commitment. */
  get uncommitted(): AuditSum {
    return this.#uncommitted;
  }

  /** Of encrypted objects, those whose content has no tag. */
  get unauthenticated(): AuditSum {
    return this.#unauthenticated;
  }

  /** The same as a plain object, for JSON. */
  toJSON(): Readonly<Record<string, unknown>> {
    return {
      ...this.#all,
      byState: Object.fromEntries(this.#byState),
      byFormat: Object.fromEntries(this.#byFormat),
      byWrap: Object.fromEntries(this.#byWrap),
      legacyWraps: this.#legacyWraps,
      uncommitted: this.#uncommitted,
      unauthenticated: this.#unauthenticated,
      ...(this.#byNeed.size === 0 ? {} : { byNeed: Object.fromEntries(this.#byNeed) }),
      ...(this.#byNeedOf.size === 0 ? {} : { byNeedOf: needsOf(this.#byNeedOf) }),
      ...(this.#byReadable.size === 0 ? {} : { byReadable: Object.fromEntries(this.#byReadable) }),
    };
  }
}

function needsOf(byName: ReadonlyMap<string, ReadonlyMap<Need, AuditSum>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...byName].map(([name, sums]) => [name, Object.fromEntries(sums)]));
}

function count<Name>(sums: Map<Name, AuditSum>, name: Name, audited: AuditedObject): void {
  sums.set(name, plus(sums.get(name) ?? NOTHING, audited));
}

/** What is not encrypted is as long as it is stored. */
function plus({ objects, bytes, ofUnknownLength }: AuditSum, audited: AuditedObject): AuditSum {
  const { state, contentLength, storedLength } = audited;
  const length = state === "plain" ? storedLength : state === "encrypted" || state === "message" ? contentLength : 0;
  const isKnown = typeof length === "number";
  return {
    objects: objects + 1,
    bytes: bytes + (isKnown ? length : 0),
    ofUnknownLength: ofUnknownLength + (isKnown ? 0 : 1),
  };
}
