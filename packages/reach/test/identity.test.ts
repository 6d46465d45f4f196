import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const PACKAGES = new URL("../../", import.meta.url);
const require = createRequire(import.meta.url);

const libraries: readonly string[] = readdirSync(PACKAGES)
  .map((folder) => JSON.parse(readFileSync(new URL(`${folder}/package.json`, PACKAGES), "utf8")))
  .filter((manifest) => !manifest.private && manifest.exports !== undefined)
  .map(({ name }) => name);

describe("what is required and what is imported, in one process", () => {
  it("is all of our libraries", () => {
    expect(libraries).to.include.members(["@s3ec/client", "@s3ec/envelope", "@s3ec/materials", "@s3ec/container"]);
  });

  for (const name of libraries) {
    it(`is one and the same: ${name}`, async () => {
      const imported = await import(name);
      const required = require(name);
      const names = Object.keys(imported);
      expect(names).not.to.deep.equal([]);
      expect(Object.keys(required).filter((each) => each !== "__esModule")).to.have.members(names);
      for (const each of names) expect(required[each], each).to.equal(imported[each]);
    });
  }

  it("is also where it is required first", async () => {
    const program = `
      const { S3EncryptionClient } = require("@s3ec/client");
      const { S3EncryptionError } = require("@s3ec/materials");
      Promise.all([import("@s3ec/client"), import("@s3ec/materials")]).then(([client, materials]) =>
        console.log(client.S3EncryptionClient === S3EncryptionClient, materials.S3EncryptionError === S3EncryptionError));
    `;
    const args = ["--no-warnings", "--input-type=commonjs", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(PACKAGES) });
    expect(stdout).to.equal("true true\n");
  });
});
