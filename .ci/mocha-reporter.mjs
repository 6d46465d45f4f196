import Mocha from "mocha";

const { EVENT_RUN_END } = Mocha.Runner.constants;

/**
 * mocha's own short report, closed by lines that a CI can repeat and count: a `FAILED` line a test, then `N passed, N failed`.
 */
export default class ClosingLine extends Mocha.reporters.Dot {
  constructor(runner, options) {
    super(runner, options);
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      for (const test of this.failures) {
        console.log(`FAILED ${test.fullTitle()}: ${String(test.err?.message).split("\n", 1)}`);
      }
      const skipped = pending > 0 ? `, ${pending} skipped` : "";
      console.log(`${passes} passed, ${failures} failed${skipped}`);
    });
  }
}
