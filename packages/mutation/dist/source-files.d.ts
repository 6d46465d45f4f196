/** A source file, with what was built of it and the tests that concern it. */
export interface SourceFile {
    /** As `packages/envelope/src/policy.ts`. */
    readonly path: string;
    /** Of the file that was built. */
    readonly url: string;
    /** Compiled test files: all that its package tests. */
    readonly tests: readonly string[];
    /** Those of them that are the file's own. */
    readonly own: readonly string[];
}
/**
 * The TypeScript files at a path, which is a file, or a folder with all that is below.
 * @throws Error for a path that is in no package's `src`
 */
export declare function sourceFiles(root: string, path: string, tests?: readonly string[]): SourceFile[];
