import { randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { addRecipient, type S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import {
  ByObjectManager,
  CachingMaterialsManager,
  DefaultMaterialsManager,
  type MaterialsManager,
} from "@s3ec/materials";
import { expect } from "chai";
import { base64, cbc, wrap } from "./craft.js";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";

const messageKey = { namespace: "n", name: "k" };
const OURS = randomBytes(32);
const [ours, theirs, stranger] = [OURS, randomBytes(32), randomBytes(32)].map(
  (wrappingKey, index) => new RawAesKeyring({ wrappingKey, materialDescription: { key: `${index + 1}` }, messageKey }),
) as [RawAesKeyring, RawAesKeyring, RawAesKeyring];
const LEGACY = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
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
  async function read(
    key: string,
    keyring: RawAesKeyring,
    options: Partial<S3EncryptionOptions> = {},
  ): Promise<string | undefined> {
    return (await fixture.client({ keyring, ...options }).send(get(key))).Body?.transformToString();
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
    const files = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    const messages = { formats: [new AwsMessageFormat(), new S3Format()] };
    const cases = [
      ["file", files, /in an instruction file/],
      ["message", messages, /may be a message/],
    ] as const;
    for (const [name, options, reason] of cases) {
      await store(`ours/${name}`, client(options));
      const error = await refusal(client(options).send(copy(`ours/${name}`, `partner/${name}`)));
      expect([error.code, reason.test(error.message)], error.message).to.deep.equal(["unsupported-operation", true]);
      expect(await fixture.keys(`partner/${name}`)).to.deep.equal([]);
    }
  });

  describe("of format V2, which commits to no key,", () => {
    it("is made once the content's tag has proven that the data key is its own", async () => {
      await store("ours/v2", client(LEGACY));
      await client(LEGACY).send(copy("ours/v2", "partner/v2"));
      expect(await read("partner/v2", theirs, LEGACY)).to.equal("content");
      expect((await refusal(read("partner/v2", ours, LEGACY))).code).to.be.oneOf([
        "no-matching-key",
        "decryption-failed",
      ]);
      const [before, now] = await Promise.all(["ours/v2", "partner/v2"].map((key) => fixture.stored(key)));
      expect(now?.body.equals(before?.body ?? Buffer.alloc(0))).to.equal(true);
      const content = ["x-amz-iv", "x-amz-cek-alg", "x-amz-tag-len", "x-amz-wrap-alg", "mine"];
      for (const name of content) expect(now?.metadata[name], name).to.equal(before?.metadata[name]);
      expect(now?.metadata["x-amz-key-v2"]).to.not.equal(before?.metadata["x-amz-key-v2"]);
    });

    it("is refused, and gives no key to the other owner, where the wrapped key is another object's", async () => {
      // Whoever may write to the bucket, and read the partner's, would have our rotator open it for them.
      await store("ours/secret", client(LEGACY));
      const { metadata } = await fixture.stored("ours/secret");
      await fixture.plain.send(
        new PutObjectCommand({ Bucket: BUCKET, Key: "ours/planted", Body: randomBytes(40), Metadata: metadata }),
      );
      const error = await refusal(client(LEGACY).send(copy("ours/planted", "partner/planted")));
      expect(error.code).to.equal("decryption-failed");
      expect(await fixture.keys("partner/planted")).to.deep.equal([]);
    });

    it("is refused before any key, and with no word about whether one opens it, where the content is CBC", async () => {
      const dataKey = randomBytes(32);
      const iv = randomBytes(16);
      for (const kek of [OURS, randomBytes(32)]) {
        const Metadata = {
          "x-amz-key-v2": base64(wrap.aesWrap(kek, dataKey)),
          "x-amz-iv": base64(iv),
          "x-amz-cek-alg": "AES/CBC/PKCS5Padding",
          "x-amz-wrap-alg": "AESWrap",
          "x-amz-matdesc": '{"key":"1"}',
        };
        const Body = cbc(dataKey, iv, Buffer.from("old content"));
        await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "ours/cbc", Body, Metadata }));
        const reader = client({
          ...LEGACY,
          enableLegacyUnauthenticatedModes: true,
          enableLegacyWrappingAlgorithms: true,
        });
        const error = await refusal(reader.send(copy("ours/cbc", "partner/cbc")));
        expect([error.code, error.message]).to.deep.equal([
          "unsupported-operation",
          "Another keyring serves the key that is copied to, and could not open the copy: the object is CBC content, which does not prove that its wrapped key is its own. Read it and put it there.",
        ]);
        expect(await fixture.keys("partner/cbc")).to.deep.equal([]);
      }
    });
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

  describe("of two rules, or by a manager that tells no partition,", () => {
    /** As somebody writes one: it says nothing of what its answers depend on. */
    const plainManager = (keyring: RawAesKeyring): MaterialsManager => {
      const inner = new DefaultMaterialsManager(keyring);
      return {
        wrapAlgorithms: inner.wrapAlgorithms,
        getEncryptionMaterials: (request) => inner.getEncryptionMaterials(request),
        getDecryptionMaterials: (request) => inner.getDecryptionMaterials(request),
      };
    };

    it("takes its recipients along where both name one keyring, and uses no key", async () => {
      const rules = ["one/", "two/"].map((prefix) => ({ bucket: BUCKET, prefix, keyring: ours }));
      const s3 = client({}, new ByObjectManager({ rules }));
      await store("one/a", s3);
      await addRecipient(s3, { Bucket: BUCKET, Key: "one/a", recipient: "partner", to: { keyring: theirs } });
      await s3.send(copy("one/a", "two/a"));
      expect(await fixture.metadata("two/a")).to.deep.equal(await fixture.metadata("one/a"));
      expect(await read("two/a", theirs)).to.equal("content");
    });

    it("is wrapped for the target's readers where they could not open it", async () => {
      const rules = [
        { bucket: BUCKET, prefix: "untold/", manager: plainManager(ours) },
        { bucket: BUCKET, prefix: "other/", manager: plainManager(theirs) },
      ];
      const s3 = client({}, new ByObjectManager({ rules }));
      await store("untold/a", s3);
      await s3.send(copy("untold/a", "other/a"));
      expect(await read("other/a", theirs)).to.equal("content");
    });

    it("stays as it is where they could, or where the source's could not, either", async () => {
      const s3 = client({}, plainManager(ours));
      await store("untold/b", s3);
      await s3.send(copy("untold/b", "other/b"));
      expect(await fixture.metadata("other/b")).to.deep.equal(await fixture.metadata("untold/b"));
      await client({}, plainManager(stranger)).send(copy("untold/b", "other/c"));
      expect(await fixture.metadata("other/c")).to.deep.equal(await fixture.metadata("untold/b"));
      // What its policy reads nowhere, it copies as S3 does.
      await store("untold/v2", client(LEGACY, plainManager(ours)));
      await client({}, plainManager(ours)).send(copy("untold/v2", "other/v2"));
      expect(await fixture.metadata("other/v2")).to.deep.equal(await fixture.metadata("untold/v2"));
    });
  });

  it("is refused where its metadata is replaced while it is prepared: a move would lose what was said meanwhile", async () => {
    await store("ours/said", client(LEGACY));
    const held = fixture.server.faults.pause({ operation: "GetObject", key: "ours/said" });
    const copied = refusal(client(LEGACY).send(copy("ours/said", "partner/said")));
    await held.reached;
    const Metadata = { ...(await fixture.metadata("ours/said")), mine: "later" };
    await fixture.plain.send(copy("ours/said", "ours/said", { MetadataDirective: "REPLACE", Metadata }));
    held.release();
    expect((await copied).code).to.equal("content-mismatch");
    expect(await fixture.keys("partner/said")).to.deep.equal([]);
  });

  it("leaves what is not encrypted alone", async () => {
    await fixture.plain.send(put("ours/plain", "in the clear"));
    await client().send(copy("ours/plain", "partner/plain"));
    expect((await fixture.stored("partner/plain")).body.toString()).to.equal("in the clear");
  });
});
