/** A source file in which one thing is another. */
export interface Mutant {
    /** From 1 on. */
    readonly line: number;
    /** The line as it stands, trimmed. */
    readonly lineText: string;
    /** What was replaced, and by what: `a < b → a <= b`. */
    readonly change: string;
    /** Rules of docs/formats.md that comments around it cite, such as `S12`; empty when none does. */
    readonly rules: readonly string[];
    /** JavaScript of the whole altered file. */
    readonly code: string;
    /** Where it begins to be another than what was built. */
    readonly at: number;
}
/** JavaScript of a file, without a look at its types: what a mutant breaks of them, it must break when it runs. */
export declare function transpiled(source: string): string;
/** Every mutant of a source file, in the order of the file: the same ones each time. */
export declare function mutantsOf(source: string): Mutant[];
