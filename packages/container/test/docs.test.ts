import { generateKeyPairSync, randomBytes } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  type AddedRecipient,
  addRecipient,
  listRecipients,
  type RewrappedObject,
  removeRecipient,
  rewrapObject,
  S3EncryptionClient,
} from "@s3ec/client";
import { createFromConfig } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { KmsKeyring, type KmsKeyringOptions } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { examples, run } from "./docs-examples.js";

const Bucket = "demo";
describe("the examples of the docs' pages", () => {
  let server: DevServer;
  let kms: KMSClient;
  before(async () => {
    server = await startDevServer({
      buckets: [Bucket, "archive"],
      aliases: ["alias/app-2024", "alias/app-2026", "alias/app"],
    });
    kms = new KMSClient({ ...server.clientConfig, maxAttempts: 1 });
  });
  after(async () => {
    kms.destroy();
    await server.close();
  });

  async function through<T>(keyring: Keyring, use: (client: S3EncryptionClient) => Promise<T>): Promise<T> {
    const client = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
    try {
      return await use(client);
    } finally {
      client.destroy();
    }
  }
  const write = (keyring: Keyring, Key: string) =>
    through(keyring, (client) => client.send(new PutObjectCommand({ Bucket, Key, Body: Key })));
  const read = (keyring: Keyring, Key: string) =>
    through(keyring, async (client) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return Body?.transformToString();
    });

  it("rotate-keys.md: KMS", async () => {
    // As in the page, against the local KMS.
    class LocalKmsKeyring extends KmsKeyring {
      constructor(options: KmsKeyringOptions) {
        super({ ...options, client: kms });
      }
    }
    const scope = { KmsKeyring: LocalKmsKeyring, MultiKeyring };
    const [kmsExample] = examples("rotate-keys.md");
    const { writer, reader } = await run<{ writer: Keyring; reader: Keyring }>(
      kmsExample,
      scope,
      "return { writer, reader };",
    );
    await write(new LocalKmsKeyring({ keyId: "alias/app-2024" }), "kms/2024");
    await write(writer, "kms/2026");
    expect(await read(reader, "kms/2024")).to.equal("kms/2024");
    expect(await read(reader, "kms/2026")).to.equal("kms/2026");
    const alone: unknown = await read(writer, "kms/2024").catch((error: unknown) => error);
    expect(alone).to.have.property("code", "no-matching-key");
  });

  it("share-with-a-partner.md", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const keyring = new KmsKeyring({ keyId: "alias/app", client: kms });
    const [add, , remove] = examples("share-with-a-partner.md");
    await through(keyring, async (client) => {
      const report = new PutObjectCommand({ Bucket, Key: "2026/report", Body: "2026/report" });
      await client.send(report, { encryptionContext: { tenant: "a" } });
      const scope = { addRecipient, RawRsaKeyring, client, partnerPublicKey: publicKey };
      const added = await run<AddedRecipient>(add, scope, "return added;");
      expect(added).to.have.property("verified", "unverified");
      const partner = new RawRsaKeyring({ privateKey });
      expect(await read(partner, "2026/report")).to.equal("2026/report");
      await run(remove, { removeRecipient, listRecipients, client, console: { log() {} } });
      const refused: unknown = await read(partner, "2026/report").catch((error: unknown) => error);
      expect(refused).to.have.property("code", "no-matching-key");
    });
  });

  it("rotate-keys.md: raw keys", async () => {
    const [key2024, key2026] = [randomBytes(32), randomBytes(32)];
    const [, example = ""] = examples("rotate-keys.md");
    const scope = { RawAesKeyring, key2024, key2026 };
    const rotated = await run<Keyring>(`const rotated = ${example}`, scope, "return rotated;");
    const former = new RawAesKeyring({ wrappingKey: key2024, materialDescription: { key: "2024" } });
    await write(former, "raw/2024");
    await write(rotated, "raw/2026");
    expect(await read(rotated, "raw/2024")).to.equal("raw/2024");
    expect(await read(rotated, "raw/2026")).to.equal("raw/2026");
    const alone: unknown = await read(former, "raw/2026").catch((error: unknown) => error);
    expect(alone).to.have.property("code", "decryption-failed");
  });

  it("rotate-keys.md: an object is moved", async () => {
    const [, , example, ...more] = examples("rotate-keys.md");
    expect(more).to.deep.equal([]);
    class LocalKmsKeyring extends KmsKeyring {
      constructor(options: KmsKeyringOptions) {
        super({ ...options, client: kms });
      }
    }
    const clients: S3EncryptionClient[] = [];
    class LocalClient extends S3EncryptionClient {
      constructor(configuration: ConstructorParameters<typeof S3EncryptionClient>[0]) {
        super({ ...server.clientConfig, ...configuration });
        clients.push(this);
      }
    }
    const object = { Bucket: "archive", Key: "2024/report" };
    const encryptionContext = { tenant: "a" };
    await through(new LocalKmsKeyring({ keyId: "alias/app-2024" }), (client) =>
      client.send(new PutObjectCommand({ ...object, Body: "moved" }), { encryptionContext }),
    );
    const scope = { KmsKeyring: LocalKmsKeyring, S3EncryptionClient: LocalClient, rewrapObject, console: { log() {} } };
    const result = await run<RewrappedObject>(example, scope, "return result;");
    expect(result).to.include({ verified: "envelope", isReencrypted: true });
    for (const client of clients) client.destroy();
    const body = await through(new LocalKmsKeyring({ keyId: "alias/app-2026" }), async (client) => {
      const { Body } = await client.send(new GetObjectCommand(object), { encryptionContext });
      return Body?.transformToString();
    });
    expect(body).to.equal("moved");
  });

  it("writing-for-old-readers.md", async () => {
    const [example, ...more] = examples("writing-for-old-readers.md");
    expect(more).to.deep.equal([]);
    class LocalClient extends S3EncryptionClient {
      constructor(configuration: ConstructorParameters<typeof S3EncryptionClient>[0]) {
        super({ ...server.clientConfig, ...configuration });
      }
    }
    const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    const scope = { S3EncryptionClient: LocalClient, region: server.region, keyring };
    const s3 = await run<S3EncryptionClient>(example, scope, "return s3;");
    await s3.send(new PutObjectCommand({ Bucket, Key: "v2", Body: "for all" }));
    const { Metadata = {} } = await s3.send(new HeadObjectCommand({ Bucket, Key: "v2" }));
    s3.destroy();
    expect(Metadata).to.include({ "x-amz-cek-alg": "AES/GCM/NoPadding", "x-amz-wrap-alg": "AES/GCM" });
    expect(Metadata).not.to.have.any.keys("x-amz-c", "x-amz-3");
  });

  it("assemble-a-key-hierarchy.md", async () => {
    const [example, ...more] = examples("assemble-a-key-hierarchy.md");
    expect(more).to.deep.equal([]);
    const opened: string[] = [];
    // The page's file names an escrow key that only its owner has; hierarchies.test.ts reads that file itself.
    const create = (file: string) => {
      opened.push(file);
      const configuration = { keyring: { type: "kms", keyId: "alias/app" } };
      return createFromConfig(configuration, { s3: server.clientConfig, kms: server.clientConfig });
    };
    const scope = { createFromConfig: create, PutObjectCommand, Bucket, Key: "assembled", Body: "x" };
    await run(example, scope);
    expect(opened).to.deep.equal(["app-with-escrow.json"]);
    const plain = new S3Client(server.clientConfig);
    const { Metadata = {} } = await plain.send(new HeadObjectCommand({ Bucket, Key: "assembled" }));
    plain.destroy();
    expect(Metadata["x-amz-t"]).to.equal('{"tenant":"a","aws:x-amz-cek-alg":"115"}');
  });
});
