import { readFileSync } from "node:fs";
import { expect } from "chai";
import { CONSUMER } from "../dist/consumer.js";
import { MATRIX, rowsOfMatrix, rowsOfTests, TESTS, withRows } from "../dist/matrix.js";
import type { Recipe, Result } from "../dist/recipe.js";
import { RECIPES } from "../dist/recipes.js";
import { SUITES } from "../dist/suites/suite.js";

const PAGE = readFileSync(new URL("../../../docs/runtimes.md", import.meta.url), "utf8");
const recipe = (name: string) => RECIPES.find((each) => each.name === name);

describe("the combinations in which our packages are loaded", () => {
  it("have names of their own, which can be buckets", () => {
    expect(new Set(RECIPES.map(({ name }) => name)).size).to.equal(RECIPES.length);
    for (const { name } of RECIPES) expect(name).to.match(/^[a-z0-9-]{3,63}$/);
  });

  it("are what docs/runtimes.md tells users to write", () => {
    expect(PAGE).to.contain(`\`\`\`cjs\n${recipe("jest-commonjs")?.files["jest.config.cjs"]}\`\`\``);
    expect(PAGE).to.contain(`\`\`\`yaml\n${recipe("cli-pnp")?.yarnrc}\`\`\``);
    const bundled = recipe("workerd")?.steps.flat() ?? [];
    expect(PAGE).to.contain(`\`${bundled.find((arg) => arg.startsWith("--alias:"))}\``);
  });

  it("are what guides show of tests, traces and frameworks", () => {
    const guide = (name: string) => readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), "utf8");
    const shown: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
      "testing-your-code": { "aws-sdk-client-mock": ["reports.mjs", "mocked.test.mjs", "stored.test.mjs"] },
      frameworks: {
        "x-ray": ["s3.mjs"],
        opentelemetry: ["tracing.mjs"],
        "opentelemetry-3": ["tracing.mjs"],
        powertools: ["handler.mjs"],
        next: ["app/reports/[name]/route.js"],
        "next-webpack": ["app/reports/[name]/route.js"],
        nest: ["src/s3.module.ts", "src/reports.controller.ts"],
      },
    };
    for (const [page, recipes] of Object.entries(shown)) {
      const code = [...guide(page).matchAll(/^```(?:js|ts)\n(.*?)^```$/gms)].map(([, text]) => text);
      const tried = Object.entries(recipes).flatMap(([name, files]) => files.map((file) => recipe(name)?.files[file]));
      expect(new Set(code)).to.deep.equal(new Set(tried));
    }
  });

  it("put and get by the same program, for every kind of module", () => {
    expect(CONSUMER["put-and-get.cjs"]).to.contain('const { S3EncryptionClient } = require("@s3ec/client");');
    expect(CONSUMER["put-and-get.cjs"]).not.to.match(/^(import|export) /m);
    expect(CONSUMER["put-and-get.mjs"]).to.equal(CONSUMER["put-and-get.ts"]);
  });
});

describe("the tables of what came of them", () => {
  const [one, two, three] = RECIPES;
  if (one === undefined || two === undefined || three === undefined) throw new Error("There is no recipe.");
  const result = (recipe: Recipe, outcome: Result["outcome"]): Result => ({
    recipe,
    versions: { "Node 20": "20.20.2", npm: "11.21.2" },
    outcome,
  });
  const PASSED = { outcome: "passed" } as const;
  const EMPTY = [MATRIX, TESTS].map(({ begin, end }) => `${begin}${end}`).join("Between.\n");
  const rows = (page: string) => page.split("\n").filter((line) => line.startsWith("|"));

  it("have a row for each, with versions", () => {
    const page = withRows(EMPTY, MATRIX, rowsOfMatrix([result(one, PASSED)]), RECIPES);
    expect(rows(page)[2]).to.equal(
      `| Node 20.20.2 | npm 11.21.2  | ES modules | import    | passed      | \`${one.name}\` |`,
    );
  });

  it("have a row for each runtime that ran our tests", () => {
    const suite = SUITES.find(({ name }) => name === "unit-node-22");
    if (suite === undefined) throw new Error("There is no suite.");
    const counts = { passed: 3, skipped: 1, known: 2, failed: [], notNeeded: [] };
    const page = withRows(EMPTY, TESTS, rowsOfTests([{ suite, version: "22.23.5", ...counts }]), SUITES);
    expect(rows(page)[2]).to.match(/^\| Node 22.23.5 +\| 3 +\| 0 +\| 2 +\| 1 +\| `unit-node-22` +\|$/);
  });

  it("keep the rows of what was not tried, in their order, and none of what is tried no more", () => {
    const before = withRows(EMPTY, MATRIX, rowsOfMatrix([one, two].map((each) => result(each, PASSED))), RECIPES);
    const failed = rowsOfMatrix([result(one, { outcome: "failed", why: "" }), result(three, PASSED)]);
    const after = withRows(before, MATRIX, failed, [three, one, two]);
    const lastCells = (row: string) =>
      row
        .split("|")
        .slice(-3, -1)
        .map((cell) => cell.trim());
    expect(rows(after).slice(2).map(lastCells)).to.deep.equal([
      ["passed", `\`${three.name}\``],
      ["failed", `\`${one.name}\``],
      ["passed", `\`${two.name}\``],
    ]);
    expect(rows(withRows(after, MATRIX, [], [two]))).to.have.length(3);
  });

  it("keep the row of what is not to be had on this machine", () => {
    const before = withRows(EMPTY, MATRIX, rowsOfMatrix([result(one, PASSED)]), RECIPES);
    const missing = rowsOfMatrix([result(one, { outcome: "not to be had here", why: "" })]);
    expect(withRows(before, MATRIX, missing, RECIPES)).to.equal(before);
  });

  it("take their places in a page, and of no page that has none", () => {
    for (const [table, tried] of [
      [MATRIX, RECIPES],
      [TESTS, SUITES],
    ] as const) {
      expect(withRows(PAGE, table, [], tried)).to.equal(PAGE);
      expect(() => withRows("# A page", table, [], tried)).to.throw("no place");
    }
  });
});
