import { type Equivalent } from "./equivalents.js";
import { type Mutant } from "./mutants.js";
import type { SourceFile } from "./source-files.js";
/** What became of a mutant; one that is timed out was noticed, too: `npm test` would not have ended. */
export type Outcome = "killed" | "timed out" | "survived" | "equivalent";
export interface Tried {
    readonly file: string;
    readonly mutant: Mutant;
    readonly outcome: Outcome;
}
export interface MutateOptions {
    /** Directory of the repository. */
    readonly root: string;
    readonly files: readonly SourceFile[];
    /** Mutants that are known to do the same, and are not tried. */
    readonly equivalents: readonly Equivalent[];
    readonly seed: string;
    /** How many are tried at most. */
    readonly max: number;
    /** Whether only lines are altered that cite a rule, or are part of what does. */
    readonly ruleLines: boolean;
    /** Runs at the same time. */
    readonly jobs: number;
    /** Milliseconds of one run at least; more where the unaltered tests take more than a third of that. */
    readonly limit: number;
    /** Told of each as it ends. */
    readonly onTried: (tried: Tried) => void;
}
interface Candidate {
    readonly source: SourceFile;
    readonly mutant: Mutant;
}
/** The mutants that these options choose, in the order of their files. */
export declare function candidates({ root, files, seed, max, ruleLines }: MutateOptions): Candidate[];
/**
 * Tries the mutants, after the unaltered files.
 * @throws Error when tests fail, or there are none, before anything was altered
 */
export declare function mutate(options: MutateOptions): Promise<Tried[]>;
export {};
