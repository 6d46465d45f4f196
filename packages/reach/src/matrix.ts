import type { Result } from "./recipe.js";
import type { SuiteResult } from "./suites/run-suite.js";

/** One row for each result, in Markdown. */
export function matrix(results: readonly Result[]): string {
  const rows = results.map(({ recipe, versions, outcome }) => [
    recipe.runtime === "workerd" ? "workerd" : `${recipe.runtime.split(" ")[0]} ${versions[recipe.runtime] ?? ""}`,
    `${recipe.manager.replace(/^\w+/, (name) => `${name} ${versions[recipe.manager] ?? ""}`.trim())}`,
    recipe.modules,
    recipe.loadedBy.replaceAll(/\{(.+?)\}/g, (_, name) => versions[name] ?? "?"),
    outcome.outcome,
  ]);
  return table([["runtime", "installed by", "modules", "loaded by", "put and get"], ...rows]);
}

/** One row for each runtime that ran the packages' own tests, in Markdown. */
export function testsTable(results: readonly SuiteResult[]): string {
  const rows = results.map(({ suite, version, passed, known, failed, skipped }) => [
    `${suite.runtime.split(" ")[0]} ${version}`,
    ...[passed, failed.length, known, skipped].map(String),
  ]);
  return table([["runtime", "passed", "failed", "known", "skipped"], ...rows]);
}

/** A page with a table in the place that it has for it. */
export function withTable(page: string, what: "the matrix" | "the tests", text: string): string {
  const [begin, end] = [`<!-- npm run test:reach -- --output: ${what} -->\n`, `<!-- end of ${what} -->\n`];
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`The page has no place for ${what}: ${begin}`);
  return `${before}${begin}\n${text}\n${end}${after}`;
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
