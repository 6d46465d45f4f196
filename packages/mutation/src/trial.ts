import type { Candidate } from "./candidates.js";
import type { Moment } from "./coverage.js";
import { type Equivalent, isEquivalent } from "./equivalents.js";
import type { Journal } from "./journal.js";
import { runTests } from "./run-tests.js";
import type { SourceFile } from "./source-files.js";
import { stagesOf } from "./stages.js";

/** What became of a mutant; one that is timed out was noticed, too: `npm test` would not have ended. */
export type Outcome = "killed" | "timed out" | "survived" | "equivalent";

export interface TrialOptions {
  /** Directory of the repository. */
  readonly root: string;
  /** Mutants that are known to do the same, and are not tried. */
  readonly equivalents: readonly Equivalent[];
  /** Milliseconds of one run at least; more where its tests take more than a third of that, unaltered. */
  readonly limit: number;
  /** What earlier runs found out, and where this one adds to it. */
  readonly journal?: Journal | undefined;
}

/** Tries mutants one by one, each on the tests that executed its place when nothing was altered. */
export class Trial {
  readonly #options: TrialOptions;
  readonly #candidates: readonly Candidate[];
  /** What the unaltered tests executed, by the tests. */
  readonly #moments = new Map<string, Promise<readonly Moment[]>>();
  /** Tests that failed, by the source file that was altered. */
  readonly #killers = new Map<string, string[]>();

  constructor(options: TrialOptions, candidates: readonly Candidate[]) {
    this.#options = options;
    this.#candidates = candidates;
  }

  /** @throws Error when the tests that concern it fail unaltered, or none does */
  async outcomeOf({ source, mutant }: Candidate): Promise<Outcome> {
    const { equivalents, journal, root, limit } = this.#options;
    if (isEquivalent(equivalents, source.path, mutant)) return "equivalent";
    const known = journal?.outcomeOf(source.path, mutant);
    if (known !== undefined) return known;
    const moments = await this.#momentsOf(source);
    if (!moments.some(({ executed }) => executed[source.url] !== undefined)) {
      throw new Error(`No test loads ${source.path}: name some that do with --tests.`);
    }
    const killers = this.#killers.get(source.path) ?? [];
    this.#killers.set(source.path, killers);
    const altered = { url: source.url, code: mutant.code };
    for (const { took, ...order } of stagesOf(source, moments, mutant.at, killers)) {
      const { outcome, failed } = await runTests({ ...order, altered, root, limit: Math.max(limit, 3 * took) });
      if (failed !== undefined) killers.push(failed);
      if (outcome === "passed") continue;
      const noticed = outcome === "failed" ? "killed" : outcome;
      journal?.add(source.path, mutant, noticed);
      return noticed;
    }
    return "survived";
  }

  #momentsOf({ path, tests }: SourceFile): Promise<readonly Moment[]> {
    const known = this.#moments.get(tests.join());
    if (known !== undefined) return known;
    const moments = this.#executedBy(path, tests);
    this.#moments.set(tests.join(), moments);
    return moments;
  }

  async #executedBy(path: string, tests: readonly string[]): Promise<readonly Moment[]> {
    const positions: Record<string, number[]> = {};
    for (const { source, mutant } of this.#candidates) {
      positions[source.url] ??= [];
      positions[source.url]?.push(mutant.at);
    }
    const { root, limit } = this.#options;
    const run = await runTests({ files: tests, positions, root, limit: 60 * limit });
    if (run.outcome === "passed") return run.moments ?? [];
    throw new Error(`Tests of ${path} fail without a mutant (${run.outcome}):\n${run.output}`);
  }
}
