import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createFromConfig, explainConfiguration } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { describeOnSoftHsm } from "@s3ec/softhsm";
import { expect } from "chai";

const FILES = fileURLToPath(new URL("../../../docs/examples/hierarchies", import.meta.url));
const CONTEXT = { encryptionContext: { document: "Vertrag Nr. 7, für alle drei" } };
const OBJECT = { Bucket: "bucket", Key: "contract" };
const CONTENT = "for the application, the archive and the partner";

describeOnSoftHsm("one object for KMS, an HSM and a partner's RSA key", (hsm) => {
  let server: DevServer;
  let folder: string;
  let env: Record<string, string>;

  before(async () => {
    server = await startDevServer({ buckets: [OBJECT.Bucket], aliases: ["alias/app"], fsync: false });
    folder = mkdtempSync(join(tmpdir(), "s3ec-three-readers-"));
    env = { HSM_PIN: hsm().pin };
    hsm().importAes("archive-2026", "07", randomBytes(32));
    for (const file of readdirSync(FILES).filter((name) => name.startsWith("three-readers"))) {
      // As in the docs, but for where this machine has its module and how the test's token is called.
      const text = readFileSync(join(FILES, file), "utf8")
        .replace("/usr/lib/softhsm/libsofthsm2.so", hsm().module)
        .replace('"tokenLabel": "archive"', `"tokenLabel": "${hsm().tokenLabel}"`);
      writeFileSync(join(folder, file), text);
    }
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(join(folder, "partner.pub.pem"), publicKey.export({ type: "spki", format: "pem" }));
    writeFileSync(join(folder, "partner.pem"), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    await assembled("three-readers.json", (client) =>
      client.send(new PutObjectCommand({ ...OBJECT, Body: CONTENT }), CONTEXT),
    );
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await server.close();
  });
  beforeEach(() => server.clearRequests());

  async function assembled<T>(file: string, use: (client: Client) => Promise<T>): Promise<T> {
    const { endpoint, credentials, clientConfig } = server;
    const assembly = await createFromConfig(join(folder, file), {
      env,
      s3: clientConfig,
      kms: { endpoint, credentials, maxAttempts: 1 },
    });
    try {
      return await use(assembly.client);
    } finally {
      await assembly.dispose();
    }
  }

  for (const [reader, usesKms] of [
    ["app", true],
    ["archive", false],
    ["partner", false],
  ] as const) {
    it(`is opened by the ${reader} alone`, async () => {
      const text = await assembled(`three-readers.reader-${reader}.json`, async (client) => {
        const { Body } = await client.send(new GetObjectCommand(OBJECT), CONTEXT);
        return Body?.transformToString();
      });
      expect(text).to.equal(CONTENT);
      expect(server.requests.some(({ service }) => service === "kms")).to.equal(usesKms);
    });

    it(`is refused to the ${reader} under another context, before a key is used`, async () => {
      const outcome: unknown = await assembled(`three-readers.reader-${reader}.json`, (client) =>
        client.send(new GetObjectCommand(OBJECT)),
      ).catch((error: unknown) => error);
      expect(outcome).to.have.property("code", "context-mismatch");
      expect(server.requests.filter(({ service }) => service === "kms")).to.deep.equal([]);
    });
  }

  it("is one object, whose range the partner reads too", async () => {
    const plain = new S3Client(server.clientConfig);
    const { Metadata, Body } = await plain.send(new GetObjectCommand(OBJECT));
    expect(Metadata).to.deep.equal({});
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).toString("hex", 0, 3)).to.equal("020478");
    plain.destroy();
    const range = await assembled("three-readers.reader-partner.json", async (client) => {
      const output = await client.send(new GetObjectCommand({ ...OBJECT, Range: "bytes=8-18" }), CONTEXT);
      return output.Body?.transformToString();
    });
    expect(range).to.equal("application");
  });

  it("is explained: every reader, and where their wrapped keys are", async () => {
    const { written, readers } = await explainConfiguration(join(folder, "three-readers.json"), { env });
    expect(written[0]).to.match(/^Messages of the AWS Encryption SDK/);
    expect(written.filter((line) => line.endsWith("stored in the message's header."))).to.have.length(3);
    expect(readers).to.have.length(3);
  });
});

type Client = Awaited<ReturnType<typeof createFromConfig>>["client"];
