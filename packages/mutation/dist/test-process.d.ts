import { type Moment } from "./coverage.js";
/** What a process of tests is told to run, by the message that it waits for. */
export interface TestOrder {
    /** Milliseconds that a test may take. */
    readonly limit: number;
    /** Paths of compiled test files. */
    readonly files: readonly string[];
    /** Names of the tests to run, by `nameOf`; all where one of them is not there. */
    readonly only?: readonly string[];
    /** Offsets in built files, by URL: what executes them is told. Without it, the first failure ends the run. */
    readonly positions?: Readonly<Record<string, readonly number[]>>;
}
/** What it answers. */
export interface TestReport {
    /** Name of the test that failed first. */
    readonly failed?: string;
    /** Present where it was told positions. */
    readonly moments?: readonly Moment[];
}
