import type { Result } from "./recipe.js";

const BEGIN = "<!-- npm run test:reach -- --output -->";
const END = "<!-- end of the matrix -->";

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

/** A page with the matrix in the place that it has for it. */
export function withMatrix(page: string, text: string): string {
  const [before, rest] = page.split(`${BEGIN}\n`);
  const after = rest?.split(`${END}\n`)[1];
  if (before === undefined || after === undefined) throw new Error(`The page has no place for the matrix: ${BEGIN}`);
  return `${before}${BEGIN}\n\n${text}\n${END}\n${after}`;
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
