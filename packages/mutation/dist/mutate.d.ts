import { type CandidateOptions } from "./candidates.js";
import type { Mutant } from "./mutants.js";
import { type Outcome, type TrialOptions } from "./trial.js";
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
export declare function mutate(options: MutateOptions): Promise<Tried[]>;
