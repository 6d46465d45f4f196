import { pathToFileURL } from "node:url";
import Mocha from "mocha";
import { Coverage, type Moment } from "./coverage.js";

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

function nameOf(test: Mocha.Test): string {
  return `${test.file} ${test.fullTitle()}`;
}

function allTests(suite: Mocha.Suite): Mocha.Test[] {
  return [...suite.tests, ...suite.suites.flatMap(allTests)];
}

function keepOnly(suite: Mocha.Suite, names: ReadonlySet<string>): void {
  suite.tests = suite.tests.filter((test) => names.has(nameOf(test)));
  for (const inner of suite.suites) keepOnly(inner, names);
}

async function run({ limit, files, only, positions }: TestOrder): Promise<void> {
  const coverage = positions && new Coverage(positions);
  const mocha = new Mocha({ bail: coverage === undefined, failZero: true, reporter: "dot", timeout: limit });
  // Imported here, since mocha would require them, and what is required passes by the hooks of import.
  for (const file of files) {
    mocha.suite.emit("pre-require", globalThis, file, mocha);
    await import(pathToFileURL(file).href);
    coverage?.take({ file });
  }
  if (only !== undefined) {
    const there = new Set(allTests(mocha.suite).map(nameOf));
    if (only.every((name) => there.has(name))) keepOnly(mocha.suite, new Set(only));
  }
  if (coverage !== undefined) {
    mocha.suite.afterEach(function () {
      const test = this.currentTest;
      if (test?.file !== undefined) coverage.take({ file: test.file, test: nameOf(test), took: test.duration ?? 0 });
    });
  }
  let failed: string | undefined;
  const runner = mocha.run((failures) => {
    const report: TestReport = { ...(failed && { failed }), ...(coverage && { moments: coverage.moments }) };
    // Ended then, whatever is left.
    process.send?.(report, () => process.exit(failures > 0 ? 1 : 0));
  });
  runner.on("fail", (test) => {
    failed ??= nameOf(test as Mocha.Test);
  });
}

process.once("message", (order) => void run(order as TestOrder));
