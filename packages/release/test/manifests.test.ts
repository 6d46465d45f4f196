import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { manifestMistakes } from "../dist/manifest-mistakes.js";
import { type PublishedPackage, publishedPackages } from "../dist/published-packages.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

describe("what is published", () => {
  let packages: readonly PublishedPackage[];
  let budget: Record<string, number>;

  before(async () => {
    packages = await publishedPackages(ROOT);
    budget = JSON.parse(readFileSync(join(ROOT, "packages/release/size-budget.json"), "utf8"));
  });

  it("has a licence, a page, an install line and no install script in every package", () => {
    expect(packages.length).to.be.above(10);
    expect(packages.flatMap(({ location }) => manifestMistakes(ROOT, location))).to.deep.equal([]);
  });

  it("has a budget for the size of every package, and of no other", () => {
    expect(Object.keys(budget)).to.have.members(packages.map(({ name }) => name));
  });

  it("is told apart from a package that lacks each of them", () => {
    const folder = mkdtempSync(join(tmpdir(), "s3ec-manifest-"));
    try {
      const location = join(folder, "packages/envelope");
      cpSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
      cpSync(join(ROOT, "packages/envelope/package.json"), join(location, "package.json"));
      const manifest = JSON.parse(readFileSync(join(location, "package.json"), "utf8"));
      const altered = { ...manifest, homepage: "", keywords: [], scripts: { postinstall: "node build.js" } };
      writeFileSync(join(location, "package.json"), JSON.stringify(altered));
      writeFileSync(join(location, "README.md"), "# @s3ec/envelope\n");
      const mistakes = manifestMistakes(folder, location);
      expect(mistakes).to.have.length(5);
      for (const [index, word] of ["homepage", "keywords", "postinstall", "LICENSE", "README"].entries()) {
        expect(mistakes[index]).to.match(new RegExp(`^packages/envelope: .*${word}`));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
