import { expect } from "chai";
import { withSections } from "../dist/report.js";

const ORDER = ["objects", "uploads", "many"];

describe("a report of the benchmark", () => {
  it("keeps the sections that were not measured again, in their order, and nothing from behind them", () => {
    const first = withSections(
      "",
      new Map([
        ["many", "## Many\n\n| 1 |"],
        ["objects", "## Objects\n\n| 1 |"],
      ]),
      ORDER,
    );
    const report = `# Performance\n\nMeasured.\n\n${first}\n## Where the time goes\n\nSomewhere.\n`;
    const next = withSections(
      report,
      new Map([
        ["uploads", "## Uploads\n\n| 2 |"],
        ["many", "## Many\n\n| 2 |"],
      ]),
      ORDER,
    );
    expect(next.match(/^(## \w+|\| \d \|)$/gm)).to.deep.equal([
      "## Objects",
      "| 1 |",
      "## Uploads",
      "| 2 |",
      "## Many",
      "| 2 |",
    ]);
    expect(next).to.not.contain("Measured").and.not.contain("Where");
  });
});
