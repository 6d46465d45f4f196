import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { ObjectsSetting } from "../objects/objects-setting.js";
import { PrintedJson } from "./printed-json.js";

describe("what commands for many objects, and about one, print with --json", () => {
  let at: ObjectsSetting;
  let printed: PrintedJson;
  const configure = (name: string, keyring: object, more: object = {}): void =>
    writeFileSync(join(at.folder, name), JSON.stringify({ keyring, ...more }));
  const raw = (byte: number): object => ({
    type: "raw-aes",
    wrappingKey: { base64: Buffer.alloc(32, byte).toString("base64") },
    materialDescription: { key: String(byte) },
  });
  const run = async (command: string, ...args: string[]): Promise<Record<string, unknown>[]> =>
    await printed.of(command, await at.run(...command.split(" "), ...args, "--json"));
  const states = (lines: readonly Record<string, unknown>[]): unknown[] => lines.flatMap(({ state }) => state ?? []);

  before(async () => {
    at = await ObjectsSetting.start(["demo"]);
    printed = new PrintedJson(at.folder);
    const policy = { client: { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" } };
    const former = { client: { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } };
    configure("own.json", raw(1), policy);
    configure("next.json", raw(2), policy);
    configure("former.json", raw(1), former);
    configure(
      "messages.json",
      { ...raw(1), messageKey: { namespace: "a", name: "b" } },
      {
        client: { formats: [{ type: "aws-message" }, { type: "s3" }] },
      },
    );
    configure("kms.json", { type: "kms", keyId: "alias/app" });
    configure("escrow.json", raw(3), policy);
    configure("multi.json", {
      type: "multi",
      generator: raw(1),
      children: [{ keyring: raw(3), instructionFileSuffix: ".escrow" }],
    });
    at.write("report", "a report");
    await at.plain.send(new CreateBucketCommand({ Bucket: "kept" }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await at.plain.send(new PutBucketVersioningCommand({ Bucket: "kept", VersioningConfiguration }));
    for (const [key, configuration] of [
      ["demo/m/a", "own"],
      ["demo/m/b", "former"],
      ["demo/m/message", "messages"],
      ["demo/m/multi", "multi"],
      ["kept/a", "own"],
      ["kept/a", "own"],
    ]) {
      const put = await at.run("put", "report", `s3://${key}`, "--config", `${configuration}.json`);
      expect(put.stderr).to.equal("");
    }
    await at.putPlain("m/plain", "in the clear");
    await at.plain.send(
      new PutObjectCommand({ Bucket: "demo", Key: "m/broken", Body: "x", Metadata: { "x-amz-c": "115" } }),
    );
    await at.plain.send(new DeleteObjectCommand({ Bucket: "kept", Key: "gone" }));
  });
  after(() => at.end());

  it("fits the schemas of inspect and presign", async () => {
    const [a] = await run("inspect", "s3://demo/m/a");
    expect(a).to.deep.include({ bucket: "demo", key: "m/a", bytes: 8, storedBytes: 24, isCommitting: true });
    await run("inspect", "s3://demo/m/message", "--config", "messages.json");
    await run("inspect", "s3://demo/m/plain");
    await run("presign", "s3://demo/m/a");
    await run("presign", "s3://demo/m/multi", "--suffix", ".escrow");
    await run("presign", "s3://demo/m/plain");
    const own = ["--config", "own.json", "--to", "next.json"];
    await run("recipients add", "s3://demo/m/a", "auditor", ...own);
    await run("presign", "s3://demo/m/a", "--recipient", "auditor");
    await run("inspect", "s3://demo/m/a");
    await at.run("recipients", "remove", "s3://demo/m/a", "auditor", "--config", "own.json");
    for (const command of ["inspect", "presign"])
      expect(printed.unseen(command), command).to.deep.equal(["/error/left"]);
  });

  it("fits that of audit, whatever is asked and found", async () => {
    expect((await at.run("keygen", "kms", "alias/app")).code).to.equal(0);
    await run("recipients add", "s3://demo/m/a", "kms", "--config", "own.json", "--to", "kms.json");
    const found = await run("audit", "s3://demo/m/", "--recursive", "--suffix", ".escrow");
    expect(new Set(states(found))).to.include.all.keys(
      "encrypted",
      "message",
      "plain",
      "instruction-file",
      "unreadable",
    );
    await run("audit", "s3://kept", "--recursive");
    await run("audit", "s3://kept", "--recursive", "--versions", "--key-of", "own.json");
    await run("audit", "s3://demo", "--recursive", "--key-of", "own.json", "--key-of", "next.json");
    await run("audit", "s3://demo/m/", "--recursive", "--readable-by", "next.json");
    await run("audit", "s3://demo/none");
    await run("audit", "s3://demo/none/", "--recursive");
    at.server.faults.add({ operation: "HeadObject", key: "m/a", status: 403, code: "AccessDenied", times: 9 });
    const denied = await run("audit", "s3://demo/m/a");
    expect(states(denied)).to.deep.equal(["unknown"]);
    at.server.faults.clear();
    expect(printed.unseen("audit")).to.have.members(["/error/left"]);
  });

  it("fits that of verify", async () => {
    const lines = await run("verify", "s3://demo/m/", "--recursive", "--config", "own.json");
    expect(new Set(states(lines))).to.include.all.keys("verified", "plain", "failed");
    await run("verify", "s3://kept", "--recursive", "--versions", "--config", "own.json");
    await run("verify", "s3://demo/none", "--config", "own.json");
    await run("verify", "s3://demo/none/", "--recursive", "--config", "own.json");
    await run("verify", "s3://demo/m/", "--recursive", "--summary", "--config", "own.json");
    expect(printed.unseen("verify")).to.deep.equal(["/error/left"]);
  });

  it("fits those of rewrap and migrate, of one object and of many", async () => {
    const to = ["--config", "own.json", "--to", "next.json", "--settle-time", "0"];
    for (const command of ["rewrap", "migrate"]) {
      const dry = await run(command, "s3://demo/m/", "--recursive", "--dry-run", ...to);
      expect(new Set(states(dry)), command).to.include.all.keys("planned", "skipped", "failed");
      const [one] = await run(command, "s3://kept/a", "--dry-run", ...to);
      expect(one, command).to.deep.include({ bucket: "kept", key: "a", state: "planned" });
      await run(command, "s3://demo/none", ...to);
      await run(command, "s3://demo/none/", "--recursive", ...to);
      await run(command, "s3://kept", "--recursive", "--versions", "--dry-run", ...to);
    }
    expect(states(await run("rewrap", "s3://kept/a", ...to))).to.deep.equal(["rewrapped"]);
    const back = ["--config", "next.json", "--to", "own.json", "--settle-time", "0"];
    expect(states(await run("migrate", "s3://kept/a", ...back))).to.deep.equal(["migrated"]);
    expect(states(await run("rewrap", "s3://demo/m/", "--recursive", ...to))).to.include("rewrapped");
    expect(states(await run("rewrap", "s3://demo/m/", "--recursive", ...to))).to.include("current");
    const dropped = ["--config", "own.json", "--drop", ".escrow", "--settle-time", "0"];
    await at.run("put", "report", "s3://demo/dropped", "--config", "multi.json");
    await run("migrate", "s3://demo/dropped", ...dropped);
    const shared = ["--config", "own.json", "--to", "escrow.json"];
    await run("recipients add", "s3://demo/dropped", "partner", ...shared);
    const of = ["--config", "escrow.json", "--to", "own.json"];
    await run("rewrap", "s3://demo/dropped", "--recipient", "partner", ...of);
    await run("rewrap", "s3://demo/m/multi", "--suffix", ".escrow", ...of);
    expect(printed.unseen("rewrap")).to.deep.equal(["/error/left"]);
    expect(printed.unseen("migrate")).to.deep.equal(["/error/left"]);
  });

  it("fits those of recipients", async () => {
    const own = ["s3://kept/partner", "partner", "--config", "own.json"];
    await at.run("put", "report", "s3://kept/partner", "--config", "own.json");
    await run("recipients add", ...own, "--to", "next.json");
    await run("recipients add", ...own, "--to", "next.json");
    const listed = ["s3://kept/partner", "--config", "own.json"];
    const [found] = await run("recipients list", ...listed);
    expect(found?.recipients).to.have.nested.property("[0].state", "of this object");
    const versionId = (await at.head("partner", "kept")).VersionId ?? "";
    await run("recipients list", ...listed, "--version-id", versionId);
    await run("recipients list", "s3://kept/none", "--config", "own.json");
    const version = ["--version-id", versionId];
    expect(states(await run("recipients remove", ...own, ...version))).to.deep.equal(["removed"]);
    await run("recipients add", ...own, "--to", "next.json", ...version);
    at.server.faults.add({ operation: "DeleteObjectAnnotation", status: 403, code: "AccessDenied", times: 1 });
    await run("recipients remove", ...own);
    await run(
      "recipients add",
      "s3://kept/partner",
      "file",
      "--in",
      "instruction-file",
      ...own.slice(2),
      "--to",
      "next.json",
    );
    await run("recipients list", ...listed);
    // What fails of many, and what is left as it is.
    const many = ["s3://demo/m/", "partner", "--recursive", "--config", "own.json"];
    await at.run("put", "report", "s3://demo/m/fresh", "--config", "own.json");
    const all = await run("recipients add", ...many, "--to", "next.json");
    expect(new Set(states(all))).to.include.all.keys("added", "skipped", "refused", "failed");
    await run(
      "recipients add",
      "s3://kept",
      "partner",
      "--recursive",
      "--versions",
      ...own.slice(2),
      "--to",
      "next.json",
    );
    await run("recipients remove", "s3://kept", "partner", "--recursive", "--versions", "--dry-run", ...own.slice(2));
    at.server.faults.add({ operation: "DeleteObjectAnnotation", status: 503, code: "SlowDown", times: 3 });
    expect(states(await run("recipients remove", ...many))).to.include.members(["failed", "current"]);
    at.server.faults.clear();
    expect(states(await run("recipients remove", ...many))).to.include.members(["removed", "current"]);
    for (const name of ["file", "partner"]) {
      const removed = await run("recipients remove", "s3://kept/partner", name, ...own.slice(2));
      expect(states(removed), name).to.deep.equal(["removed"]);
    }
    for (const verb of ["add", "list", "remove"]) {
      const unseen = printed.unseen(`recipients ${verb}`).filter((path) => !path.startsWith("/remaining"));
      expect(unseen, verb).to.deep.equal(["/error/left"]);
    }
  });
});
