import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Mutant } from "./mutants.js";

/** What a run found out, line by line, so that the next one need not. Survivors are not kept: tests may have come. */
export class Journal {
  readonly #path: string;
  readonly #noticed: Set<string>;

  /** @param path - of a file, which need not be there */
  constructor(path: string) {
    this.#path = path;
    this.#noticed = new Set(existsSync(path) ? readFileSync(path, "utf8").split("\n") : []);
  }

  /** What became of the mutant when it was noticed; undefined when it was not. */
  outcomeOf(file: string, mutant: Mutant): "killed" | "timed out" | undefined {
    return (["killed", "timed out"] as const).find((outcome) => this.#noticed.has(entry(file, mutant, outcome)));
  }

  add(file: string, mutant: Mutant, outcome: string): void {
    if (outcome === "killed" || outcome === "timed out")
      appendFileSync(this.#path, `${entry(file, mutant, outcome)}\n`);
  }
}

/** Of all code of the file, which must be what it was. */
function entry(file: string, { code }: Mutant, outcome: string): string {
  return `${outcome} ${createHash("sha256").update(`${file}\n${code}`).digest("hex")}`;
}
