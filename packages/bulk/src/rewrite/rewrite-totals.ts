import type { RewriteOutcome, RewrittenObject } from "./rewritten-object.js";

/** What a run comes to. */
export class RewriteTotals {
  readonly #byOutcome = new Map<RewriteOutcome, number>();
  readonly #byCode = new Map<string, number>();
  #keptVersions = 0;

  /** Counts one result. */
  add({ outcome, code, replacedVersionId }: RewrittenObject): void {
    count(this.#byOutcome, outcome);
    if (code !== undefined) count(this.#byCode, code);
    if (replacedVersionId !== undefined) this.#keptVersions += 1;
  }

  /** Objects by what became of them. */
  get byOutcome(): ReadonlyMap<RewriteOutcome, number> {
    return this.#byOutcome;
  }

  /** Objects that were not done, by the code of why. */
  get byCode(): ReadonlyMap<string, number> {
    return this.#byCode;
  }

  /** Versions that were replaced, and keep the old wrap. */
  get keptVersions(): number {
    return this.#keptVersions;
  }

  /** Whether there is nothing that was refused, failed or is unknown. */
  get isAllDone(): boolean {
    return (["refused", "failed", "unknown"] as const).every((outcome) => !this.#byOutcome.has(outcome));
  }

  /** The same as a plain object, for JSON. */
  toJSON(): Readonly<Record<string, unknown>> {
    return {
      byOutcome: Object.fromEntries(this.#byOutcome),
      byCode: Object.fromEntries(this.#byCode),
      keptVersions: this.#keptVersions,
    };
  }
}

function count<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
