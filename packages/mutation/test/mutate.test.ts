import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { figures } from "../dist/figures.js";
import { Journal } from "../dist/journal.js";
import { transpiled } from "../dist/mutants.js";
import { type MutateOptions, mutate, type Tried } from "../dist/mutate.js";
import { sourceFiles } from "../dist/source-files.js";

const SOURCE = `export function count(limit: number): number {
  let n = 0;
  // S1
  while (n < limit) n++;
  return n;
}
`;
const TEST = `import assert from "node:assert";
import { count } from "../dist/count.js";
it("counts to three", () => assert.equal(count(3), 3));
`;

const COUNT = "packages/counting/src/count.ts";
/** Takes as long as a run may. */
const ENDLESS = { file: COUNT, line: "while (n < limit) n++;", change: "n++ → n--", why: "" };

/** A repository of one package, in a directory that `use` has to itself. */
async function inRepository(test: string, use: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "s3ec-mutation-"));
  try {
    for (const folder of ["src", "dist", "dist-test"])
      mkdirSync(join(root, "packages/counting", folder), { recursive: true });
    writeFileSync(join(root, "packages/counting/package.json"), `{ "type": "module" }`);
    writeFileSync(join(root, "packages/counting/src/count.ts"), SOURCE);
    writeFileSync(join(root, "packages/counting/dist/count.js"), transpiled(SOURCE));
    writeFileSync(join(root, "packages/counting/dist-test/count.test.js"), test);
    await use(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

function options(root: string, more: Partial<MutateOptions> = {}): MutateOptions {
  const files = sourceFiles(root, "packages/counting/src");
  const none = { equivalents: [], seed: "1", max: 100, ruleLines: false, jobs: 2, limit: 5000, onTried: () => {} };
  return { root, files, ...none, ...more };
}

function outcomes(tried: readonly Tried[]): Record<string, string> {
  return Object.fromEntries(tried.map(({ mutant, outcome }) => [mutant.change, outcome]));
}

describe("a mutation run", () => {
  it("tells what tests notice from what they do not, and leaves what was built as it is", async () => {
    await inRepository(TEST, async (root) => {
      const tried = await mutate(options(root));
      expect(outcomes(tried)).to.include({
        "0 → (0 + 1)": "survived",
        "n < limit → false": "killed",
        "n < limit → n <= limit": "killed",
        "n++ → n--": "timed out",
        "return n; → return undefined;": "killed",
      });
      expect(figures(tried)).to.contain("| packages/counting/src | 5 | 3 | 1 | 0 | 1 | 0 |");
      expect(readFileSync(join(root, "packages/counting/dist/count.js"), "utf8")).to.equal(transpiled(SOURCE));
    });
  });

  it("does not try what is known to do the same, and keeps to lines that a rule stands behind when asked to", async () => {
    await inRepository(TEST, async (root) => {
      const equivalents = [ENDLESS, { ...ENDLESS, change: "n < limit → n <= limit" }];
      const tried = await mutate(options(root, { equivalents, ruleLines: true }));
      expect(outcomes(tried)["n < limit → n <= limit"]).to.equal("equivalent");
      expect(tried.every(({ mutant }) => mutant.rules.includes("S1"))).to.equal(true);
    });
  });

  it("runs over a mutant only tests that executed its place", async () => {
    await inRepository(TEST, async (root) => {
      const other = `import "../dist/count.js";
        import { appendFileSync } from "node:fs";
        it("counts nothing", () => appendFileSync("runs", "."));`;
      writeFileSync(join(root, "packages/counting/dist-test/other.test.js"), other);
      const tried = await mutate(options(root, { equivalents: [ENDLESS] }));
      expect(outcomes(tried)).to.include({ "0 → (0 + 1)": "survived", "n < limit → false": "killed" });
      expect(readFileSync(join(root, "runs"), "utf8")).to.equal(".");
    });
  });

  it("goes on where an interrupted run ended, with its journal, and tries again what survived", async () => {
    await inRepository(TEST, async (root) => {
      const path = join(root, "journal");
      const tried = await mutate(options(root, { journal: new Journal(path), equivalents: [ENDLESS] }));
      writeFileSync(join(root, "packages/counting/dist-test/count.test.js"), TEST.replace("3), 3", "3), 4"));
      const survivor = { file: COUNT, line: "let n = 0;", change: "0 → (0 + 1)", why: "" };
      const again = options(root, { journal: new Journal(path), equivalents: [ENDLESS, survivor] });
      expect(outcomes(await mutate(again))).to.deep.equal({ ...outcomes(tried), "0 → (0 + 1)": "equivalent" });
      const error = await mutate({ ...again, equivalents: [ENDLESS] }).catch((reason: unknown) => reason);
      expect(String(error)).to.contain("fail without a mutant");
    });
  });

  it("refuses to say anything where tests fail unaltered, or do not load the file", async () => {
    const refusals = {
      "fail without a mutant": TEST.replace("3), 3", "3), 4"),
      "No test loads": `it("is there", () => {});`,
    };
    for (const [refusal, test] of Object.entries(refusals)) {
      await inRepository(test, async (root) => {
        const error = await mutate(options(root)).catch((reason: unknown) => reason);
        expect(String(error)).to.contain(refusal);
      });
    }
  });
});
