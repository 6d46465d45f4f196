import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Mutant, mutantsOf } from "./mutants.js";
import { sample } from "./sample.js";
import type { SourceFile } from "./source-files.js";

export interface CandidateOptions {
  /** Directory of the repository. */
  readonly root: string;
  readonly files: readonly SourceFile[];
  readonly seed: string;
  /** How many are tried at most. */
  readonly max: number;
  /** Whether only lines are altered that cite a rule, or are part of what does. */
  readonly ruleLines: boolean;
}

/** A mutant that is to be tried. */
export interface Candidate {
  readonly source: SourceFile;
  readonly mutant: Mutant;
}

/** The mutants that these options choose, in the order of their files. */
export function candidates({ root, files, seed, max, ruleLines }: CandidateOptions): Candidate[] {
  const all = files.flatMap((source) =>
    mutantsOf(readFileSync(join(root, source.path), "utf8")).map((mutant) => ({ source, mutant })),
  );
  const chosen = ruleLines ? all.filter(({ mutant }) => mutant.rules.length > 0) : all;
  return sample(chosen, ({ source, mutant }) => `${source.path} ${mutant.lineText} ${mutant.change}`, seed, max);
}
