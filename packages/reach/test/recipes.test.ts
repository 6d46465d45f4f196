import { readFileSync } from "node:fs";
import { expect } from "chai";
import { CONSUMER } from "../dist/consumer.js";
import { matrix, testsTable, withTable } from "../dist/matrix.js";
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

describe("the matrix of what came of them", () => {
  const [plain] = RECIPES;
  if (plain === undefined) throw new Error("There is no recipe.");
  const versions = { "Node 20": "20.20.2", npm: "11.21.2" };

  it("has a row for each, with versions", () => {
    expect(
      matrix([{ recipe: plain, versions, outcome: { outcome: "passed" } }])
        .split("\n")
        .at(2),
    ).to.equal("| Node 20.20.2 | npm 11.21.2  | ES modules | import    | passed      |");
  });

  it("has a row for each runtime that ran our tests", () => {
    const [suite] = SUITES;
    if (suite === undefined) throw new Error("There is no suite.");
    const counts = { passed: 3, skipped: 1, known: 2, failed: [], notNeeded: [] };
    expect(
      testsTable([{ suite, version: "22.23.5", ...counts }])
        .split("\n")
        .at(2),
    ).to.match(/^\| Node 22.23.5 +\| 3 +\| 0 +\| 2 +\| 1 +\|$/);
  });

  it("takes its place in a page, and of no page that has none", () => {
    for (const what of ["the matrix", "the tests"] as const) {
      const page = withTable(PAGE, what, "| a |\n");
      expect(page.split("| a |")).to.have.length(2);
      expect(page.split("### Jest")[1]).to.equal(PAGE.split("### Jest")[1]);
      expect(() => withTable("# A page", what, "| a |\n")).to.throw("no place");
    }
  });
});
