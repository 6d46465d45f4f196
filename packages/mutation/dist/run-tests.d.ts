/** One run of some test files, over one altered file. */
export interface TestRun {
    /** Of the built file. */
    readonly url: string;
    /** JavaScript that stands in for it. */
    readonly code: string;
    /** Paths of compiled test files. */
    readonly tests: readonly string[];
    /** Directory that they run in. */
    readonly root: string;
    /** Milliseconds after which the run is ended. */
    readonly limit: number;
}
export interface TestEnd {
    readonly outcome: "passed" | "failed" | "timed out";
    /** What mocha said, for a run that should have passed. */
    readonly output: string;
}
/** Runs the tests in a process of their own, until the first failure. */
export declare function runTests({ url, code, tests, root, limit }: TestRun): Promise<TestEnd>;
/** Ends every run at once, when the whole is interrupted. */
export declare function endTests(): void;
