import { randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { S3EncryptionClient, S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { ByObjectManager, CachingMaterialsManager, type MaterialsManager } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";

const messageKey = { namespace: "n", name: "k" };
const [ours, theirs, stranger] = [1, 2, 3].map(
  (index) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: `${index}` }, messageKey }),
) as [RawAesKeyring, RawAesKeyring, RawAesKeyring];
const manager = new ByObjectManager({
  rules: [
    { bucket: BUCKET, prefix: "ours/", keyring: ours },
    { bucket: BUCKET, prefix: "partner/", keyring: theirs },
  ],
});

describe("a copy to where another keyring is chosen", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  const client = (options: Partial<S3EncryptionOptions> = {}, materialsManager: MaterialsManager = manager) =>
    fixture.client({ materialsManager, ...options });
  const copy = (from: string, Key: string, more: Partial<CopyObjectCommandInput> = {}) =>
    new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource: `${BUCKET}/${from}`, ...more });
  const store = (Key: string, s3: S3EncryptionClient = client()) =>
    s3.send(
      new PutObjectCommand({
        Bucket: BUCKET,
        Key,
        Body: "content",
        Metadata: { mine: "1" },
        ContentType: "text/plain",
        CacheControl: "no-store",
      }),
    );
  async function read(key: string, keyring: RawAesKeyring): Promise<string | undefined> {
    return (await fixture.client({ keyring }).send(get(key))).Body?.transformToString();
  }

  it("is wrapped for its readers, with the content, its commitment and what else a copy takes along", async () => {
    for (const materialsManager of [manager, new CachingMaterialsManager({ manager, maxAgeMs: 60_000 })]) {
      const s3 = client({}, materialsManager);
      await store("ours/a", s3);
      await s3.send(copy("ours/a", "partner/a"));
      expect(await read("partner/a", theirs)).to.equal("content");
      expect((await refusal(read("partner/a", ours))).code).to.be.oneOf(["no-matching-key", "decryption-failed"]);
      const [before, now] = [await fixture.metadata("ours/a"), await fixture.metadata("partner/a")];
      for (const name of ["x-amz-c", "x-amz-d", "x-amz-i", "mine"]) expect(now[name]).to.equal(before[name]);
      const head = await fixture.plain.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "partner/a" }));
      expect(head).to.include({ ContentType: "text/plain", CacheControl: "no-store" });
    }
  });

  it("takes the caller's metadata and headers where it replaces them", async () => {
    await store("ours/b");
    await client().send(copy("ours/b", "partner/b", { MetadataDirective: "REPLACE", Metadata: { mine: "2" } }));
    expect(await read("partner/b", theirs)).to.equal("content");
    const head = await fixture.plain.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "partner/b" }));
    expect([head.Metadata?.mine, head.CacheControl]).to.deep.equal(["2", undefined]);
  });

  it("stays as it is where the same keyring serves both, and asks for no key", async () => {
    await store("ours/c");
    await client().send(copy("ours/c", "ours/d"));
    expect(await fixture.metadata("ours/d")).to.deep.equal(await fixture.metadata("ours/c"));
    // One that knows nothing of bucket and key has one keyring for all.
    await fixture.client({ keyring: stranger }).send(copy("ours/c", "partner/c"));
    expect(await fixture.metadata("partner/c")).to.deep.equal(await fixture.metadata("ours/c"));
  });

  it("is refused, and nothing is written, where only reading and putting it again would do", async () => {
    const legacy = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
    const files = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    const messages = { formats: [new AwsMessageFormat(), new S3Format()] };
    const cases = [
      ["v2", legacy, /does not prove/],
      ["file", files, /in an instruction file/],
      ["message", messages, /may be a message/],
    ] as const;
    for (const [name, options, reason] of cases) {
      await store(`ours/${name}`, client(options));
      const error = await refusal(client(options).send(copy(`ours/${name}`, `partner/${name}`)));
      expect([error.code, reason.test(error.message)], error.message).to.deep.equal(["unsupported-operation", true]);
      expect(await fixture.keys(`partner/${name}`)).to.deep.equal([]);
    }
    // With no word about whether a key opens it.
    await fixture.client({ keyring: stranger, ...legacy }).send(put("ours/v2"));
    expect((await refusal(client(legacy).send(copy("ours/v2", "partner/v2")))).message).to.match(/does not prove/);
  });

  it("is refused where no rule names the target, or the source's keyring does not open it", async () => {
    await store("ours/e");
    expect((await refusal(client().send(copy("ours/e", "elsewhere")))).code).to.equal("invalid-argument");
    await fixture.client({ keyring: stranger }).send(put("ours/f"));
    expect((await refusal(client().send(copy("ours/f", "partner/f")))).code).to.be.oneOf([
      "no-matching-key",
      "decryption-failed",
    ]);
    expect([...(await fixture.keys("elsewhere")), ...(await fixture.keys("partner/f"))]).to.deep.equal([]);
  });

  it("leaves what is not encrypted alone", async () => {
    await fixture.plain.send(put("ours/plain", "in the clear"));
    await client().send(copy("ours/plain", "partner/plain"));
    expect((await fixture.stored("partner/plain")).body.toString()).to.equal("in the clear");
  });
});
