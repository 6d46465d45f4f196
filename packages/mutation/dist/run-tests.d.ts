import type { TestOrder, TestReport } from "./test-process.js";
/** One run of some test files, over one altered file or none. */
export interface TestRun extends TestOrder {
    /** URL of a built file, and the JavaScript that stands in for it. */
    readonly altered?: {
        readonly url: string;
        readonly code: string;
    };
    /** Directory that they run in. */
    readonly root: string;
    /** Milliseconds after which the run is ended. */
    readonly limit: number;
}
export interface TestEnd extends TestReport {
    readonly outcome: "passed" | "failed" | "timed out";
    /** What mocha said, for a run that should have passed. */
    readonly output: string;
}
/** Runs the tests in a process of their own, until the first failure. */
export declare function runTests({ altered, root, ...order }: TestRun): Promise<TestEnd>;
/** Ends every run at once, when the whole is interrupted. */
export declare function endTests(): void;
