import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { EXCEPTIONS, type Exception } from "../dist/suites/exceptions.js";
import { CORE, runSuite, type SuiteResult, testFiles } from "../dist/suites/run-suite.js";
import { SUITES, type Suite } from "../dist/suites/suite.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const PAGE = readFileSync(join(ROOT, "docs/runtimes.md"), "utf8");
const SUITE: Suite = { name: "unit-node-22", runtime: "Node 22", program: [process.execPath] };

describe("the tests of our packages in another runtime", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-suites-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What comes of files with this code in the Node that runs this test. */
  async function run(
    files: Readonly<Record<string, string>>,
    known: Readonly<Record<string, readonly string[]>> = {},
  ): Promise<Omit<SuiteResult, "suite" | "version">> {
    const pathOf = (name: string) => relative(ROOT, join(folder, name));
    for (const [name, code] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), code);
    }
    const tests = Object.fromEntries(Object.entries(known).map(([name, titles]) => [pathOf(name), titles]));
    const exceptions: readonly Exception[] = [{ suites: [SUITE.name], why: "", tests }];
    const toolbox = { runtimeOf: async () => ({ folder: "", version: "22.0.0" }) };
    const place = { files: Object.keys(files).map(pathOf), root: ROOT, folder, env: {}, toolbox, jobs: 2 };
    const { suite: _, version: __, ...result } = await runSuite(SUITE, place, exceptions);
    return result;
  }

  it("are counted, and what fails is named, unless it is known to", async () => {
    const code = `describe("a", () => {
      it("passes", () => {});
      it.skip("is skipped", () => {});
      it("fails", () => { throw new Error("why"); });
      it("fails as is known", () => { throw new Error("known"); });
    });`;
    const { failed, ...counts } = await run({ "a.test.mjs": code }, { "a.test.mjs": ["fails as is known"] });
    expect(counts).to.deep.equal({ passed: 1, skipped: 1, known: 1, notNeeded: [] });
    expect(failed.map(({ title, why }) => [title, why.includes("why")])).to.deep.equal([["a fails", true]]);
  });

  it("fail where the runtime says that it will take something away", async () => {
    const { passed, failed } = await run({
      "a.test.mjs": `const warn = () => process.emitWarning("It goes.", "DeprecationWarning", "DEP0000");
        it("warns", async () => { warn(); await new Promise(setImmediate); });
        it("warns of another thing", async () => { process.emitWarning("Slow."); await new Promise(setImmediate); });`,
      "b.test.mjs": `process.emitWarning("It is gone.", "DeprecationWarning");
        it("passes", () => {});`,
    });
    expect(passed).to.equal(3);
    expect(failed.map(({ title, why }) => [title, /It (goes|is gone)/.exec(why)?.[0]])).to.deep.equal([
      ["(while loading) (deprecated)", "It is gone"],
      ["warns (deprecated)", "It goes"],
    ]);
  });

  it("are known to fail for no longer than they do", async () => {
    const { notNeeded } = await run({ "a.test.mjs": 'it("passes", () => {});' }, { "a.test.mjs": ["passes"] });
    expect(notNeeded.map(({ title }) => title)).to.deep.equal(["passes"]);
  });

  it("are known until a process ends, which ends no other file", async () => {
    const { passed, failed } = await run({
      "a.test.mjs": 'it("passes", () => {}); it("ends all", () => process.exit(0));',
      "b.test.mjs": 'it("passes, too", () => {});',
    });
    expect(passed).to.equal(2);
    expect(failed.map(({ file, title }) => [file.slice(-10), title])).to.deep.equal([
      ["a.test.mjs", "(did not come to its end)"],
    ]);
  });

  it("run in as many processes at a time as there are jobs", async () => {
    const waits = (mine: string, other: string) => `import { existsSync, writeFileSync } from "node:fs";
      it("meets the other", async () => {
        writeFileSync(${JSON.stringify(join(folder, mine))}, "");
        while (!existsSync(${JSON.stringify(join(folder, other))})) await new Promise((done) => setTimeout(done, 20));
      });`;
    const { passed, failed } = await run({
      "a/a.test.mjs": waits("of-a", "of-b"),
      "b/b.test.mjs": waits("of-b", "of-a"),
    });
    expect([passed, failed]).to.deep.equal([2, []]);
  });

  it("are those of what users install, and all that is expected to fail is among them", async () => {
    const files = await testFiles(ROOT, SUITE);
    expect(files).to.include.members([
      "packages/cli/dist-test/shell/help.test.js",
      "packages/client/dist-test/round-trip.test.js",
      "packages/envelope/dist-test/gcm/gcm-pieces.test.js",
      "test-vectors/dist-test/manifest.test.js",
    ]);
    expect(files.filter((file) => file.includes("reach"))).to.deep.equal([]);
    for (const suite of SUITES) {
      const expected = EXCEPTIONS.filter(({ suites }) => suites.includes(suite.name));
      const run = await testFiles(ROOT, suite);
      expect(run).to.include.members(expected.flatMap(({ tests }) => Object.keys(tests)));
    }
  });

  it("have a core, which is there and has all vectors", async () => {
    for (const part of CORE) expect(await testFiles(ROOT, SUITE, [part])).not.to.be.empty;
    expect(await testFiles(ROOT, SUITE, CORE)).to.include.members([
      "packages/client/dist-test/vectors.test.js",
      "test-vectors/dist-test/compatibility.test.js",
    ]);
  });

  it("and why some fail are in docs/runtimes.md", () => {
    for (const { why } of EXCEPTIONS) expect(PAGE.replaceAll(/\s+/g, " ")).to.contain(why);
    expect(SUITES.map(({ name }) => name).filter((name) => !PAGE.includes(name))).to.deep.equal([]);
  });
});
