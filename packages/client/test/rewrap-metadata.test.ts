import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { type RewrapOptions, type RewrappedObject, rewrapObject, type S3EncryptionOptions } from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { DefaultMaterialsManager, type Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";

const V2: Partial<S3EncryptionOptions> = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" };
/** As of AWS, at a pace that tests may have. */
const ON_AWS = { checksTarget: true, settleTime: 0 } as const;
const LONG_AGO = new Date(Date.now() - 60_000);

const aes = (key: string): RawAesKeyring =>
  new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } });

describe("rewrapObject with the wrap in the metadata", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const old = aes("2024");
  const next = aes("2026");
  const rsa = new RawRsaKeyring({
    ...generateKeyPairSync("rsa", { modulusLength: 3072 }),
    materialDescription: { k: "r" },
  });

  /** Stored long ago, so that what is done now has another time. */
  async function store(key: string, options: Partial<S3EncryptionOptions> = {}, metadata = {}): Promise<void> {
    const writer = fixture.client({ keyring: old, ...options });
    await writer.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: "content", Metadata: metadata }));
    const stored = await fixture.stored(key);
    await fixture.server.putRawObject(BUCKET, key, { ...stored, modified: LONG_AGO });
  }

  function rewrap(
    Key: string,
    to: Keyring,
    more: Partial<RewrapOptions> = {},
    options: Partial<S3EncryptionOptions> = {},
  ): Promise<RewrappedObject> {
    const client = fixture.client({ keyring: old, ...options });
    return rewrapObject(client, { Bucket: BUCKET, Key, to: { keyring: to }, ...ON_AWS, ...more });
  }

  async function read(key: string, keyring: Keyring, options: Partial<S3EncryptionOptions> = {}, suffix?: string) {
    const call = suffix === undefined ? {} : { instructionFileSuffix: suffix };
    const { Body } = await fixture.client({ keyring, ...options }).send(get(key), call);
    return await Body?.transformToString();
  }

  const operations = (key: string): string[] =>
    fixture.server.requests.filter((request) => request.key === key).map(({ operation }) => operation);

  it("asks for an object that holds the new keyring, where it is given by itself or not at all", async () => {
    const client = fixture.client({ keyring: old });
    const tell = async (to: unknown): Promise<string> => {
      const options = { Bucket: BUCKET, Key: "k", ...(to === undefined ? {} : { to }) };
      const error = await refusal(rewrapObject(client, options as never));
      expect(error.code).to.equal("invalid-argument");
      return error.message;
    };
    fixture.server.clearRequests();
    expect(await tell(rsa)).to.equal("rewrapObject's to is an object that holds the keyring: write to: { keyring }.");
    expect(await tell(new DefaultMaterialsManager(rsa))).to.contain("write to: { materialsManager }");
    expect(await tell(undefined)).to.contain("to: {} for the client's own keyring");
    expect(fixture.server.requests).to.deep.equal([]);
  });

  for (const [format, options] of Object.entries({ V2, V3: {} })) {
    it(`replaces the wrap of ${format} and keeps the rest, without reading the content`, async () => {
      const key = `kept-${format}`;
      await store(key, options, { owner: "me", "x-note": "a, b" });
      const before = await fixture.stored(key);
      fixture.server.clearRequests();
      const result = await rewrap(key, rsa, { owner: "same" }, options);
      expect(operations(key)).to.include("CopyObject").and.not.include("GetObject").and.not.include("PutObject");
      expect(result.place).to.deep.equal({ in: "metadata" });
      expect(result).to.include({ wrapAlgorithm: "RSA-OAEP-SHA1", verified: "envelope" });
      expect(result.changed).to.include("last-modified");
      const after = await fixture.stored(key);
      expect(after.body.equals(before.body)).to.equal(true);
      const changed = Object.keys({ ...before.metadata, ...after.metadata }).filter(
        (name) => before.metadata[name] !== after.metadata[name],
      );
      const expected =
        format === "V3" ? ["x-amz-3", "x-amz-m", "x-amz-w"] : ["x-amz-key-v2", "x-amz-matdesc", "x-amz-wrap-alg"];
      expect(changed).to.have.members(expected);
      expect(await read(key, rsa, options)).to.equal("content");
      await refusal(read(key, old, options));
    });
  }

  it("leaves children's files, which are of the same data key, and annotations as they are", async () => {
    const escrow = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
    const children = [{ keyring: escrow, instructionFileSuffix: ".escrow" }];
    await store("family", { keyring: new MultiKeyring({ generator: old, children }) });
    const note = { Bucket: BUCKET, Key: "family", AnnotationName: "note", AnnotationPayload: Buffer.from("mine") };
    await fixture.plain.send(new PutObjectAnnotationCommand(note));
    const file = await fixture.stored("family.escrow");
    await rewrap("family", new MultiKeyring({ generator: next, children }));
    expect(await fixture.stored("family.escrow")).to.deep.equal(file);
    expect(await read("family", next)).to.equal("content");
    expect(await read("family", escrow, {}, ".escrow")).to.equal("content");
    const { ListObjectAnnotationsCommand } = await import("@aws-sdk/client-s3");
    const { Annotations = [] } = await fixture.plain.send(
      new ListObjectAnnotationsCommand({ Bucket: BUCKET, Key: "family" }),
    );
    expect(Annotations.map(({ AnnotationName }) => AnnotationName)).to.deep.equal(["note"]);
  });

  it("names the version that keeps the old wrap", async () => {
    const Bucket = "kept-versions";
    const { CreateBucketCommand } = await import("@aws-sdk/client-s3");
    await fixture.plain.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await fixture.plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const writer = fixture.client({ keyring: old });
    const { VersionId } = await writer.send(new PutObjectCommand({ Bucket, Key: "v", Body: "content" }));
    const result = await rewrap("v", next, { Bucket, checksTarget: false });
    expect(result.replacedVersionId).to.equal(VersionId);
    expect(result.changed).to.include("version-id").and.include("unpinned-metadata");
    const before = await writer.send(new GetObjectCommand({ Bucket, Key: "v", VersionId: VersionId ?? "" }));
    expect(await before.Body?.transformToString()).to.equal("content");
  });

  // The sequences of two clients.

  it("lets one of two rewraps win, and says to the other that it did not", async () => {
    await store("two");
    const held = fixture.server.faults.pause({ operation: "CopyObject", key: "two" });
    const first = refusal(rewrap("two", rsa));
    await held.reached;
    await rewrap("two", next);
    held.release();
    expect((await first).code).to.equal("content-mismatch");
    expect(await read("two", next)).to.equal("content");
  });

  it("does not write over a change of metadata, which the tag does not see", async () => {
    await store("noted", {}, { note: "old" });
    const held = fixture.server.faults.pause({ operation: "CopyObject", key: "noted" });
    const rewrapping = refusal(rewrap("noted", next));
    await held.reached;
    const { metadata } = await fixture.stored("noted");
    const change = {
      Bucket: BUCKET,
      Key: "noted",
      CopySource: `${BUCKET}/noted`,
      MetadataDirective: "REPLACE",
      Metadata: { ...metadata, note: "new" },
    } as const;
    await fixture.plain.send(new CopyObjectCommand(change));
    held.release();
    expect((await rewrapping).code).to.equal("content-mismatch");
    expect((await fixture.stored("noted")).metadata).to.include({ note: "new" });
    expect(await read("noted", old)).to.equal("content");
  });

  it("says no success where a change of metadata that was prepared before it puts the old wrap back", async () => {
    await store("back", {}, { note: "old" });
    const { metadata } = await fixture.stored("back");
    const held = fixture.server.faults.pause({ operation: "CopyObject", key: "back", at: "answer" });
    const rewrapping = refusal(rewrap("back", next));
    await held.reached;
    const change = {
      Bucket: BUCKET,
      Key: "back",
      CopySource: `${BUCKET}/back`,
      MetadataDirective: "REPLACE",
      Metadata: { ...metadata, note: "new" },
    } as const;
    await fixture.plain.send(new CopyObjectCommand(change));
    held.release();
    expect((await rewrapping).code).to.equal("content-mismatch");
    expect(await read("back", old)).to.equal("content");
  });

  it("puts no envelope onto newer content", async () => {
    await store("newer");
    for (const options of [{}, { checksTarget: false }]) {
      const held = fixture.server.faults.pause({ operation: "CopyObject", key: "newer" });
      const rewrapping = refusal(rewrap("newer", next, options));
      await held.reached;
      await fixture.client({ keyring: old }).send(put("newer", "newer"));
      held.release();
      expect((await rewrapping).code).to.equal("content-mismatch");
      expect(await read("newer", old)).to.equal("newer");
      await store("newer");
    }
  });

  it("begins anew where the object changed before the copy is prepared", async () => {
    await store("anew");
    let heads = 0;
    const client = fixture.client({ keyring: old });
    client.middlewareStack.add(
      (following, context) => async (args) => {
        const result = await following(args);
        if (context.commandName === "HeadObjectCommand" && ++heads === 1) {
          await fixture.client({ keyring: old }).send(put("anew", "another"));
        }
        return result;
      },
      { step: "initialize", name: "meanwhile" },
    );
    await rewrapObject(client, { Bucket: BUCKET, Key: "anew", to: { keyring: next }, settleTime: 0 });
    expect(await read("anew", next)).to.equal("another");
  });

  it("takes its own envelope for success where the answer was lost", async () => {
    await store("lost");
    fixture.server.faults.add({ operation: "CopyObject", key: "lost", performed: true });
    await rewrap("lost", next);
    expect(await read("lost", next)).to.equal("content");
  });

  // What is refused before anything is written.

  it("refuses an envelope that does not fit any more, and names annotations", async () => {
    await store("full", {}, { note: "x".repeat(1500) });
    fixture.server.clearRequests();
    const { code, message } = await refusal(rewrap("full", rsa));
    expect(code).to.equal("invalid-argument");
    expect(message).to.contain("2048 bytes").and.contain("annotation").and.contain("addRecipient");
    expect(operations("full")).to.not.include("CopyObject");
    expect(await read("full", old)).to.equal("content");
  });

  it("uses no key and writes nothing for what it may not", async () => {
    await store("wrong");
    const options = { allowLoss: ["nothing"] } as unknown as RewrapOptions;
    fixture.server.clearRequests();
    expect((await refusal(rewrap("wrong", next, options))).code).to.equal("invalid-argument");
    expect((await refusal(rewrap("wrong", next, { settleTime: -1 }))).code).to.equal("invalid-argument");
    expect(operations("wrong")).to.deep.equal([]);
    const strict = await refusal(rewrap("wrong", next, {}, { keyring: aes("none") }));
    expect(strict.code).to.equal("decryption-failed");
    await store("kms-context");
    const { body, metadata } = await fixture.stored("kms-context");
    const sse = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "key-1" } as const;
    const object = { Bucket: BUCKET, Key: "kms-context", Body: body, Metadata: metadata, ...sse };
    await fixture.plain.send(new PutObjectCommand(object));
    const { code, message } = await refusal(rewrap("kms-context", next));
    expect(code).to.equal("unsupported-operation");
    expect(message).to.contain("kms-context");
    await rewrap("kms-context", next, { allowLoss: ["kms-context"], checksTarget: false });
    expect(await read("kms-context", next)).to.equal("content");
  });

  it("gives another owner a key of V2 only once the content has proven it", async () => {
    await store("victim", V2);
    await store("attacker", V2);
    const [{ metadata }, { body }] = [await fixture.stored("victim"), await fixture.stored("attacker")];
    await fixture.server.putRawObject(BUCKET, "attacker", { body: Buffer.concat([body, body]), metadata });
    expect((await refusal(rewrap("attacker", next, {}, V2))).code).to.equal("decryption-failed");
    expect((await fixture.stored("attacker")).metadata).to.deep.equal(metadata);
    await rewrap("victim", next, {}, V2);
    expect(await read("victim", next, V2)).to.equal("content");
  });

  it("gives the same key another description", async () => {
    const wrappingKey = randomBytes(32);
    const plainly = new RawAesKeyring({ wrappingKey });
    await store("described", { keyring: plainly });
    await rewrap("described", plainly, { to: { materialDescription: { key: "1" } } }, { keyring: plainly });
    expect((await fixture.stored("described")).metadata["x-amz-m"]).to.equal('{"key":"1"}');
    expect(await read("described", new RawAesKeyring({ wrappingKey, materialDescription: { key: "1" } }))).to.equal(
      "content",
    );
  });
});
