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
export declare function readEquivalents(url: URL): Equivalent[];
export declare function isEquivalent(list: readonly Equivalent[], file: string, { lineText, change }: Mutant): boolean;
