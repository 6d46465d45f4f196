import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A sentence for every report that is not what the code exports, and for every one of a package that is no more. */
export function outdatedReports(directory: string, reports: ReadonlyMap<string, string>): readonly string[] {
  const stored = storedReports(directory);
  return [...new Set([...stored.keys(), ...reports.keys()])]
    .filter((file) => stored.get(file) !== reports.get(file))
    .sort()
    .map(
      (file) =>
        `docs/api/${file} is not what the code exports: run npm run api, and commit it when the change is meant.`,
    );
}

/** Writes the reports, and removes those of packages that are no more. */
export function storeReports(directory: string, reports: ReadonlyMap<string, string>): void {
  mkdirSync(directory, { recursive: true });
  for (const file of storedReports(directory).keys()) if (!reports.has(file)) rmSync(join(directory, file));
  for (const [file, text] of reports) writeFileSync(join(directory, file), text);
}

function storedReports(directory: string): ReadonlyMap<string, string> {
  mkdirSync(directory, { recursive: true });
  const files = readdirSync(directory).filter((file) => file.endsWith(".api.md"));
  return new Map(files.map((file) => [file, readFileSync(join(directory, file), "utf8")]));
}
