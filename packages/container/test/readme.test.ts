import { execFile } from "node:child_process";
import { constants, createCipheriv, publicEncrypt, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { explainConfiguration } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { environmentFor } from "@s3ec/test-support";
import { expect } from "chai";
import { escrowExample, escrowPair, repository } from "./fixture.js";

const run = promisify(execFile);

function blocks(readme: string, language: string): string[] {
  const text = readFileSync(join(repository, readme), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, tag, code]) =>
    tag === language && code !== undefined ? [code] : [],
  );
}

describe("the README files", () => {
  // Each example is a process of its own.
  let server: DevServer;
  let example: ReturnType<typeof escrowExample>;

  before(async () => {
    server = await startDevServer({ buckets: ["demo"], aliases: ["alias/app"], region: "eu-west-1" });
    example = escrowExample();
    example.write("java.pem", escrowPair.privateKey);
    await storeAsJavaDid("Written in 2019.");
  });
  after(async () => {
    await server.close();
    example.remove();
  });

  /** As the Java SDK v1 wrote it in its AuthenticatedEncryption mode (docs/formats.md 2.1). */
  async function storeAsJavaDid(text: string): Promise<void> {
    const dataKey = randomBytes(32);
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", dataKey, iv);
    const body = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const wrapped = publicEncrypt({ key: escrowPair.publicKey, padding, oaepHash: "sha256" }, dataKey);
    await server.putRawObject("demo", "2019/report", {
      body,
      metadata: {
        "x-amz-key-v2": wrapped.toString("base64"),
        "x-amz-iv": iv.toString("base64"),
        "x-amz-matdesc": "{}",
        "x-amz-wrap-alg": "RSA/ECB/OAEPWithSHA-256AndMGF1Padding",
        "x-amz-cek-alg": "AES/GCM/NoPadding",
        "x-amz-tag-len": "128",
      },
    });
  }

  async function execute(code: string): Promise<string> {
    const path = example.write("block.mjs", code);
    const { stdout } = await run(process.execPath, [path], { cwd: example.folder, env: environmentFor(server) });
    return stdout;
  }

  it("show code that works: the root README", async () => {
    const [readJava, hierarchy, fromConfig, plugin, message, keyring, conformance, ...more] = blocks("README.md", "js");
    expect(more).to.deep.equal([]);
    expect(await execute(readJava ?? "")).to.equal("Written in 2019.\n");
    await execute(hierarchy ?? "");
    expect(await execute(fromConfig ?? "")).to.equal("of all kinds\n");
    expect(await execute(plugin ?? "")).to.equal("of all kinds\n");
    await execute(message ?? "");
    const partner = new S3EncryptionClient({
      ...server.clientConfig,
      encryption: {
        keyring: new RawRsaKeyring({
          privateKey: escrowPair.privateKey,
          messageKey: { namespace: "partner", name: "rsa-1" },
        }),
        formats: [new S3Format(), new AwsMessageFormat()],
      },
    });
    const shared = await partner.send(new GetObjectCommand({ Bucket: "demo", Key: "shared" }));
    expect(await shared.Body?.transformToString()).to.equal("for both");
    partner.destroy();

    // A vault: wraps with a key of its own, bound to what it is told.
    example.write(
      "vault.mjs",
      `import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
      const key = randomBytes(32);
      export const vault = {
        async wrap(bytes, binding) {
          const iv = randomBytes(12);
          const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(binding));
          return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
        },
        async unwrap(blob, binding) {
          const decipher = createDecipheriv("aes-256-gcm", key, blob.subarray(0, 12), { authTagLength: 16 });
          decipher.setAAD(Buffer.from(binding)).setAuthTag(blob.subarray(-16));
          return Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
        },
      };`,
    );
    const keyringPath = example.write("vault-keyring.mjs", keyring ?? "");
    const suite = example.write("conformance.mjs", conformance ?? "");
    const mocha = join(repository, "node_modules/mocha/bin/mocha.js");
    const { stdout } = await run(process.execPath, [mocha, "--no-config", "--reporter", "json", suite]);
    expect(JSON.parse(stdout).stats).to.include({ failures: 0 }).and.property("passes").above(10);

    const { vaultKeyring } = await import(pathToFileURL(keyringPath).href);
    const { vault } = await import(pathToFileURL(join(example.folder, "vault.mjs")).href);
    const client = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring: vaultKeyring(vault) } });
    await client.send(new PutObjectCommand({ Bucket: "demo", Key: "vault", Body: "hello" }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket: "demo", Key: "vault" }));
    expect(await Body?.transformToString()).to.equal("hello");
    client.destroy();
  });

  it("show code that works: this package's README", async () => {
    const [create, plugin, managers, ...more] = blocks("packages/container/README.md", "js");
    expect(more).to.deep.equal([]);
    await execute(create ?? "");
    // Read and written with in plugins.test.ts and plugged-managers.test.ts.
    expect(plugin).to.contain("acme-sealed");
    expect(managers).to.contain("acme-key-by-prefix");
    const [stored, reader, byObject, ...moreJson] = blocks("packages/container/README.md", "json").map((text) =>
      JSON.parse(text),
    );
    expect(moreJson).to.deep.equal([]);
    expect(stored).to.deep.equal(JSON.parse(readFileSync(example.path, "utf8")));
    const { written } = await explainConfiguration(byObject);
    expect(written).to.include(
      'The data key of each object under "tenant-a/" is wrapped with the KMS key alias/tenant-a, stored in the object\'s metadata.',
    );
    example.write("s3ec.config.json", JSON.stringify(reader));
    const read = blocks("README.md", "js")[2]
      ?.replace("escrow.config.json", "s3ec.config.json")
      .replace(/, \{\n.*\n\}\)/, ")");
    expect(await execute(read ?? "")).to.equal("of all kinds\n");
  });
});
