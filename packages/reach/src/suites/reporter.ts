import { appendFileSync } from "node:fs";
import type { Heard } from "./heard.js";

/** Of mocha's runner, no more than what is used: mocha itself is loaded by whichever runtime runs it. */
interface Runner {
  on(event: "pass" | "pending", heard: (test: Test) => void): Runner;
  on(event: "fail", heard: (test: Test, error: unknown) => void): Runner;
  on(event: "end", heard: () => void): Runner;
}

interface Test {
  readonly file?: string;
  fullTitle(): string;
}

/** A reporter of mocha's that writes a line for each test when it is over, so that of a process that hangs all is known until then. */
export default class Written {
  constructor(runner: Runner, { reporterOptions }: { readonly reporterOptions: { readonly results: string } }) {
    const write = (heard: Heard) => appendFileSync(reporterOptions.results, `${JSON.stringify(heard)}\n`);
    runner
      .on("pass", (test) => write({ state: "passed", title: test.fullTitle() }))
      .on("pending", (test) => write({ state: "skipped", title: test.fullTitle() }))
      .on("fail", (test, error) => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        write({ state: "failed", file: test.file ?? "", title: test.fullTitle(), why });
      })
      .on("end", () => write({ state: "ended" }));
  }
}
