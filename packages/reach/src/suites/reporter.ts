import { appendFileSync } from "node:fs";
import type { Heard } from "./heard.js";

/** Of mocha's runner, no more than what is used: mocha itself is loaded by whichever runtime runs it. */
interface Runner {
  on(event: "pass" | "pending" | "test", heard: (test: Test) => void): Runner;
  on(event: "fail", heard: (test: Test, error: unknown) => void): Runner;
  on(event: "end", heard: () => void): Runner;
}

interface Test {
  readonly file?: string;
  fullTitle(): string;
}

/** What is heard from when this is loaded, which mocha does before any test. */
const deprecated: Error[] = [];
let tell = (warning: Error): void => void deprecated.push(warning);
process.on("warning", (warning) => {
  if (warning.name === "DeprecationWarning") tell(warning);
});

/**
 * A reporter of mocha's that writes a line for each test when it is over, so that of a process that hangs all is known until then. What
 * a runtime says will go one day is a failure of the test in which it said so.
 */
export default class Written {
  constructor(runner: Runner, { reporterOptions }: { readonly reporterOptions: { readonly results: string } }) {
    const write = (heard: Heard) => appendFileSync(reporterOptions.results, `${JSON.stringify(heard)}\n`);
    let running: Test | undefined;
    tell = ({ message, stack = message }) => {
      const title = `${running?.fullTitle() ?? "(while loading)"} (deprecated)`;
      write({ state: "failed", file: running?.file ?? "", title, why: stack });
    };
    deprecated.forEach(tell);
    runner
      .on("test", (test) => (running = test))
      .on("pass", (test) => write({ state: "passed", title: test.fullTitle() }))
      .on("pending", (test) => write({ state: "skipped", title: test.fullTitle() }))
      .on("fail", (test, error) => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        write({ state: "failed", file: test.file ?? "", title: test.fullTitle(), why });
      })
      .on("end", () => write({ state: "ended" }));
  }
}
