import { generateKeyPairSync, randomBytes } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  GetObjectAnnotationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectAnnotationsCommand,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  addRecipient,
  InstructionFileError,
  type RewrapOptions,
  type RewrappedObject,
  removeRecipient,
  rewrapObject,
  type S3EncryptionOptions,
} from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const rsa = (key: string): RawRsaKeyring =>
  new RawRsaKeyring({ ...generateKeyPairSync("rsa", { modulusLength: 2048 }), materialDescription: { key } });

const generator = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const [old, next, other] = [rsa("2024"), rsa("2026"), rsa("2027")] as const;
const V2: Partial<S3EncryptionOptions> = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" };
const ANEW = /^x-s3ec\/partner\/[\da-f-]{36}$/;

describe("rewrapObject of a recipient's annotation", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const at = (Key: string) => ({ Bucket: BUCKET, Key });

  async function store(Key: string, options: Partial<S3EncryptionOptions> = {}, recipients = [old]): Promise<void> {
    const owner = fixture.client({ keyring: generator, ...options });
    await owner.send(put(Key));
    for (const keyring of recipients) {
      await addRecipient(owner, { ...at(Key), recipient: "partner", to: { keyring }, owner: "same" });
    }
    fixture.server.clearRequests();
  }

  function rewrap(
    Key: string,
    more: Partial<RewrapOptions> = {},
    options: Partial<S3EncryptionOptions> = {},
  ): Promise<RewrappedObject> {
    const client = fixture.client({ keyring: old, ...options });
    return rewrapObject(client, { ...at(Key), recipient: "partner", to: { keyring: next }, ...more });
  }

  async function reads(Key: string, keyring: Keyring, options: Partial<S3EncryptionOptions> = {}): Promise<string> {
    const { Body } = await fixture.client({ keyring, ...options }).send(get(Key));
    return (await Body?.transformToString()) ?? "";
  }

  async function names(Key: string, VersionId?: string): Promise<string[]> {
    const asked = new ListObjectAnnotationsCommand({ ...at(Key), ...(VersionId === undefined ? {} : { VersionId }) });
    const { Annotations = [] } = await fixture.plain.send(asked);
    return Annotations.map(({ AnnotationName = "" }) => AnnotationName);
  }

  const annotate = (Key: string, AnnotationName: string) =>
    fixture.plain.send(new PutObjectAnnotationCommand({ ...at(Key), AnnotationName, AnnotationPayload: "{}" }));

  it("puts a new one before it removes the old one, and leaves the object as it is", async () => {
    await store("stays");
    const before = await fixture.plain.send(new HeadObjectCommand(at("stays")));
    fixture.server.clearRequests();
    const { place, ...done } = await rewrap("stays", { enforceRotation: true });
    expect(done).to.deep.equal({
      wrapAlgorithm: "RSA-OAEP-SHA1",
      verified: "envelope",
      isReencrypted: false,
      ETag: before.ETag,
      changed: [],
    });
    expect(place).to.have.property("in", "annotation");
    expect(place).to.have.property("name").that.matches(ANEW);
    const changes = fixture.server.requests.filter(({ operation }) => !/^(?:Head|List|GetObjectAnn)/.test(operation));
    expect(changes.map(({ operation }) => operation)).to.deep.equal(["PutObjectAnnotation", "DeleteObjectAnnotation"]);
    for (const { headers, query } of changes) {
      expect(headers["x-amz-object-if-match"]).to.equal(before.ETag);
      expect(query).not.to.have.property("versionId");
    }
    const after = await fixture.plain.send(new HeadObjectCommand(at("stays")));
    expect({ ...after, $metadata: 0 }).to.deep.equal({ ...before, $metadata: 0 });
    expect(await names("stays")).to.deep.equal([Reflect.get(place, "name")]);
    expect(await reads("stays", next)).to.equal("secret");
    expect(await reads("stays", generator)).to.equal("secret");
    expect((await refusal(reads("stays", old))).code).to.equal("no-matching-key");
  });

  it("is done again to what it has put", async () => {
    await store("twice");
    await rewrap("twice");
    await rewrap("twice", { to: { keyring: other } }, { keyring: next });
    expect(await names("twice")).to.have.lengthOf(1);
    expect((await names("twice"))[0]).to.match(ANEW);
    expect(await reads("twice", other)).to.equal("secret");
  });

  it("takes a suffix for its name where there is no such file, as a reader does", async () => {
    await store("suffix");
    const { recipient: _, ...named } = { ...at("suffix"), recipient: "", instructionFileSuffix: ".partner" };
    const client = fixture.client({ keyring: old });
    expect((await rewrapObject(client, { ...named, to: { keyring: next } })).place).to.have.property(
      "in",
      "annotation",
    );
    expect(await reads("suffix", next)).to.equal("secret");
  });

  it("needs no restore of an archived object", async () => {
    const archived = new PutObjectCommand({ ...at("archived"), Body: "secret", StorageClass: "GLACIER" });
    const owner = fixture.client({ keyring: generator });
    await owner.send(archived);
    await addRecipient(owner, { ...at("archived"), recipient: "partner", to: { keyring: old } });
    await rewrap("archived");
    expect((await fixture.plain.send(new HeadObjectCommand(at("archived")))).StorageClass).to.equal("GLACIER");
    expect(await names("archived")).to.have.lengthOf(1);
  });

  it("changes that of an older version, where the call names it", async () => {
    const Bucket = "versions";
    await fixture.plain.send(new CreateBucketCommand({ Bucket }));
    const versioning = { Bucket, VersioningConfiguration: { Status: "Enabled" } } as const;
    await fixture.plain.send(new PutBucketVersioningCommand(versioning));
    const owner = fixture.client({ keyring: generator });
    const object = { Bucket, Key: "kept" };
    const { VersionId = "" } = await owner.send(new PutObjectCommand({ ...object, Body: "older" }));
    await addRecipient(owner, { ...object, recipient: "partner", to: { keyring: old } });
    await owner.send(new PutObjectCommand({ ...object, Body: "newer" }));
    expect((await refusal(rewrap("kept", { Bucket }))).code).to.equal("not-encrypted");
    await rewrap("kept", { Bucket, VersionId });
    const reader = fixture.client({ keyring: next });
    const { Body } = await reader.send(new GetObjectCommand({ ...object, VersionId }));
    expect(await Body?.transformToString()).to.equal("older");
    await refusal(reader.send(new GetObjectCommand(object)));
  });

  it("takes the new one back where the recipient was removed meanwhile", async () => {
    await store("removed");
    const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "removed" });
    const rewrapping = refusal(rewrap("removed"));
    await held.reached;
    await removeRecipient(fixture.client({ keyring: generator }), { ...at("removed"), recipient: "partner" });
    held.release();
    const error = await rewrapping;
    expect(error.code).to.equal("content-mismatch");
    expect(error.message).to.contain("taken back");
    expect(await names("removed")).to.deep.equal([]);
  });

  it("has one of two that run at the same time say that it was not first", async () => {
    await store("both");
    const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "both" });
    const second = refusal(rewrap("both", { to: { keyring: other } }));
    await held.reached;
    await rewrap("both");
    held.release();
    expect((await second).code).to.equal("content-mismatch");
    expect(await names("both")).to.have.lengthOf(1);
    expect(await reads("both", next)).to.equal("secret");
  });

  it("is begun anew with the object that has replaced the one it was for", async () => {
    await store("replaced");
    const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "replaced" });
    const rewrapping = rewrap("replaced");
    await held.reached;
    await fixture.client({ keyring: generator }).send(put("replaced", "newer"));
    await addRecipient(fixture.client({ keyring: generator }), {
      ...at("replaced"),
      recipient: "partner",
      to: { keyring: old },
    });
    held.release();
    await rewrapping;
    expect(await reads("replaced", next)).to.equal("newer");
    expect(await names("replaced")).to.have.lengthOf(1);
  });

  it("is refused while annotations are being moved, and keeps the old one where that begins meanwhile", async () => {
    await store("moving");
    const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "moving", at: "answer" });
    const rewrapping = refusal(rewrap("moving"));
    await held.reached;
    await annotate("moving", "x-s3ec/moving");
    held.release();
    expect((await rewrapping).message).to.contain("being moved");
    expect(await reads("moving", old)).to.equal("secret");
    fixture.server.clearRequests();
    expect((await refusal(rewrap("moving"))).message).to.contain("being moved");
    expect(fixture.server.requests.some(({ operation }) => operation === "PutObjectAnnotation")).to.equal(false);
  });

  it("names the old one where it cannot be removed: both open the object, and the next call removes it", async () => {
    await store("locked");
    const [before] = await names("locked");
    fixture.server.faults.add({ operation: "DeleteObjectAnnotation", status: 403, code: "AccessDenied" });
    const error = await errorOf(rewrap("locked"));
    expect(error).to.be.instanceOf(InstructionFileError).and.have.property("code", "instruction-file-failed");
    const annotations = (error as InstructionFileError).files.map(({ annotation }) => annotation);
    expect(annotations[0]).to.equal(before);
    expect(annotations[1]).to.match(ANEW);
    for (const keyring of [old, next]) expect(await reads("locked", keyring)).to.equal("secret");
    fixture.server.faults.clear();
    await rewrap("locked");
    expect(await names("locked")).not.to.include(before);
    expect(await reads("locked", next)).to.equal("secret");
    await refusal(reads("locked", old));
  });

  it("finds among a recipient's wraps the one that the old key opens", async () => {
    await store("leftover");
    const [before] = await names("leftover");
    fixture.server.faults.add({ operation: "DeleteObjectAnnotation", status: 403, code: "AccessDenied" });
    await errorOf(rewrap("leftover", { to: { keyring: next } }));
    fixture.server.faults.clear();
    await rewrap("leftover", { to: { keyring: other } }, { keyring: next });
    expect(await names("leftover"))
      .to.include(before)
      .and.have.lengthOf(2);
    expect(await reads("leftover", other)).to.equal("secret");
    expect(await reads("leftover", old)).to.equal("secret");
    await refusal(reads("leftover", next));
  });

  it("removes every wrap of the recipient that the old key opens, and no other", async () => {
    await store("several");
    const [first = ""] = await names("several");
    const asked = new GetObjectAnnotationCommand({ ...at("several"), AnnotationName: first });
    const AnnotationPayload = (await (await fixture.plain.send(asked)).AnnotationPayload?.transformToString()) ?? "";
    for (const name of ["x-s3ec/partner", "x-s3ec/partner/other"]) {
      const copy = { ...at("several"), AnnotationName: name, AnnotationPayload };
      await fixture.plain.send(new PutObjectAnnotationCommand(copy));
    }
    await annotate("several", "x-s3ec/partner/none");
    await rewrap("several", { enforceRotation: true });
    const left = await names("several");
    expect(left).to.have.lengthOf(2).and.include("x-s3ec/partner/none");
    expect(await reads("several", next)).to.equal("secret");
    await refusal(reads("several", old));
    for (let index = 0; index < 8; index++) await annotate("several", `x-s3ec/partner/${index}`);
    expect((await refusal(rewrap("several"))).message).to.contain("10 annotations");
  });

  it("keeps the genuine wrap where somebody put one of another data key before it: nothing of V2 tells them apart but its content", async () => {
    const options = { ...V2, enableUncommittedChildren: true };
    await store("planted", options);
    const [genuine = ""] = await names("planted");
    await fixture.client({ keyring: generator, ...options }).send(put("of another"));
    const owner = fixture.client({ keyring: generator, ...options });
    await addRecipient(owner, { ...at("of another"), recipient: "partner", to: { keyring: old }, owner: "same" });
    const [wrap = ""] = await names("of another");
    const asked = new GetObjectAnnotationCommand({ ...at("of another"), AnnotationName: wrap });
    const other = JSON.parse((await (await fixture.plain.send(asked)).AnnotationPayload?.transformToString()) ?? "{}");
    // In the words of this object: its IV and suite, and another's data key.
    const { metadata } = await fixture.stored("planted");
    const planted = "x-s3ec/partner/00000000-0000-4000-8000-000000000000";
    const AnnotationPayload = JSON.stringify({ ...other, "x-amz-iv": metadata["x-amz-iv"] });
    await fixture.plain.send(
      new PutObjectAnnotationCommand({ ...at("planted"), AnnotationName: planted, AnnotationPayload }),
    );
    const error = await refusal(rewrap("planted", { owner: "same" }, options));
    expect([error.code, error.message]).to.deep.equal([
      "unsupported-operation",
      `Nothing was changed: "partner" has several annotations that the old keyring opens, ${planted}, ${genuine}, and they are not known to hold the same data key. Have the content tell which is right (verify: "content", and decryptHere where KMS would wrap it anew), or remove the others.`,
    ]);
    expect(await names("planted")).to.deep.equal([planted, genuine]);
    await rewrap("planted", { owner: "same", verify: "content" }, options);
    expect(await reads("planted", next, options)).to.equal("secret");
  });

  it("tries again what S3 refuses while it changes something else (409), and stores one new wrap", async () => {
    await store("busy");
    fixture.server.faults.add({ operation: "DeleteObjectAnnotation", status: 409, code: "OperationAborted", times: 2 });
    await rewrap("busy");
    expect(await names("busy")).to.have.lengthOf(1);
    await refusal(reads("busy", old));
  });

  it("takes a lost answer for success once the text is there", async () => {
    await store("lost");
    fixture.server.faults.add({ operation: "PutObjectAnnotation", performed: true, times: 1 });
    await rewrap("lost");
    expect(await reads("lost", next)).to.equal("secret");
    expect(await names("lost")).to.have.lengthOf(1);
  });

  it("of V2 is a replacement, which needs no switch, and reads the content for another owner", async () => {
    await store("v2", { ...V2, enableUncommittedChildren: true });
    await rewrap("v2", {}, V2);
    expect(fixture.server.requests.some(({ operation }) => operation === "GetObject")).to.equal(true);
    expect(await reads("v2", next, V2)).to.equal("secret");
  });

  it("changes nothing where the new key is not another one, or does not open what it wraps", async () => {
    await store("refused");
    const before = await names("refused");
    const same = rewrap("refused", { enforceRotation: true, to: { keyring: old } });
    expect((await refusal(same)).code).to.equal("invalid-argument");
    const publicKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
    const publicOnly = new RawRsaKeyring({ publicKey, materialDescription: { key: "theirs" } });
    expect((await refusal(rewrap("refused", { to: { keyring: publicOnly } }))).message).to.contain('verify: "none"');
    const wrongKey = rewrap("refused", {}, { keyring: generator });
    await refusal(wrongKey);
    expect(await names("refused")).to.deep.equal(before);
    expect(await reads("refused", old)).to.equal("secret");
  });

  it("leaves the data key in KMS, from one KMS key of an owner to another", async () => {
    const { endpoint, region, credentials } = fixture.server.clientConfig;
    const kms = new KMSClient({ endpoint, region, credentials, maxAttempts: 1 });
    for (const alias of ["alias/old", "alias/new"]) fixture.server.kms.createKey({ alias });
    const [from, to] = ["alias/old", "alias/new"].map((keyId) => new KmsKeyring({ keyId, client: kms }));
    if (from === undefined || to === undefined) throw new Error("Two were made.");
    await fixture.client({ keyring: generator }).send(put("kms"));
    const add = { ...at("kms"), recipient: "partner", to: { keyring: from, encryptionContext: { tenant: "a" } } };
    await addRecipient(fixture.client({ keyring: generator }), add);
    fixture.server.clearRequests();
    const context = { encryptionContext: { tenant: "a" } };
    const done = await rewrap("kms", { to: { keyring: to }, owner: "same", ...context }, { keyring: from });
    expect(done).to.include({ isReencrypted: true, verified: "envelope" });
    expect(fixture.server.requests.map(({ operation }) => operation)).to.include("ReEncrypt");
    const { Body } = await fixture.client({ keyring: to }).send(get("kms"), context);
    expect(await Body?.transformToString()).to.equal("secret");
    kms.destroy();
  });

  it("of somebody who is no recipient, or of a name that is none, is refused", async () => {
    await store("nobody", {}, []);
    const error = await refusal(rewrap("nobody"));
    expect(error.code).to.equal("not-encrypted");
    expect(error.message).to.contain("listRecipients");
    fixture.server.clearRequests();
    for (const recipient of ["", "a/b", "moving", 1 as unknown as string]) {
      expect((await refusal(rewrap("nobody", { recipient }))).code).to.equal("invalid-argument");
    }
    for (const more of [{ instructionFileSuffix: ".x" }, { to: { keyring: next, instructionFileSuffix: ".x" } }]) {
      expect((await refusal(rewrap("nobody", more))).code).to.equal("invalid-argument");
    }
    expect(fixture.server.requests).to.deep.equal([]);
  });
});
