import { randomBytes } from "node:crypto";
import { utimesSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload, EncryptedUpload } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import {
  CachingMaterialsManager,
  DefaultMaterialsManager,
  type Keyring,
  type MaterialsManager,
  type RequestedObject,
} from "@s3ec/materials";
import { importExample, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { BUCKET, Fixture, get, put } from "./fixture.js";
import { DrivenUpload, MiB } from "./multipart.js";

interface Entry extends RequestedObject {
  readonly use: string;
  readonly outcome: string;
}

interface Guide {
  readonly KeyByPrefixManager: new (keyrings: Record<string, Keyring>) => MaterialsManager;
  readonly AuditLogManager: new (options: {
    manager: MaterialsManager;
    log: (entry: Entry) => void;
  }) => MaterialsManager;
}

async function guide<Name extends keyof Guide>(name: Name): Promise<Guide[Name]> {
  const page = await readFile(new URL("../../../docs/write-a-manager.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
  const code = blocks.find((each) => each.includes(`class ${name}`));
  return (await importExample<Guide>(import.meta.url, code ?? ""))[name];
}

/** Counts how often a key was asked to wrap and unwrap. */
class Counted extends RawAesKeyring {
  wraps = 0;
  unwraps = 0;

  constructor(name: string) {
    super({ wrappingKey: randomBytes(32), messageKey: { namespace: "tenants", name } });
  }

  override async onEncrypt(...given: Parameters<Keyring["onEncrypt"]>): ReturnType<Keyring["onEncrypt"]> {
    this.wraps++;
    return await super.onEncrypt(...given);
  }

  override async onDecrypt(...given: Parameters<Keyring["onDecrypt"]>): ReturnType<Keyring["onDecrypt"]> {
    this.unwraps++;
    return await super.onDecrypt(...given);
  }
}

describe("a manager knows what it is asked for", () => {
  let fixture: Fixture;
  let [a, b]: [Counted, Counted] = [new Counted("a"), new Counted("b")];

  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  beforeEach(() => {
    [a, b] = [new Counted("a"), new Counted("b")];
  });

  const byPrefix = async () => new (await guide("KeyByPrefixManager"))({ "a/": a, "b/": b });
  const read = async (client: ReturnType<Fixture["client"]>, key: string) => {
    const { Body } = await client.send(get(key));
    return await Body?.transformToString();
  };

  it("docs: each prefix has its key, and an object copied to another prefix does not open", async () => {
    const client = fixture.client({ materialsManager: await byPrefix() });
    await client.send(put("a/1", "of a"));
    await client.send(put("b/1", "of b"));
    expect([a.wraps, b.wraps]).to.deep.equal([1, 1]);
    expect([await read(client, "a/1"), await read(client, "b/1")]).to.deep.equal(["of a", "of b"]);
    const { body, metadata } = await fixture.stored("a/1");
    await fixture.server.putRawObject(BUCKET, "b/copy", { body, metadata });
    await refusal("decryption-failed", () => client.send(get("b/copy")));
    await refusal("invalid-argument", () => client.send(put("c/1", "of nobody")));
  });

  it("docs: a cache over keys by prefix shares a data key within a prefix, and never beyond", async () => {
    const manager = new CachingMaterialsManager({ manager: await byPrefix(), maxAgeMs: 60_000 });
    const client = fixture.client({ materialsManager: manager });
    for (const key of ["a/1", "b/1", "a/2", "b/2"]) await client.send(put(key, key));
    expect([a.wraps, b.wraps]).to.deep.equal([1, 1]);
    const alone = (keyring: Keyring) => fixture.client({ keyring });
    for (const [keyring, own, others] of [
      [a, "a/2", "b/2"],
      [b, "b/2", "a/2"],
    ] as const) {
      expect(await read(alone(keyring), own)).to.equal(own);
      await refusal("decryption-failed", () => read(alone(keyring), others));
    }
    // What was opened for one tenant is not handed out under the other one's name.
    expect(await read(client, "a/1")).to.equal("a/1");
    const { body, metadata } = await fixture.stored("a/1");
    await fixture.server.putRawObject(BUCKET, "b/copy", { body, metadata });
    await refusal("decryption-failed", () => client.send(get("b/copy")));
  });

  it("docs: the audit log names object, use and outcome of every request, in every format and way", async () => {
    const log: Entry[] = [];
    const manager = new DefaultMaterialsManager(a);
    const materialsManager = new (await guide("AuditLogManager"))({ manager, log: (entry) => log.push(entry) });
    const client = fixture.client({ materialsManager, formats: [new S3Format(), new AwsMessageFormat()] });
    await client.send(put("object"));
    await client.send(put("message"), { format: "message" });
    await new EncryptedUpload({ client, params: { Bucket: BUCKET, Key: "upload", Body: "x" } }).done();
    for (const key of ["object", "message"]) await read(client, key);
    const ranged = new GetObjectCommand({ Bucket: BUCKET, Key: "message", Range: "bytes=1-2" });
    await (await client.send(ranged)).Body?.transformToString();
    for (const Key of ["upload", "message"]) {
      const to = new Writable({ write: (_chunk, _encoding, done) => done() });
      await new EncryptedDownload({ client, params: { Bucket: BUCKET, Key }, to }).done();
    }
    await refusal("context-mismatch", () => client.send(get("object"), { encryptionContext: { tenant: "x" } }));
    expect(log.map(({ use, bucket, key, outcome }) => [use, bucket, key, outcome])).to.deep.equal([
      ["write", BUCKET, "object", "granted"],
      ["write", BUCKET, "message", "granted"],
      ["write", BUCKET, "upload", "granted"],
      ["read", BUCKET, "object", "granted"],
      ["read", BUCKET, "message", "granted"],
      ["read", BUCKET, "message", "granted"],
      ["read", BUCKET, "upload", "granted"],
      ["read", BUCKET, "message", "granted"],
      ["read", BUCKET, "object", "context-mismatch"],
    ]);
  });
});

describe("a cached data key", () => {
  it("serves no other object once one of its objects died: of a part, or a file, with other content (G11)", async () => {
    const fixture = await Fixture.start();
    const folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    try {
      const keyring = new Counted("died");
      const cached = new DefaultMaterialsManager(keyring);
      const manager = new CachingMaterialsManager({ manager: cached, maxAgeMs: 60_000 });
      manager.cachePartition = () => "all";
      const client = fixture.client({ keyring: undefined, materialsManager: manager } as never);
      const driven = async (length: number) => {
        const upload = await DrivenUpload.create(client, "driven");
        await upload.part(1, Buffer.alloc(5 * MiB, 1));
        return { upload, again: () => upload.part(1, Buffer.alloc(length, 2)) };
      };
      await (await driven(5)).upload.abort();
      await driven(5);
      expect(keyring.wraps).to.equal(1);
      for (const length of [5, 5 * MiB]) await refusal("content-mismatch", (await driven(length)).again());
      // Neither has a place any more.
      const { upload } = await driven(5);
      await upload.part(4, Buffer.alloc(5 * MiB, 3));
      await refusal("content-mismatch", upload.part(2, Buffer.alloc(6 * MiB, 3)));
      await driven(5);
      expect(keyring.wraps).to.equal(4);
      const file = join(folder, "file");
      await writeFile(file, Buffer.alloc(12 * MiB));
      const changing = new EncryptedUpload({ client, params: { Bucket: BUCKET, Key: "file" }, file, queueSize: 1 });
      changing.once("httpUploadProgress", () => utimesSync(file, 1, 1));
      await refusal("content-mismatch", changing.done());
      expect(keyring.wraps).to.equal(4);
      await client.send(put("next", "x"));
      expect(keyring.wraps).to.equal(5);
    } finally {
      await fixture.close();
      await rm(folder, { recursive: true });
    }
  });
});
