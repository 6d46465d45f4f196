import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { type Outcome, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const rawAes = (key: string) => ({
  type: "raw-aes",
  wrappingKey: { base64: randomBytes(32).toString("base64") },
  materialDescription: { key },
});

describe("s3ec rewrap", () => {
  const { folder, remove } = temporaryFolder();
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"], aliases: ["alias/app", "alias/next"] });
    const kms = (keyId: string) => ({ keyring: { type: "kms", keyId } });
    const both = { use: "old", configurations: { old: kms("alias/app"), new: kms("alias/next") } };
    writeFileSync(join(folder, "kms.json"), JSON.stringify(both));
    writeFileSync(join(folder, "2024.json"), JSON.stringify({ keyring: rawAes("2024") }));
    writeFileSync(join(folder, "2026.json"), JSON.stringify({ keyring: rawAes("2026") }));
    writeFileSync(join(folder, "report"), "a report");
  });
  after(async () => {
    await server.close();
    remove();
  });

  const local = (...args: string[]): Promise<Outcome> => s3ec([...args, "--dev-server", server.endpoint], folder);

  it("moves an object to the key of another configuration", async () => {
    await local("put", "report", "s3://demo/raw", "--config", "2024.json");
    const done = await local("rewrap", "s3://demo/raw", "--config", "2024.json", "--to", "2026.json");
    expect(done.stderr).to.equal("");
    expect(done.stdout).to.match(
      /^The data key of s3:\/\/demo\/raw is wrapped with AES\/GCM now, in its metadata\.\nThe new key opens it\.\nNot as before: last-modified/,
    );
    expect((await local("get", "s3://demo/raw", "out", "--config", "2024.json")).code).to.equal(6);
    expect((await local("get", "s3://demo/raw", "out", "--config", "2026.json")).code).to.equal(0);
    expect(readFileSync(join(folder, "out"), "utf8")).to.equal("a report");
  });

  it("believes a store to check what a copy replaces where it is told so", async () => {
    for (const [command, flags, isTold] of [
      ["rewrap", ["--to", "2026.json"], true],
      ["rewrap", ["--to", "2026.json"], false],
      ["migrate", ["--allow-loss", "annotations"], true],
    ] as const) {
      await local("put", "report", "s3://demo/checked", "--config", "2024.json");
      server.clearRequests();
      const told = isTold ? ["--checks-target"] : [];
      const args = ["--config", "2024.json", ...flags, "--settle-time", "0", ...told];
      const { code, stdout, stderr } = await local(command, "s3://demo/checked", ...args);
      expect({ command, code, stderr }).to.deep.equal({ command, code: 0, stderr: "" });
      expect(stdout.includes("unpinned-metadata")).to.equal(!isTold);
      if (command === "migrate") continue;
      const [copy] = server.requests.filter(({ operation }) => operation === "CopyObject");
      expect(copy?.headers["if-match"]).to.match(/^"/);
      // Time sees metadata, which a tag does not; without a condition on the target both are needed of the source.
      expect("x-amz-copy-source-if-unmodified-since" in (copy?.headers ?? {})).to.equal(isTold);
      expect("x-amz-copy-source-if-match" in (copy?.headers ?? {})).to.equal(!isTold);
    }
  });

  it("leaves a data key in KMS, between two configurations of one file", async () => {
    const context = ["--context", "tenant=a"];
    await local("put", "report", "s3://demo/kms", "--config", "kms.json", ...context);
    const config = ["--config", "kms.json", "--to-use", "new", "--same-owner", ...context];
    const { stdout, stderr } = await local("rewrap", "s3://demo/kms", ...config, "--to-context", "tenant=b");
    expect(stderr).to.equal("");
    expect(stdout).to.contain("wrapped with kms+context now").and.contain("It did not leave KMS.");
    const read = ["get", "s3://demo/kms", "out", "--config", "kms.json", "--use", "new"];
    expect((await local(...read, ...context)).code).to.equal(5);
    expect((await local(...read, "--context", "tenant=b")).code).to.equal(0);
  });

  it("moves a recipient's annotation, and leaves the object's own wrap", async () => {
    writeFileSync(join(folder, "partner.json"), JSON.stringify({ keyring: rawAes("partner") }));
    writeFileSync(join(folder, "partner-2026.json"), JSON.stringify({ keyring: rawAes("partner 2026") }));
    const object = "s3://demo/shared";
    await local("put", "report", object, "--config", "2024.json");
    await local("recipients", "add", object, "partner", "--config", "2024.json", "--to", "partner.json");
    const config = ["--config", "partner.json", "--to", "partner-2026.json"];
    const { stdout, stderr } = await local("rewrap", object, "--recipient", "partner", ...config);
    expect(stderr).to.equal("");
    expect(stdout).to.match(
      /^The data key of s3:\/\/demo\/shared is wrapped with AES\/GCM now, in the annotation x-s3ec\/partner\/[\da-f-]{36}\.\nThe new key opens it\.\n$/,
    );
    const read = async (name: string) => (await local("get", object, "out", "--config", name)).code;
    expect([await read("2024.json"), await read("partner-2026.json"), await read("partner.json")]).to.deep.equal([
      0, 0, 6,
    ]);
  });

  it("refuses a prefix, and to be told nothing new", async () => {
    for (const prefix of ["s3://demo", "s3://demo/", "s3://demo/2026/"]) {
      const { code, stderr } = await s3ec(["rewrap", prefix, "--to", "2026.json"], folder);
      expect(code).to.equal(2);
      expect(stderr).to.contain("--recursive");
    }
    const { code, stderr } = await s3ec(["rewrap", "s3://demo/raw", "--config", "2024.json"], folder);
    expect(code).to.equal(2);
    expect(stderr).to.contain("--to names its configuration");
    const wrong = await local(
      "rewrap",
      "s3://demo/raw",
      "--config",
      "2026.json",
      "--to",
      "2024.json",
      "--allow-loss",
      "x",
    );
    expect(wrong.code).to.equal(2);
    expect(wrong.stderr).to.contain("allowLoss");
  });
});
