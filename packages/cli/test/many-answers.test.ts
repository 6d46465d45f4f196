import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { type Outcome, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

describe("what is said of many objects", () => {
  const { folder, remove } = temporaryFolder();
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    for (const key of ["own", "partner"]) {
      const keyring = {
        type: "raw-aes",
        wrappingKey: { base64: randomBytes(32).toString("base64") },
        materialDescription: { key },
      };
      writeFileSync(join(folder, `${key}.json`), JSON.stringify({ keyring }));
    }
    writeFileSync(join(folder, "report"), "a report");
    for (const key of ["a/1", "a/2", "a/3"]) await local("put", "report", `s3://demo/${key}`, ...OWN);
  });
  after(async () => {
    await server.close();
    remove();
  });
  const OWN = ["--config", "own.json"];
  const local = (...args: string[]): Promise<Outcome> => s3ec([...args, "--dev-server", server.endpoint], folder);

  it("exits with 8 where a key that was named is not there, and counts it", async () => {
    writeFileSync(join(folder, "keys"), "gone\na/1\n");
    const add = ["recipients", "add", "s3://demo", "partner", "--to", "partner.json"];
    for (const command of [
      ["audit", "s3://demo"],
      ["verify", "s3://demo"],
      ["rewrap", "s3://demo", "--to", "partner.json", "--dry-run"],
      ["migrate", "s3://demo", "--dry-run"],
      [...add, "--dry-run"],
      ["recipients", "remove", "s3://demo", "partner", "--dry-run"],
    ]) {
      const run = (...args: string[]) => local(...command, "--keys", "keys", ...OWN, ...args);
      const [said, json] = [await run(), await run("--json")];
      expect([said.code, json.code], command.join(" ")).to.deep.equal([8, 8]);
      const { totals } = JSON.parse(json.stdout.trim().split("\n").at(-1) ?? "");
      expect(totals.byState, command.join(" ")).to.have.property("nothing");
      expect(said.stdout, command.join(" ")).to.match(/^nothing/m);
      if (command[0] === "audit" || command[0] === "verify") continue;
      // Also where it has no format that is asked for.
      expect(json.stdout.split("\n")[0]).to.contain('"state":"nothing"');
      const filtered = await run("--format", "V1", "--summary");
      expect([filtered.code, filtered.stdout], command.join(" ")).to.deep.equal([8, "nothing: 1 object\n"]);
    }
    const asked = await local("audit", "s3://demo", "--keys", "keys", "--key-of", "partner.json");
    expect(asked.code).to.equal(8);
  });

  it("sums the places up by whose they are, however many objects have one", async () => {
    const all = ["s3://demo/a/", "--recursive", "--summary"];
    const added = await local(
      "recipients",
      "add",
      ...all.slice(0, 1),
      "partner",
      ...all.slice(1),
      ...OWN,
      "--to",
      "partner.json",
    );
    expect(added.stdout).to.equal("added: 3 objects\nWrapped in:\n  annotation:x-s3ec/partner: 3 objects\n");
    const rewrapped = await local(
      "rewrap",
      ...all,
      "--recipient",
      "partner",
      "--config",
      "partner.json",
      "--to",
      "own.json",
    );
    expect(rewrapped.stdout).to.equal("rewrapped: 3 objects\nWrapped in:\n  annotation:x-s3ec/partner: 3 objects\n");
  });

  it("says in CSV, too, what was removed, and what of a recipient remains", async () => {
    const shared = ["s3://demo/csv", "partner", ...OWN];
    await local("put", "report", "s3://demo/csv", ...OWN);
    await local("recipients", "add", ...shared, "--to", "partner.json");
    await local("recipients", "add", ...shared, "--to", "partner.json", "--in", "instruction-file");
    const { stdout, code } = await local("recipients", "remove", ...shared, "--recursive", "--csv");
    expect(code).to.equal(0);
    const [head = "", line = ""] = stdout.split("\n");
    expect(head).to.match(/,problem,todo,removed,remaining,dropped$/);
    expect(line).to.match(/^csv,,removed,,,,,,,,annotation:x-s3ec\/partner\/[\w-]+ file:\.partner,,$/);
  });
});
