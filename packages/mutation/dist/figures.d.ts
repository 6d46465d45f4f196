import type { Tried } from "./mutate.js";
/** A table of what became of the mutants, a line for each folder. */
export declare function figures(tried: readonly Tried[]): string;
/** One mutant in one line, as an editor finds it. */
export declare function inOneLine({ file, mutant, outcome }: Tried): string;
