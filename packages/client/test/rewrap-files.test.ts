import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  DeleteObjectCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  InstructionFileError,
  type RewrapOptions,
  type RewrappedObject,
  rewrapObject,
  type S3EncryptionOptions,
} from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { base64, cbc, wrap } from "./craft.js";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const V2: Partial<S3EncryptionOptions> = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" };
const FILE: Partial<S3EncryptionOptions> = { instructionFileConfig: { enableInstructionFilePutObject: true } };

const aes = (key: string): RawAesKeyring =>
  new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } });
const rsa = (key: string): RawRsaKeyring =>
  new RawRsaKeyring({ ...generateKeyPairSync("rsa", { modulusLength: 2048 }), materialDescription: { key } });

describe("rewrapObject with instruction files", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const old = aes("2024");
  const next = aes("2026");
  const partner = rsa("partner");

  async function store(key: string, options: Partial<S3EncryptionOptions> = {}, content = "content"): Promise<void> {
    await fixture.client({ keyring: old, ...FILE, ...options }).send(put(key, content));
  }

  function rewrap(
    Key: string,
    to: Keyring,
    more: Partial<RewrapOptions> = {},
    options: Partial<S3EncryptionOptions> = {},
  ): Promise<RewrappedObject> {
    return rewrapObject(fixture.client({ keyring: old, ...options }), {
      Bucket: BUCKET,
      Key,
      to: { keyring: to },
      ...more,
    });
  }

  async function read(
    key: string,
    keyring: Keyring,
    options: Partial<S3EncryptionOptions> = {},
    instructionFileSuffix?: string,
  ): Promise<string | undefined> {
    const call = instructionFileSuffix === undefined ? {} : { instructionFileSuffix };
    const { Body } = await fixture.client({ keyring, ...options }).send(get(key), call);
    return await Body?.transformToString();
  }

  const requests = (key: string): string[] =>
    fixture.server.requests
      .filter((request) => request.key?.startsWith(key))
      .map(({ operation, key: asked }) => `${operation} ${asked?.slice(key.length)}`.trim());

  for (const [format, options] of Object.entries({ V2, V3: {} })) {
    it(`replaces the file of ${format}, and nothing else`, async () => {
      const key = `replaces-${format}`;
      await store(key, options);
      const before = await fixture.stored(key);
      const file = await fixture.stored(`${key}.instruction`);
      const result = await rewrap(key, next, { owner: "same" }, options);
      expect(result).to.deep.include({
        place: { in: "instruction-file", suffix: ".instruction" },
        wrapAlgorithm: "AES/GCM",
        verified: "envelope",
      });
      expect(await fixture.stored(key)).to.deep.equal(before);
      const now = await fixture.stored(`${key}.instruction`);
      expect(now.metadata).to.deep.equal(file.metadata);
      expect(now.body.equals(file.body)).to.equal(false);
      expect(await read(key, next, options)).to.equal("content");
      await refusal(read(key, old, options));
    });
  }

  it("reads the file before the object, and looks at the object once more at the end", async () => {
    await store("order");
    fixture.server.clearRequests();
    await rewrap("order", next);
    const asked = requests("order").filter((request) => !/^GetObject(?:Acl|LegalHold|Retention|Tagging)/.test(request));
    expect(asked).to.deep.equal([
      "HeadObject",
      "GetObject .instruction",
      "HeadObject .instruction",
      "HeadObject",
      "PutObject .instruction",
      "GetObject .instruction",
      "HeadObject",
    ]);
    const [request] = fixture.server.requests.filter(({ operation }) => operation === "PutObject");
    expect(request?.headers["if-match"]).to.match(/^"/);
  });

  it("keeps the file's access control list, and refuses what may not be read unless that may get lost", async () => {
    const at = { Bucket: BUCKET, Key: "shared.instruction" };
    const GrantRead = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"';
    const GrantFullControl = 'id="s3ec-dev-server"';
    const writer = fixture.client({ keyring: old, ...FILE });
    await writer.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: "shared", Body: "content", GrantRead, GrantFullControl }),
    );
    const before = await fixture.plain.send(new GetObjectAclCommand(at));
    expect(before.Grants).to.have.lengthOf(2);
    expect((await rewrap("shared", next)).changed).to.deep.equal([]);
    expect((await fixture.plain.send(new GetObjectAclCommand(at))).Grants).to.deep.equal(before.Grants);
    const file = await fixture.stored("shared.instruction");
    for (const [operation, loss] of [
      ["GetObjectAcl", "acl"],
      ["GetObjectRetention", "lock"],
      ["GetObjectTagging", "tags"],
    ] as const) {
      fixture.server.faults.add({ operation, key: at.Key, status: 403, code: "AccessDenied" });
      const refused = await refusal(rewrap("shared", old, {}, { keyring: next }));
      expect(refused.message).to.contain(`allowLoss: ["${loss}"]`);
      expect((await fixture.stored("shared.instruction")).body.equals(file.body)).to.equal(true);
      fixture.server.faults.clear();
    }
    fixture.server.faults.add({ operation: "GetObjectAcl", key: at.Key, status: 403, code: "AccessDenied" });
    const lost = await rewrap("shared", old, { allowLoss: ["acl"] }, { keyring: next });
    expect(lost.changed).to.deep.equal(["acl"]);
  });

  it("keeps how the file is stored: class, encryption, tags and lock", async () => {
    const locked = "locked-bucket";
    const { CreateBucketCommand, GetObjectTaggingCommand, HeadObjectCommand } = await import("@aws-sdk/client-s3");
    await fixture.plain.send(new CreateBucketCommand({ Bucket: locked, ObjectLockEnabledForBucket: true }));
    const until = new Date(Date.now() + 3600_000);
    const shared = {
      StorageClass: "STANDARD_IA",
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: "arn:aws:kms:us-west-2:111122223333:key/1234",
      Tagging: "a=1&b=x%20y",
      ObjectLockMode: "GOVERNANCE",
      ObjectLockRetainUntilDate: until,
      ObjectLockLegalHoldStatus: "ON",
    } as const;
    const writer = fixture.client({ keyring: old, ...FILE });
    await writer.send(new PutObjectCommand({ Bucket: locked, Key: "kept", Body: "content", ...shared }));
    const at = { Bucket: locked, Key: "kept.instruction" };
    const before = await fixture.plain.send(new HeadObjectCommand(at));
    fixture.server.clearRequests();
    const refused = await refusal(rewrap("kept", next, { Bucket: locked }));
    expect([refused.code, refused.message.includes('allowLoss: ["kms-context"]')]).to.deep.equal([
      "unsupported-operation",
      true,
    ]);
    expect(requests("kept").some((request) => request.startsWith("Put"))).to.equal(false);
    const SSEKMSEncryptionContext = Buffer.from('{"tenant":"a"}').toString("base64");
    const result = await rewrap("kept", next, { Bucket: locked, SSEKMSEncryptionContext });
    expect(result.changed).to.deep.equal([]);
    expect(result.replacedVersionId).to.equal(before.VersionId);
    const after = await fixture.plain.send(new HeadObjectCommand(at));
    for (const name of ["StorageClass", "ServerSideEncryption", "SSEKMSKeyId", "ObjectLockMode"] as const) {
      expect(after[name], name).to.equal(before[name]).and.not.equal(undefined);
    }
    expect(after.ObjectLockLegalHoldStatus).to.equal("ON");
    expect(after.ObjectLockRetainUntilDate?.getTime()).to.equal(before.ObjectLockRetainUntilDate?.getTime());
    const { TagSet } = await fixture.plain.send(new GetObjectTaggingCommand(at));
    expect(TagSet).to.deep.equal([
      { Key: "a", Value: "1" },
      { Key: "b", Value: "x y" },
    ]);
  });

  // The sequences of two clients, and of answers that are lost.

  it("takes its own text for success where the answer was lost", async () => {
    await store("lost");
    fixture.server.faults.add({ operation: "PutObject", key: "lost.instruction", performed: true });
    await rewrap("lost", next);
    expect(await read("lost", next)).to.equal("content");
  });

  it("says that it cannot tell where a put was sent and never answered, and names both texts", async () => {
    await store("silent");
    const file = (await fixture.stored("silent.instruction")).body.toString();
    fixture.server.faults.add({ operation: "PutObject", key: "silent.instruction", cutAfterBytes: 10 });
    const error = await errorOf(rewrap("silent", next));
    expect(error).to.be.instanceOf(InstructionFileError).and.include({ code: "outcome-unknown" });
    const [affected] = (error as InstructionFileError).files;
    expect(affected?.previous).to.equal(file);
    expect(affected?.written).to.be.a("string").and.not.equal(file);
    expect(await read("silent", old)).to.equal("content");
  });

  it("leaves everything as it was where S3 refuses", async () => {
    await store("refused");
    fixture.server.faults.add({
      operation: "PutObject",
      key: "refused.instruction",
      status: 403,
      code: "AccessDenied",
    });
    expect(await errorOf(rewrap("refused", next))).to.include({ name: "AccessDenied" });
    expect(await read("refused", old)).to.equal("content");
  });

  it("lets one of two rewraps win, and the other begin anew from what it wrote", async () => {
    const both = new MultiKeyring({ children: [{ keyring: old }, { keyring: next }] });
    for (const [key, opens] of [
      ["race-blind", false],
      ["race-seeing", true],
    ] as const) {
      await store(key);
      const held = fixture.server.faults.pause({ operation: "PutObject", key: `${key}.instruction` });
      const options = { keyring: opens ? both : old };
      const first = errorOf(rewrap(key, aes("2025"), {}, options).then((result) => ({ result })));
      await held.reached;
      await rewrap(key, next);
      held.release();
      const outcome = await first.catch(() => "succeeded");
      // Which of the two keys it is now, one of them: never a wrap that nobody's key opens.
      if (opens) expect(outcome).to.equal("succeeded");
      else expect(await read(key, next)).to.equal("content");
    }
  });

  it("puts no wrap of the object that was there beside the one that took its place", async () => {
    await store("replaced");
    const held = fixture.server.faults.pause({ operation: "PutObject", key: "replaced.instruction" });
    const rewrapping = errorOf(rewrap("replaced", next));
    await held.reached;
    const other = aes("other");
    await fixture.client({ keyring: other, ...FILE }).send(put("replaced", "other"));
    held.release();
    // Begun anew it meets an object of somebody else's key.
    expect(await rewrapping).to.have.property("code", "decryption-failed");
    expect(await read("replaced", other)).to.equal("other");
  });

  it("says so where the object was replaced behind it", async () => {
    await store("behind");
    const held = fixture.server.faults.pause({ operation: "PutObject", key: "behind.instruction", at: "answer" });
    const rewrapping = refusal(rewrap("behind", next));
    await held.reached;
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "behind", Body: "somebody's" }));
    held.release();
    const { code, message } = await rewrapping;
    expect(code).to.equal("content-mismatch");
    expect(message).to.contain("the object was replaced");
  });

  it("says so where its file was replaced behind it", async () => {
    await store("file-behind");
    const held = fixture.server.faults.pause({ operation: "PutObject", key: "file-behind.instruction", at: "answer" });
    const rewrapping = refusal(rewrap("file-behind", next));
    await held.reached;
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "file-behind.instruction", Body: "{}" }));
    held.release();
    const { code, message } = await rewrapping;
    expect(code).to.equal("content-mismatch");
    expect(message).to.contain("its file was replaced");
  });

  it("changes no file that is of another object", async () => {
    await store("mine");
    await store("theirs");
    const { body, metadata } = await fixture.stored("theirs.instruction");
    const foreign = { Bucket: BUCKET, Key: "mine.instruction", Body: body, Metadata: metadata };
    await fixture.plain.send(new PutObjectCommand(foreign));
    expect((await refusal(rewrap("mine", next))).code).to.equal("content-mismatch");
    await fixture.plain.send(new PutObjectCommand({ ...foreign, Metadata: {} }));
    expect((await refusal(rewrap("mine", next))).code).to.equal("decryption-failed");
    expect((await fixture.stored("mine.instruction")).body.equals(body)).to.equal(true);
  });

  // Whose key it is.

  it("gives another owner a key of V2 only once the content has proven it", async () => {
    await store("victim", V2, "the victim's");
    await store("attacker", V2, "the attacker's");
    const stolen = await fixture.stored("victim.instruction");
    const Body = stolen.body;
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "attacker.instruction", Body }));
    fixture.server.clearRequests();
    const { code } = await refusal(rewrap("attacker", partner, {}, V2));
    expect(code).to.equal("decryption-failed");
    expect(requests("attacker").filter((name) => name.startsWith("PutObject"))).to.deep.equal([]);
    expect((await fixture.stored("attacker.instruction")).body.equals(Body)).to.equal(true);
    // Its own owner may; and then no content is read.
    fixture.server.clearRequests();
    await rewrap("victim", next, { owner: "same" }, V2);
    expect(requests("victim")).to.not.include("GetObject");
    expect(await read("victim", next, V2)).to.equal("the victim's");
    await store("proven", V2);
    expect((await rewrap("proven", partner, {}, V2)).verified).to.equal("envelope");
    expect(requests("proven")).to.include("GetObject");
    expect(await read("proven", partner, V2)).to.equal("content");
  });

  it("reads no content of V3, whose commitment proves the key, unless the tag is asked for", async () => {
    await store("committed");
    fixture.server.clearRequests();
    await rewrap("committed", partner);
    expect(requests("committed")).to.not.include("GetObject");
    await store("tagged");
    expect((await rewrap("tagged", next, { verify: "content" })).verified).to.equal("content");
    expect(requests("tagged")).to.include("GetObject");
    await store("altered");
    const { body, metadata } = await fixture.stored("altered");
    body[0] = (body[0] ?? 0) ^ 1;
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "altered", Body: body, Metadata: metadata }));
    expect((await refusal(rewrap("altered", next, { verify: "content" }))).code).to.equal("decryption-failed");
  });

  it("gives a key of CBC to no other owner, and to its own in the words of V2", async () => {
    const kek = randomBytes(32);
    const [dataKey, iv] = [randomBytes(32), randomBytes(16)];
    const fields = { "x-amz-key": base64(wrap.aesEcb(kek, dataKey)), "x-amz-iv": base64(iv), "x-amz-matdesc": "{}" };
    const Body = cbc(dataKey, iv, Buffer.from("of 2012"));
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "cbc", Body }));
    const file = { Bucket: BUCKET, Key: "cbc.instruction", Body: JSON.stringify(fields) };
    await fixture.plain.send(new PutObjectCommand(file));
    const options = {
      keyring: new RawAesKeyring({ wrappingKey: kek }),
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      enableLegacyUnauthenticatedModes: true,
      enableLegacyWrappingAlgorithms: true,
    } as const;
    const { code, message } = await refusal(rewrap("cbc", next, {}, options));
    expect(code).to.equal("unsupported-operation");
    expect(message).to.contain("migrateObject");
    // With no word about whether a key opens it.
    const stranger = { ...options, keyring: new RawAesKeyring({ wrappingKey: randomBytes(32) }) };
    for (const more of [{}, { owner: "same", verify: "content" }] as const)
      expect((await refusal(rewrap("cbc", next, more, stranger))).message).to.equal(message);
    const more = { owner: "same", enforceRotation: true } as const;
    await rewrap("cbc", next, more, options);
    const { enableLegacyWrappingAlgorithms: _, ...reading } = options;
    expect(await read("cbc", next, { ...reading, keyring: next })).to.equal("of 2012");
  });

  // The new key.

  it("keeps the old wrap where the new keyring cannot open the new one", async () => {
    await store("blind");
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const theirs = new RawRsaKeyring({ publicKey });
    const { message } = await refusal(rewrap("blind", theirs));
    expect(message).to.contain('verify: "none"');
    expect(await read("blind", old)).to.equal("content");
    expect((await rewrap("blind", theirs, { verify: "none" })).verified).to.equal("unverified");
    expect(await read("blind", new RawRsaKeyring({ privateKey }))).to.equal("content");
  });

  it("enforces a rotation both ways", async () => {
    await store("rotated");
    const enforced = { enforceRotation: true };
    const renamed = { ...enforced, to: { materialDescription: { key: "renamed" } } };
    expect((await refusal(rewrap("rotated", old, renamed))).message).to.contain("rotation is enforced");
    await rewrap("rotated", old, { to: renamed.to });
    const key = randomBytes(32);
    const reader = new RawAesKeyring({ wrappingKey: key, materialDescription: { key: "b" } });
    await store("keeps", { keyring: reader });
    const keeping = new RawAesKeyring({
      wrappingKey: randomBytes(32),
      materialDescription: { key: "c" },
      decryptionKeys: [{ wrappingKey: key, materialDescription: { key: "b" } }],
    });
    const { code, message } = await refusal(rewrap("keeps", keeping, enforced, { keyring: reader }));
    expect(code).to.equal("invalid-argument");
    expect(message).to.contain("The new keyring opens the old wrap");
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pair = new RawRsaKeyring({ publicKey, privateKey, materialDescription: { key: "d" } });
    await store("same-pair", { keyring: pair });
    const half = new RawRsaKeyring({ publicKey, materialDescription: { key: "e" } });
    const unseen = { ...enforced, verify: "none" } as const;
    const other = await refusal(rewrap("same-pair", half, unseen, { keyring: pair }));
    expect(other.message).to.contain("The old keyring opens the new wrap");
    await rewrap("rotated", next, enforced);
    expect(await read("rotated", next)).to.equal("content");
  });

  it("wants a description of its own for a new raw key", async () => {
    await store("described");
    const { code, message } = await refusal(rewrap("described", aes("2024")));
    expect(code).to.equal("invalid-argument");
    expect(message).to.contain("materialDescription");
    expect(await read("described", old)).to.equal("content");
  });

  it("writes a further file for an RSA key, and for no other", async () => {
    await store("further");
    const to = { keyring: partner, instructionFileSuffix: "instruction-rsa" };
    const { place } = await rewrap("further", partner, { to, enforceRotation: true });
    expect(place).to.deep.equal({ in: "instruction-file", suffix: ".instruction-rsa" });
    expect(await read("further", partner, {}, ".instruction-rsa")).to.equal("content");
    expect(await read("further", old)).to.equal("content");
    const mark = async (suffix: string) => (await fixture.stored(`further${suffix}`)).metadata;
    expect(await mark(".instruction-rsa")).to.deep.equal(await mark(".instruction"));
    const { message } = await refusal(rewrap("further", next, { to: { ...to, keyring: next } }));
    expect(message).to.contain("addRecipient");
    // Written again with the same key, over what says that it is of this object.
    await rewrap("further", partner, { to });
    // Named by its own suffix, it is replaced like any other.
    const newer = rsa("newer");
    const named = { instructionFileSuffix: ".instruction-rsa" };
    await rewrap("further", newer, named, { keyring: partner });
    expect(await read("further", newer, {}, ".instruction-rsa")).to.equal("content");
    await store("further-v2", V2);
    expect((await refusal(rewrap("further-v2", partner, { to, owner: "same" }, V2))).code).to.equal(
      "unsupported-operation",
    );
    const switched = { ...V2, enableUncommittedChildren: true };
    await rewrap("further-v2", partner, { to }, switched);
    expect(await read("further-v2", partner, V2, ".instruction-rsa")).to.equal("content");
  });

  it("writes a further file over nothing that may be somebody's", async () => {
    await store("squatted");
    const squatter = { Bucket: BUCKET, Key: "squatted.rsa", Body: "my own object" };
    await fixture.plain.send(new PutObjectCommand(squatter));
    const to = { keyring: partner, instructionFileSuffix: ".rsa" };
    expect((await refusal(rewrap("squatted", partner, { to }))).code).to.equal("unsupported-operation");
    expect((await fixture.stored("squatted.rsa")).body.toString()).to.equal("my own object");
    const allowed = { instructionFileConfig: { replaceUnknownFiles: true } };
    await rewrap("squatted", partner, { to }, allowed);
    expect(await read("squatted", partner, {}, ".rsa")).to.equal("content");
  });

  it("marks a further file as this object's, also over one of an object that is gone", async () => {
    const to = { keyring: partner, instructionFileSuffix: ".rsa" };
    await store("gone");
    await rewrap("gone", partner, { to });
    const { metadata: stale } = await fixture.stored("gone.rsa");
    await store("gone");
    await rewrap("gone", partner, { to });
    const { metadata } = await fixture.stored("gone.rsa");
    expect(metadata)
      .to.deep.equal((await fixture.stored("gone.instruction")).metadata)
      .and.not.deep.equal(stale);
    // So that it can be re-wrapped in its turn.
    await rewrap("gone", rsa("newest"), { instructionFileSuffix: ".rsa" }, { keyring: partner });
  });

  it("puts a file beside an object whose own wrap is in its metadata", async () => {
    await store("beside", { instructionFileConfig: {} });
    await rewrap("beside", partner, { to: { keyring: partner, instructionFileSuffix: ".partner" } });
    expect(await read("beside", partner, {}, ".partner")).to.equal("content");
    expect(await read("beside", old)).to.equal("content");
  });

  // What is not re-wrapped.

  it("re-wraps the current version only", async () => {
    const Bucket = "versions";
    const { CreateBucketCommand } = await import("@aws-sdk/client-s3");
    await fixture.plain.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await fixture.plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const writer = fixture.client({ keyring: old, ...FILE });
    const first = await writer.send(new PutObjectCommand({ Bucket, Key: "v", Body: "first" }));
    const second = await writer.send(new PutObjectCommand({ Bucket, Key: "v", Body: "second" }));
    const older = { Bucket, VersionId: first.VersionId ?? "" };
    const { code, message } = await refusal(rewrap("v", next, older));
    expect(code).to.equal("invalid-argument");
    expect(message).to.contain("keeps its wrap");
    await rewrap("v", next, { Bucket, VersionId: second.VersionId ?? "" });
    const { Body } = await fixture.client({ keyring: next }).send(new GetObjectCommand({ Bucket, Key: "v" }));
    expect(await Body?.transformToString()).to.equal("second");
    const versioned = new GetObjectCommand({ Bucket, Key: "v", VersionId: older.VersionId });
    const back = await fixture.client({ keyring: old }).send(versioned);
    expect(await back.Body?.transformToString()).to.equal("first");
  });

  it("re-wraps no messages, and says why", async () => {
    const formats = [new S3Format(), new AwsMessageFormat()];
    const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32), messageKey: { namespace: "n", name: "k" } });
    await fixture.client({ keyring, formats }).send(put("message"), { format: "message" });
    const { code, message } = await refusal(rewrap("message", next, {}, { keyring, formats }));
    expect(code).to.equal("unsupported-operation");
    expect(message).to.contain("authentication key").and.contain("migrateObject");
  });

  it("says what is missing, and of which file", async () => {
    await store("gone");
    await fixture.plain.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "gone.instruction" }));
    const missing = await refusal(rewrap("gone", next));
    expect(missing.code).to.equal("not-encrypted");
    expect(missing.message).to.contain('".instruction"');
    await store("forbidden");
    const fault = { operation: "GetObject", key: "forbidden.instruction", status: 403, code: "AccessDenied" };
    fixture.server.faults.add(fault);
    const forbidden = await errorOf(rewrap("forbidden", next));
    expect(forbidden).to.have.property("message").that.contains("Asked for the instruction file");
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "plain", Body: "x" }));
    expect((await refusal(rewrap("plain", next))).code).to.equal("not-encrypted");
    expect(await errorOf(rewrap("nothing", next))).to.have.property("name", "NoSuchKey");
  });

  it("knows its options", async () => {
    const wrong: readonly object[] = [
      { keyring: next },
      { Key: "" },
      { owner: "me" },
      { verify: true },
      { enforceRotation: "true" },
      { to: { suffix: ".x" } },
      { to: { keyring: next, materialsManager: {} } },
      { to: { keyring: {} } },
      { to: { encryptionContext: { "aws:x-amz-cek-alg": "115" } } },
    ];
    for (const options of wrong) {
      const { code } = await refusal(rewrap("any", next, options));
      expect(code, JSON.stringify(options)).to.equal("invalid-argument");
    }
    const unknown = rewrapObject(fixture.plain, { Bucket: BUCKET, Key: "any", to: {} });
    expect((await refusal(unknown)).code).to.equal("invalid-argument");
  });

  it("ends where its caller aborts", async () => {
    await store("aborted");
    const aborted = new AbortController();
    const held = fixture.server.faults.pause({ operation: "GetObject", key: "aborted.instruction" });
    const rewrapping = errorOf(rewrap("aborted", next, { abortSignal: aborted.signal }));
    await held.reached;
    aborted.abort();
    held.release();
    expect(await rewrapping).to.have.property("name", "AbortError");
    expect(await read("aborted", old)).to.equal("content");
  });
});
