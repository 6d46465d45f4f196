import { dirname } from "node:path";
import type { Tried } from "./mutate.js";
import type { Outcome } from "./trial.js";

/** A table of what became of the mutants, a line for each folder. */
export function figures(tried: readonly Tried[]): string {
  const folders = [...new Set(tried.map(({ file }) => dirname(file)))].sort();
  const rows = folders.map((folder) =>
    row(
      folder,
      tried.filter(({ file }) => dirname(file) === folder),
    ),
  );
  const head = ["", "mutants", "killed", "timed out", "equivalent", "survived", "of these, by a rule"];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function row(folder: string, tried: readonly Tried[]): string[] {
  const count = (outcome: Outcome): string => String(tried.filter((one) => one.outcome === outcome).length);
  const ruled = tried.filter(({ outcome, mutant }) => outcome === "survived" && mutant.rules.length > 0);
  const counts = (["killed", "timed out", "equivalent", "survived"] as const).map(count);
  return [folder, String(tried.length), ...counts, String(ruled.length)];
}

/** One mutant in one line, as an editor finds it. */
export function inOneLine({ file, mutant, outcome }: Tried): string {
  const rules = mutant.rules.length > 0 ? ` (${mutant.rules.join(", ")})` : "";
  return `${outcome}: ${file}:${mutant.line}${rules}: ${mutant.change}`;
}
