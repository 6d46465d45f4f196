import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "chai";
import { ObjectsSetting } from "./objects-setting.js";

const page = readFileSync(fileURLToPath(new URL("../../../../docs/from-aws-s3.md", import.meta.url)), "utf8");
const [, schema = ""] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];

describe("the lines of --json", () => {
  let at: ObjectsSetting;
  before(async () => {
    at = await ObjectsSetting.start();
  });
  after(() => at.end());

  it("fit the schema that the documentation has, each by one kind of line", async () => {
    const fits = new Ajv2020({ formats: { "date-time": true } }).compile(JSON.parse(schema));
    for (const line of [{ from: "a" }, { bucket: "b", key: "k" }, { totals: 1 }, {}])
      expect(fits(line)).to.equal(false);
    for (const name of ["a", "b", "c/d"]) at.write(`tree/${name}`, name);
    await at.putPlain("t/plain", "in the clear");
    await at.putPlain("t/x", "extraneous");
    at.server.faults.add({ operation: "PutObject", key: "t/b", status: 403, code: "AccessDenied", times: 1 });
    const states = new Set<unknown>();
    for (const args of [
      ["cp", "tree", "s3://demo/t", "--recursive"],
      ["sync", "tree", "s3://demo/t", "--dryrun"],
      ["sync", "tree", "s3://demo/t", "--delete", "--exclude", "plain"],
      ["mv", "s3://demo/t", "s3://other/t", "--recursive", "--plain", "skip"],
      ["cp", "s3://demo/t", "s3://other/u", "--recursive", "--plain", "encrypt"],
      ["cp", "s3://other/t", "down", "--recursive"],
      ["ls", "s3://other/t/"],
      ["ls", "s3://other/t", "--recursive", "--long", "--summarize"],
      ["ls"],
      ["rm", "s3://other/t", "--recursive"],
    ]) {
      const { stdout } = await at.run(...args, "--json");
      const lines = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { readonly state?: string });
      for (const line of lines)
        expect(fits(line), `${JSON.stringify(line)}: ${JSON.stringify(fits.errors)}`).to.equal(true);
      for (const { state } of lines) states.add(state);
    }
    expect(states).to.include.all.keys("done", "failed", "skipped", "dryrun");
  });
});
