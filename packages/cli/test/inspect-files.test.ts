import { randomBytes } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { inspectCommand } from "../dist/inspect-command.js";

const base64 = (length: number): string => randomBytes(length).toString("base64");

describe("s3ec inspect", () => {
  let server: DevServer;
  let client: S3Client;

  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    client = new S3Client({ ...server.clientConfig, maxAttempts: 1 });
  });
  after(async () => {
    client.destroy();
    await server.close();
  });

  async function store(key: string, metadata: Record<string, string>, files: Record<string, object>): Promise<void> {
    await server.putRawObject("demo", key, { body: randomBytes(32), metadata });
    for (const [suffix, file] of Object.entries(files)) {
      await server.putRawObject("demo", `${key}${suffix}`, { body: Buffer.from(JSON.stringify(file)), metadata: {} });
    }
  }
  const inspect = (Key: string): Promise<string> => inspectCommand(client, { Bucket: "demo", Key }, {});

  it("prints a description that is no map of strings as text, and without a terminal's commands", async () => {
    const v1 = { "x-amz-key": base64(48), "x-amz-iv": base64(16) };
    await store("ruby", {}, { ".instruction": { ...v1, "x-amz-matdesc": '{"version":2,"color":"\u009b31m"}' } });
    const printed = await inspect("ruby");
    expect(printed).to.contain('{"version":2,"color":"\\u009b31m"}, which is no map of strings and selects no key');
  });

  const dotnet = { EncryptedEnvelopeKey: base64(48), IV: base64(16) };
  it("finds the file of .NET's first client, and refuses it beside one of another object (1.6)", async () => {
    await store("alone", {}, { INSTRUCTION_SUFFIX: dotnet });
    expect(await inspect("alone")).to.contain("aloneINSTRUCTION_SUFFIX");
    const other = { "x-amz-key": base64(48), "x-amz-iv": base64(16) };
    await store("stale", {}, { INSTRUCTION_SUFFIX: dotnet, ".instruction": other });
    const error: unknown = await inspect("stale").catch((reason: unknown) => reason);
    expect(error).to.have.property("code", "malformed-envelope");
    await store("same", {}, { INSTRUCTION_SUFFIX: dotnet, ".instruction": { ...other, "x-amz-iv": dotnet.IV } });
    expect(await inspect("same")).to.contain("same.instruction");
  });

  it("takes a refusal of the second file for none (H34)", async () => {
    await store("denied", {}, { ".instruction": { "x-amz-key": base64(48), "x-amz-iv": dotnet.IV } });
    server.faults.add({ operation: "GetObject", key: "deniedINSTRUCTION_SUFFIX", status: 403 });
    expect(await inspect("denied")).to.contain("denied.instruction");
  });
});
