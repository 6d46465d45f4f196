import type { Recipe, Result } from "./recipe.js";
import type { SuiteResult } from "./suites/run-suite.js";
import type { Suite } from "./suites/suite.js";

/** A table of docs/runtimes.md: in its last column is the name by which a row is tried again. */
interface Table {
  readonly begin: string;
  readonly end: string;
  readonly head: readonly string[];
}

const place = (what: string, ...head: readonly string[]): Table => ({
  begin: `<!-- npm run test:reach -- --output: ${what} -->\n`,
  end: `<!-- end of ${what} -->\n`,
  head: [...head, "`--only`"],
});

export const MATRIX: Table = place("the matrix", "runtime", "installed by", "modules", "loaded by", "put and get");
export const TESTS: Table = place("the tests", "runtime", "passed", "failed", "known", "skipped");

/** A row for each combination that could be tried. */
export function rowsOfMatrix(results: readonly Result[]): readonly Row[] {
  return results
    .filter(({ outcome }) => outcome.outcome !== "not to be had here")
    .map(({ recipe, versions, outcome }) => [
      recipe.runtime === "workerd" ? "workerd" : `${recipe.runtime.split(" ")[0]} ${versions[recipe.runtime] ?? ""}`,
      `${recipe.manager.replace(/^\w+/, (name) => `${name} ${versions[recipe.manager] ?? ""}`.trim())}`,
      recipe.modules,
      recipe.loadedBy.replaceAll(/\{(.+?)\}/g, (_, name) => versions[name] ?? "?"),
      outcome.outcome,
      nameCell(recipe),
    ]);
}

/** A row for each runtime that ran the packages' own tests. */
export function rowsOfTests(results: readonly SuiteResult[]): readonly Row[] {
  return results.map(({ suite, version, passed, known, failed, skipped }) => [
    `${suite.runtime.split(" ")[0]} ${version}`,
    ...[passed, failed.length, known, skipped].map(String),
    nameCell(suite),
  ]);
}

/** The cells of a row, as they are printed; the last one is what `nameCell` says. */
type Row = readonly string[];

const nameCell = ({ name }: Recipe | Suite) => `\`${name}\``;

/**
 * A page with these rows in the place that it has for their table. What was not tried keeps the row it has; what is not tried any
 * more goes.
 *
 * @param tried all that may have a row, in that order
 */
export function withRows(
  page: string,
  { begin, end, head }: Table,
  rows: readonly Row[],
  tried: readonly (Recipe | Suite)[],
): string {
  const [before, rest] = page.split(begin);
  const [old, after] = rest?.split(end) ?? [];
  if (before === undefined || old === undefined || after === undefined)
    throw new Error(`The page has no place for a table: ${begin}`);
  const [, , ...kept] = old
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const known = new Map([...kept, ...rows].map((row) => [row.at(-1), row]));
  const all = tried.map((each) => known.get(nameCell(each))).filter((row) => row !== undefined);
  return `${before}${begin}\n${table([head, ...all])}\n${end}${after}`;
}

function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  const [first = "", ...others] = rows.map(line);
  return [first, rule, ...others, ""].join("\n");
}
