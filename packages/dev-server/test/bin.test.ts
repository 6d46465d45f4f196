import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";

const bin = new URL("../dist/bin.js", import.meta.url).pathname;

async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...env } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const [code] = await once(child, "close");
  return { code, output };
}

describe("s3ec-dev-server", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    it(`prints a configuration that works, and ends at ${signal}`, async () => {
      const child = spawn(process.execPath, [bin, "--bucket", "more", "--access-key-id", "me"]);
      let output = "";
      for await (const text of child.stdout) {
        output += text;
        if (output.includes("Ctrl+C")) break;
      }
      expect(output).to.include("for development only");
      const configuration = JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1));
      expect(configuration.keyring).to.deep.equal({ type: "kms", keyId: "alias/app" });
      expect(configuration.s3.credentials.accessKeyId).to.equal("me");
      const s3 = new S3Client(configuration.s3);
      const kms = new KMSClient(configuration.kms);
      for (const Bucket of ["demo", "more"]) await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
      await kms.send(new EncryptCommand({ KeyId: configuration.keyring.keyId, Plaintext: Buffer.from("x") }));
      child.kill(signal);
      const [code] = await once(child, "exit");
      expect(code).to.equal(0);
      s3.destroy();
      kms.destroy();
    });

  it("says that its port is taken, and leaves nothing behind", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const TMPDIR = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    try {
      const { code, output } = await run(["--port", port], { TMPDIR });
      expect(output).to.match(/EADDRINUSE/);
      expect(code).to.equal(1);
      expect(await readdir(TMPDIR)).to.deep.equal([]);
    } finally {
      holder.close();
      await rm(TMPDIR, { recursive: true });
    }
  });

  it("explains itself", async () => {
    expect(await run(["--help"])).to.deep.include({ code: 0 });
    for (const args of [["--port", "x"], ["--port", "65536"], ["--unknown"], ["--tls-key", "key.pem"]]) {
      const { code, output } = await run(args);
      expect(code).to.equal(1);
      expect(output).to.include("Usage: s3ec-dev-server");
    }
  });
});
