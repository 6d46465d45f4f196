import Mocha from "mocha";

const { EVENT_RUN_END } = Mocha.Runner.constants;

/** mocha's own short report, closed by a line that a CI can count: `N passed, N failed`. */
export default class ClosingLine extends Mocha.reporters.Dot {
  constructor(runner, options) {
    super(runner, options);
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : "";
      console.log(`${passes} passed, ${failures} failed${skipped}`);
    });
  }
}
