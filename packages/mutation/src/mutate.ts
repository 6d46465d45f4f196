import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Equivalent, isEquivalent } from "./equivalents.js";
import { type Mutant, mutantsOf, transpiled } from "./mutants.js";
import { runTests } from "./run-tests.js";
import { sample } from "./sample.js";
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

interface Group {
  readonly tests: readonly string[];
  readonly limit: number;
}

/** The mutants that these options choose, in the order of their files. */
export function candidates({ root, files, seed, max, ruleLines }: MutateOptions): Candidate[] {
  const all = files.flatMap((source) =>
    mutantsOf(readFileSync(join(root, source.path), "utf8")).map((mutant) => ({ source, mutant })),
  );
  const chosen = ruleLines ? all.filter(({ mutant }) => mutant.rules.length > 0) : all;
  return sample(chosen, ({ source, mutant }) => `${source.path} ${mutant.lineText} ${mutant.change}`, seed, max);
}

/**
 * Tries the mutants, after the unaltered files.
 * @throws Error when tests fail, or there are none, before anything was altered
 */
export async function mutate(options: MutateOptions): Promise<Tried[]> {
  const chosen = candidates(options);
  const concerned = new Map<string, Promise<Group[]>>();
  const tried: Tried[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < chosen.length; index = next++) {
      const candidate = chosen[index];
      if (candidate === undefined) return;
      const { source, mutant } = candidate;
      const outcome = isEquivalent(options.equivalents, source.path, mutant)
        ? "equivalent"
        : await outcomeOf(candidate, options, concerned);
      tried[index] = { file: source.path, mutant, outcome };
      options.onTried({ file: source.path, mutant, outcome });
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return tried;
}

async function outcomeOf(
  { source, mutant }: Candidate,
  options: MutateOptions,
  concerned: Map<string, Promise<Group[]>>,
): Promise<Outcome> {
  const groups = concerned.get(source.path) ?? concerningTests(source, options);
  concerned.set(source.path, groups);
  for (const { tests, limit } of await groups) {
    const run = { url: source.url, code: mutant.code, tests, root: options.root, limit };
    const { outcome } = await runTests(run);
    if (outcome === "failed") return "killed";
    if (outcome === "timed out") return outcome;
  }
  return "survived";
}

/** Tests that pass, and would not if the file could not be loaded, with what they may take by what they take now. */
async function concerningTests({ path, url, tests: groups }: SourceFile, options: MutateOptions): Promise<Group[]> {
  const { root, limit } = options;
  const code = transpiled(readFileSync(join(root, path), "utf8"));
  const concerning: Group[] = [];
  for (const tests of groups) {
    const start = performance.now();
    const { outcome, output } = await runTests({ url, code, tests, root, limit: 10 * limit });
    if (outcome !== "passed") throw new Error(`Tests of ${path} fail without a mutant (${outcome}):\n${output}`);
    const took = performance.now() - start;
    const broken = await runTests({ url, code: "throw new Error();", tests, root, limit: 10 * limit });
    if (broken.outcome !== "passed") concerning.push({ tests, limit: Math.max(limit, 3 * took) });
  }
  if (concerning.length === 0) throw new Error(`No test loads ${path}: name some that do with --tests.`);
  return concerning;
}
