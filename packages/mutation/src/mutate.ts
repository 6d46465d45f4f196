import { type CandidateOptions, candidates } from "./candidates.js";
import type { Mutant } from "./mutants.js";
import { type Outcome, Trial, type TrialOptions } from "./trial.js";

export interface Tried {
  readonly file: string;
  readonly mutant: Mutant;
  readonly outcome: Outcome;
}

export interface MutateOptions extends CandidateOptions, TrialOptions {
  /** Runs at the same time. */
  readonly jobs: number;
  /** Told of each as it ends. */
  readonly onTried: (tried: Tried) => void;
}

/**
 * Tries the mutants, after the unaltered files.
 * @throws Error when tests fail, or there are none, before anything was altered
 */
export async function mutate(options: MutateOptions): Promise<Tried[]> {
  const chosen = candidates(options);
  const trial = new Trial(options, chosen);
  const tried: Tried[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < chosen.length; index = next++) {
      const candidate = chosen[index];
      if (candidate === undefined) return;
      const outcome = await trial.outcomeOf(candidate);
      const end = { file: candidate.source.path, mutant: candidate.mutant, outcome };
      tried[index] = end;
      options.onTried(end);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return tried;
}
