import type { Moment } from "./coverage.js";
import type { SourceFile } from "./source-files.js";

/** One run of tests over a mutant; it is over when the run fails. */
export interface Stage {
  readonly files: readonly string[];
  /** Names of tests; all of these files' without it. */
  readonly only?: readonly string[];
  /** Milliseconds that these tests took. */
  readonly took: number;
}

/** So few tests, of so few files, that take so few milliseconds are worth a run of their own. */
const [FIRST_TESTS, FIRST_FILES, FIRST_TOOK] = [8, 2, 500];

/**
 * The runs that a mutant is given, the most likely to fail first: a few tests that executed its place; all of their files;
 * then every test, where the place is executed as files are loaded, or nowhere that is known of.
 *
 * @param at - of the mutant in the built file
 * @param killers - names of tests that failed for other mutants of the file, the latest last
 */
export function stagesOf(
  source: SourceFile,
  moments: readonly Moment[],
  at: number,
  killers: readonly string[],
): Stage[] {
  const executing = moments.filter(({ executed }) => executed[source.url]?.includes(at));
  const rank = ({ file, test, took }: Moment): number[] => {
    return [-killers.lastIndexOf(test ?? ""), source.own.includes(file) ? 0 : 1, took ?? 0];
  };
  const tests = executing.filter(({ test }) => test !== undefined).sort((a, b) => compare(rank(a), rank(b)));
  const files = [...new Set(tests.map(({ file }) => file))];
  const everywhere = tests.length < executing.length || tests.length === 0;
  const stages: Stage[] = [];
  const stage = (of: readonly string[]): void => {
    if (of.length > 0) stages.push({ files: of, took: tookBy(moments.filter(({ file }) => of.includes(file))) });
  };
  if (tests.length > 0) stages.push(firstOf(tests));
  stage(files.length > 0 ? files : source.own);
  if (everywhere) stage(source.tests.filter((file) => !stages.at(-1)?.files.includes(file)));
  return stages;
}

function firstOf(tests: readonly Moment[]): Stage {
  const near = [...new Set(tests.map(({ file }) => file))].slice(0, FIRST_FILES);
  const few = tests.filter(({ file }) => near.includes(file)).slice(0, FIRST_TESTS);
  const first = few.filter((_, index) => index === 0 || tookBy(few.slice(0, index + 1)) <= FIRST_TOOK);
  const files = near.filter((file) => first.some((test) => test.file === file));
  return { files, only: first.flatMap(({ test }) => test ?? []), took: tookBy(first) };
}

function tookBy(moments: readonly Moment[]): number {
  return moments.reduce((sum, { took }) => sum + (took ?? 0), 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((value, index) => value - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}
