import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const PACKAGES = new URL("../../", import.meta.url);
/** Programs and tools for tests, which no page imports. */
const NOT_FOR_PAGES = ["@s3ec/cli", "@s3ec/dev-server", "@s3ec/keyring-conformance"];

const manifests = readdirSync(PACKAGES).map((folder) => ({
  folder,
  ...JSON.parse(readFileSync(new URL(`${folder}/package.json`, PACKAGES), "utf8")),
}));
const libraries = manifests.filter((manifest) => !manifest.private && !NOT_FOR_PAGES.includes(manifest.name));

describe("what a page's bundler finds in our packages", () => {
  const imported = async (what: string): Promise<string> => {
    const program = `import("${what}").then(() => console.log("loaded"), ({ message }) => console.log(message))`;
    const args = ["--conditions=browser", "--input-type=module", "--eval", program];
    return (await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(PACKAGES) })).stdout;
  };

  it("is a sentence that says where they run", async () => {
    const told = await imported("./client/browser.cjs");
    expect(told).to.match(/^@s3ec does not run in browsers: .* Encrypt and decrypt on a server\./);
  });

  it("is what Node gets where it is told to be a browser, too", async () => {
    expect(await imported("@s3ec/envelope")).to.equal("loaded\n");
  });

  it("is the same in each of them, and is published", () => {
    expect(libraries).to.have.length.above(10);
    const said = libraries.map(({ folder }) => readFileSync(new URL(`${folder}/browser.cjs`, PACKAGES), "utf8"));
    expect(new Set(said).size).to.equal(1);
    for (const { files } of libraries) expect(files).to.include("browser.cjs");
  });

  it("is no obstacle to Workers, whose bundlers name themselves and browsers", () => {
    for (const manifest of libraries) {
      expect(Object.keys(manifest.exports["."])).to.deep.equal(["types", "workerd", "node", "browser", "default"]);
      expect(manifest.exports["."].node).to.equal(manifest.exports["."].default);
      expect(manifest.exports["."].workerd).to.equal(manifest.exports["."].default);
    }
  });
});
