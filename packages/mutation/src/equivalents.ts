import { readFileSync } from "node:fs";
import type { Mutant } from "./mutants.js";

/** A mutant that no test can notice, since it does the same; known by its line's text, which may move. */
export interface Equivalent {
  readonly file: string;
  /** The line as it stands, trimmed. */
  readonly line: string;
  /** As `Mutant.change`. */
  readonly change: string;
  /** Why it does the same. */
  readonly why: string;
}

export function readEquivalents(url: URL): Equivalent[] {
  return JSON.parse(readFileSync(url, "utf8")) as Equivalent[];
}

export function isEquivalent(list: readonly Equivalent[], file: string, { lineText, change }: Mutant): boolean {
  return list.some((one) => one.file === file && one.line === lineText && one.change === change);
}
