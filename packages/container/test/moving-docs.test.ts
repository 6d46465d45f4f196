import { createCipheriv, randomBytes } from "node:crypto";
import { CopyObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { migrateObject, S3EncryptionClient } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { ByObjectManager, type Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { examples, run } from "./docs-examples.js";

const Bucket = "demo";
describe("the examples of the pages about objects that move", () => {
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: [Bucket, "archive"] });
  });
  after(() => server.close());

  /** As in the pages, against the local server. */
  class LocalClient extends S3EncryptionClient {
    constructor(configuration: ConstructorParameters<typeof S3EncryptionClient>[0]) {
      super({ ...server.clientConfig, ...configuration });
    }
  }
  async function through<T>(keyring: Keyring, use: (client: S3EncryptionClient) => Promise<T>): Promise<T> {
    const client = new LocalClient({ encryption: { keyring } });
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

  it("leave-cbc.md", async () => {
    const [example, ...more] = examples("leave-cbc.md");
    expect(more).to.deep.equal([]);
    const [oldKey, dataKey, iv] = [randomBytes(32), randomBytes(32), randomBytes(16)];
    const cbc = createCipheriv("aes-256-cbc", dataKey, iv);
    const ecb = createCipheriv("aes-256-ecb", oldKey, null);
    await server.putRawObject(Bucket, "cbc", {
      body: Buffer.concat([cbc.update("from 2014"), cbc.final()]),
      metadata: {
        "x-amz-key": Buffer.concat([ecb.update(dataKey), ecb.final()]).toString("base64"),
        "x-amz-iv": iv.toString("base64"),
        "x-amz-matdesc": "{}",
      },
    });
    const printed: string[] = [];
    const newKeyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    const scope = {
      S3EncryptionClient: LocalClient,
      MultiKeyring,
      migrateObject,
      newKeyring,
      oldKeyring: new RawAesKeyring({ wrappingKey: oldKey }),
      region: server.region,
      Bucket,
      Key: "cbc",
      console: { log: (line: string) => printed.push(line) },
    };
    await run(example, scope);
    expect(printed).to.deep.equal(["last-modified, etag"]);
    expect(await read(newKeyring, "cbc")).to.equal("from 2014");
  });

  it("move-buckets.md", async () => {
    const [copying, wrapping, ...more] = examples("move-buckets.md");
    expect(more).to.deep.equal([]);
    const ours = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    const theirs = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    await write(ours, "a b+c");
    await write(ours, "for-them");
    const s3 = new LocalClient({ encryption: { keyring: ours } });
    const scope = { s3, CopyObjectCommand, S3EncryptionClient: LocalClient, ByObjectManager, ours, theirs };
    const names = { ...scope, from: Bucket, to: "archive", Key: "a b+c", region: server.region };
    await run(copying, names);
    const { Body, Metadata, ContentType } = await s3.send(new GetObjectCommand({ Bucket: "archive", Key: "a b+c" }));
    expect([await Body?.transformToString(), Metadata?.owner, ContentType]).to.deep.equal([
      "a b+c",
      "archive",
      "text/plain",
    ]);
    s3.destroy();
    await run(wrapping, names, "mover.destroy();");
    const moved = await through(theirs, async (client) => {
      const { Body: body } = await client.send(new GetObjectCommand({ Bucket: "archive", Key: "for-them" }));
      return body?.transformToString();
    });
    expect(moved).to.equal("for-them");
  });
});
