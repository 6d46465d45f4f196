import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectAnnotationCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import {
  addRecipient,
  InstructionFileError,
  inspectObject,
  listRecipients,
  PartlyRemovedError,
  removeRecipient,
  type S3EncryptionClient,
  type S3EncryptionOptions,
} from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const generator = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const partner = new RawRsaKeyring({ publicKey, privateKey });
const publicOnly = new RawRsaKeyring({ publicKey });
const V2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;

describe("recipients", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const owner = (options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient =>
    fixture.client({ keyring: generator, ...options });
  const reads = async (key: string, options: Partial<S3EncryptionOptions> = {}, call = {}): Promise<string> =>
    (await (await fixture.client({ keyring: partner, ...options }).send(get(key), call)).Body?.transformToString()) ??
    "";
  const at = (Key: string) => ({ Bucket: BUCKET, Key });
  const partnerAt = (Key: string) => ({ ...at(Key), recipient: "partner", to: { keyring: partner } });
  const annotate = (Key: string, AnnotationName: string, AnnotationPayload = "{}") =>
    fixture.plain.send(new PutObjectAnnotationCommand({ ...at(Key), AnnotationName, AnnotationPayload }));
  const listed = async (Key: string): Promise<string[]> => {
    const { recipients } = await listRecipients(owner(), at(Key));
    return recipients.map(({ place }) => ("name" in place ? place.name : ""));
  };
  const text = async (Key: string, AnnotationName: string | undefined): Promise<string> => {
    const asked = new GetObjectAnnotationCommand({ ...at(Key), AnnotationName });
    return (await (await fixture.plain.send(asked)).AnnotationPayload?.transformToString()) ?? "";
  };

  it("that are stored and cannot be read back are said to be stored", async () => {
    await owner().send(put("unread"));
    fixture.server.faults.add({ operation: "GetObjectAnnotation", status: 403, code: "AccessDenied" });
    const error = await errorOf(addRecipient(owner(), partnerAt("unread")));
    fixture.server.faults.clear();
    expect(error).to.be.instanceOf(InstructionFileError);
    const { message, files } = error as InstructionFileError;
    expect(message).to.contain("The recipient's wrap is stored, in the annotation x-s3ec/partner/");
    expect(files.map(({ annotation }) => annotation)).to.deep.equal(await listed("unread"));
    expect(await reads("unread")).to.equal("secret");
  });

  it("of an object under a key of the customer's are in files", async () => {
    const key = randomBytes(32);
    const customers = {
      SSECustomerAlgorithm: "AES256",
      SSECustomerKey: key.toString("base64"),
      SSECustomerKeyMD5: createHash("md5").update(key).digest("base64"),
    };
    const object = { ...at("customers"), ...customers };
    await owner().send(new PutObjectCommand({ ...object, Body: "secret" }));
    const add = { ...object, recipient: "partner", to: { keyring: partner } };
    expect((await refusal(addRecipient(owner(), add))).message).to.contain("SSE-C");
    await addRecipient(owner(), { ...add, in: "instruction-file" });
    const { recipients } = await listRecipients(owner(), object);
    expect(recipients.map(({ recipient, state }) => [recipient, state])).to.deep.equal([["partner", "of this object"]]);
    const { Body } = await fixture
      .client({ keyring: partner })
      .send(new GetObjectCommand(object), { instructionFileSuffix: ".partner" });
    expect(await Body?.transformToString()).to.equal("secret");
    const { removed, remaining } = await removeRecipient(owner(), { ...object, recipient: "partner" });
    expect([removed.length, remaining.length]).to.deep.equal([1, 0]);
  });

  it("are added, listed and removed as annotations, while the object stays as it is", async () => {
    await owner().send(put("life"));
    const before = await fixture.plain.send(new HeadObjectCommand(at("life")));
    expect((await refusal(reads("life"))).code).to.equal("no-matching-key");
    fixture.server.clearRequests();
    const { place, text: wrap, ETag, ...added } = await addRecipient(owner(), partnerAt("life"));
    expect(ETag).to.equal(before.ETag);
    expect(added).to.deep.equal({ wrapAlgorithm: "RSA-OAEP-SHA1", verified: "envelope", isReencrypted: false });
    expect("name" in place && place.name).to.match(/^x-s3ec\/partner\/[0-9a-f-]{36}$/);
    expect(fixture.server.requests.every(({ operation }) => operation !== "GetObject")).to.equal(true);
    expect(fixture.server.requests.every(({ query }) => query?.versionId === undefined)).to.equal(true);
    expect(await reads("life")).to.equal("secret");
    const { recipients, hasOwnWrap, unknown } = await listRecipients(owner(), at("life"));
    expect(recipients[0]?.text).to.equal(wrap);
    expect({ hasOwnWrap, unknown }).to.deep.equal({ hasOwnWrap: true, unknown: [] });
    expect(recipients.map(({ recipient, state }) => `${recipient}: ${state}`)).to.deep.equal([
      "partner: of this object",
    ]);
    const removed = await removeRecipient(owner(), { ...at("life"), recipient: "partner" });
    expect(removed).to.deep.include({
      removed: [place],
      remaining: [],
      unknown: [],
    });
    expect(removed.limits).to.contain("may keep its data key").and.contain("migrateObject");
    expect((await refusal(reads("life"))).code).to.equal("no-matching-key");
    const after = await fixture.plain.send(new HeadObjectCommand(at("life")));
    expect(after.LastModified).to.deep.equal(before.LastModified);
    expect(after.ETag).to.equal(before.ETag);
  });

  it("are added in a file, of a key of any kind, and removed from both places", async () => {
    const child = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { k: "child" } });
    const both = { ...at("file"), recipient: ".child", to: { keyring: child } };
    await owner().send(put("file"));
    const inFile = { ...both, in: "instruction-file" } as const;
    const denied = { operation: "GetObjectRetention", key: "file", status: 403, code: "AccessDenied" };
    fixture.server.faults.add({ ...denied, times: 2 });
    // A file without the lock of its object could be deleted before it.
    expect((await refusal(addRecipient(owner(), inFile))).message).to.contain('allowLoss: ["lock"]');
    await addRecipient(owner(), { ...inFile, allowLoss: ["lock"] });
    const call = { instructionFileSuffix: ".child" };
    expect(await reads("file", { keyring: child }, call)).to.equal("secret");
    await addRecipient(owner(), both);
    await annotate("file", "x-s3ec/child", await text("file", (await listed("file"))[0]));
    const { removed } = await removeRecipient(owner(), { ...at("file"), recipient: "child" });
    expect(removed[0]).to.deep.equal({ in: "annotation", name: "x-s3ec/child" });
    expect(removed.slice(1).map(({ in: place }) => place)).to.deep.equal(["annotation", "instruction-file"]);
    await refusal(reads("file", { keyring: child }, call));
  });

  it("need the right key: one that cannot be used here takes a word of its own", async () => {
    await owner().send(put("unusable"));
    const add = { ...at("unusable"), recipient: "partner", to: { keyring: publicOnly } };
    expect((await refusal(addRecipient(owner(), add))).message).to.contain('verify: "none"');
    expect((await listRecipients(owner(), at("unusable"))).recipients).to.deep.equal([]);
    expect(await addRecipient(owner(), { ...add, verify: "none" })).to.have.property("verified", "unverified");
    expect(await reads("unusable")).to.equal("secret");
  });

  it("are never put over one that is there", async () => {
    await owner().send(put("twice"));
    await addRecipient(owner(), partnerAt("twice"));
    expect((await refusal(addRecipient(owner(), partnerAt("twice")))).message).to.contain("already");
  });

  it("are not overwritten by one of the same name that another client adds at the same time: both open it", async () => {
    await owner().send(put("same"));
    const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "same" });
    const other = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    const adding = addRecipient(owner(), partnerAt("same"));
    await held.reached;
    const second = addRecipient(owner(), { ...partnerAt("same"), to: { keyring: other } });
    await second;
    held.release();
    await adding;
    expect(await reads("same")).to.equal("secret");
    expect(await reads("same", { keyring: other })).to.equal("secret");
    expect((await removeRecipient(owner(), { ...at("same"), recipient: "partner" })).removed).to.have.length(2);
  });

  it("are added and removed where S3 is changing something else at the time (409)", async () => {
    await owner().send(put("busy"));
    const busy = { status: 409, code: "OperationAborted", times: 2 };
    fixture.server.faults.add({ operation: "PutObjectAnnotation", ...busy });
    fixture.server.faults.add({ operation: "DeleteObjectAnnotation", ...busy });
    await addRecipient(owner(), partnerAt("busy"));
    const { recipients } = await listRecipients(owner(), at("busy"));
    expect(recipients).to.have.length(1);
    expect((await removeRecipient(owner(), { ...at("busy"), recipient: "partner" })).removed).to.have.length(1);
  });

  it("of V2 need the switch, and the content's tag proves the key before another has it (S19)", async () => {
    await owner(V2).send(put("v2"));
    expect((await refusal(addRecipient(owner(V2), partnerAt("v2")))).code).to.equal("unsupported-operation");
    let isAsked = false;
    const asked: Keyring = {
      wrapAlgorithms: generator.wrapAlgorithms,
      onEncrypt: (...args) => generator.onEncrypt(...args),
      onDecrypt: (...args) => {
        isAsked = true;
        return generator.onDecrypt(...args);
      },
    };
    await refusal(addRecipient(owner({ ...V2, keyring: asked }), partnerAt("v2")));
    // A refusal after a key was tried would tell whether it opens the wrap (S16).
    expect(isAsked).to.equal(false);
    const allowed = owner({ ...V2, enableUncommittedChildren: true });
    fixture.server.clearRequests();
    await addRecipient(allowed, partnerAt("v2"));
    expect(fixture.server.requests.some(({ operation }) => operation === "GetObject")).to.equal(true);
    expect(await reads("v2", V2)).to.equal("secret");
  });

  for (const [what, act] of [
    ["added", (key: string) => addRecipient(owner(), partnerAt(key))],
    ["removed", (key: string) => removeRecipient(owner(), { ...at(key), recipient: "partner" })],
    ["listed", (key: string) => listRecipients(owner(), at(key))],
  ] as const) {
    it(`are not ${what} while the annotations are being moved: ask again`, async () => {
      const key = `moving-${what}`;
      await owner().send(put(key));
      await annotate(key, "x-s3ec/moving");
      const error = await refusal(act(key));
      expect(error.code).to.equal("content-mismatch");
      expect(error.message).to.contain("ask again");
    });
  }

  it("tell of a move that began while one was added", async () => {
    await owner().send(put("moves"));
    const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "moves", at: "answer" });
    const adding = refusal(addRecipient(owner(), partnerAt("moves")));
    await held.reached;
    await annotate("moves", "x-s3ec/moving");
    held.release();
    expect((await adding).message).to.contain("being moved");
  });

  it("are wrapped anew for an object that has replaced the one they were for", async () => {
    await owner().send(put("replaced", "old"));
    const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "replaced" });
    const adding = addRecipient(owner(), partnerAt("replaced"));
    await held.reached;
    await owner().send(put("replaced", "new"));
    held.release();
    await adding;
    expect(await reads("replaced")).to.equal("new");
  });

  for (const status of [400, 403, 405])
    it(`are not known to be removed where they may not be listed (${status})`, async () => {
      await owner().send(put("hidden"));
      await addRecipient(owner(), partnerAt("hidden"));
      fixture.server.faults.add({ operation: "ListObjectAnnotations", status });
      fixture.server.faults.add({ operation: "GetObject", key: "hidden.partner", status: 403, code: "AccessDenied" });
      const { removed, unknown } = await removeRecipient(owner(), { ...at("hidden"), recipient: "partner" });
      expect({ removed, unknown }).to.deep.equal({ removed: [], unknown: ["annotation", "instruction-file"] });
      expect((await listRecipients(owner(), at("hidden"))).unknown).to.deep.equal(["annotation"]);
    });

  it("are not taken for none by a failed list of a store that has shown that it knows annotations", async () => {
    const s3 = owner();
    await s3.send(put("failing"));
    await addRecipient(s3, partnerAt("failing"));
    fixture.server.faults.add({ operation: "ListObjectAnnotations", status: 501 });
    expect(await errorOf(removeRecipient(s3, { ...at("failing"), recipient: "partner" }))).to.have.nested.property(
      "$metadata.httpStatusCode",
      501,
    );
    // Nothing was shown to another client: it takes the store for one without.
    const none = await refusal(removeRecipient(owner(), { ...at("failing"), recipient: "partner" }));
    expect(none.message).to.contain("is no recipient");
  });

  it("leave somebody's object that has the name of a recipient's file", async () => {
    await owner().send(put("report"));
    await fixture.plain.send(new PutObjectCommand({ ...at("report.pdf"), Body: "%PDF" }));
    const error = await refusal(removeRecipient(owner(), { ...at("report"), recipient: "pdf" }));
    expect([error.code, error.message]).to.satisfy(
      ([code, message]: string[]) => code === "invalid-argument" && message?.includes("is no recipient"),
    );
    expect((await fixture.stored("report.pdf")).body.toString()).to.equal("%PDF");
    expect((await listRecipients(owner(), at("report"))).recipients).to.deep.equal([]);
  });

  it("are told by inspectObject, which needs no key: name, wrap, KMS key, and since when", async () => {
    await owner().send(put("inspected"));
    await addRecipient(owner(), partnerAt("inspected"));
    await annotate("inspected", "x-s3ec/junk", "no text of ours");
    await annotate("inspected", "x-s3ec/large", "x".repeat(70_000));
    const kmsKeyId = "arn:aws:kms:us-west-2:111122223333:key/1";
    const facts = { "s3ec-wrap": "kms+context", "s3ec-kms-key": kmsKeyId, "s3ec-added": "2026-11-28T20:00:00Z" };
    await annotate("inspected", "x-s3ec/kms/id", JSON.stringify(facts));
    await annotate("inspected", "others", "not ours");
    const { recipients } = await inspectObject(fixture.plain, at("inspected"));
    const unsaid = { wrap: null, kmsKeyId: null, added: null };
    expect(recipients?.slice(0, 3)).to.deep.equal([
      { recipient: "junk", annotation: "x-s3ec/junk", ...unsaid },
      {
        recipient: "kms",
        annotation: "x-s3ec/kms/id",
        wrap: "kms+context",
        kmsKeyId,
        added: "2026-11-28T20:00:00Z",
      },
      { recipient: "large", annotation: "x-s3ec/large", ...unsaid },
    ]);
    expect(recipients?.[3]).to.include({ recipient: "partner", wrap: "RSA-OAEP-SHA1", kmsKeyId: null });
    expect(Date.parse(recipients?.[3]?.added ?? "")).to.be.closeTo(Date.now(), 60_000);
    const denied = { status: 403, code: "AccessDenied" };
    fixture.server.faults.add({ operation: "GetObjectAnnotation", ...denied });
    expect((await inspectObject(fixture.plain, at("inspected"))).recipients?.[3]).to.include({ wrap: null });
    fixture.server.faults.add({ operation: "ListObjectAnnotations", ...denied });
    expect(await inspectObject(fixture.plain, at("inspected"))).to.have.property("recipients", null);
    await owner().send(put("none"));
    fixture.server.faults.clear();
    expect((await inspectObject(fixture.plain, at("none"))).recipients).to.deep.equal([]);
  });

  it("of a version are its annotations, and no file is touched or taken for its", async () => {
    const Bucket = "versions";
    const object = { Bucket, Key: "kept" };
    await fixture.plain.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await fixture.plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const { VersionId = "" } = await owner().send(new PutObjectCommand({ ...object, Body: "older" }));
    await owner().send(new PutObjectCommand({ ...object, Body: "newer" }));
    const add = { ...object, recipient: "partner", to: { keyring: partner } };
    await addRecipient(owner(), { ...add, in: "instruction-file" });
    const added = await addRecipient(owner(), { ...add, VersionId });
    const older = await refusal(addRecipient(owner(), { ...add, VersionId, recipient: "x", in: "instruction-file" }));
    expect(older.code).to.equal("invalid-argument");
    const listed = await listRecipients(owner(), { ...object, VersionId });
    expect(listed.recipients.map(({ place }) => place)).to.deep.equal([added.place]);
    expect(listed.unknown).to.deep.equal(["instruction-file"]);
    const current = await listRecipients(owner(), object);
    expect(current.recipients.map(({ place }) => place.in)).to.deep.equal(["instruction-file"]);
    const read = new GetObjectCommand({ ...object, VersionId });
    const { Body } = await fixture.client({ keyring: partner }).send(read);
    expect(await Body?.transformToString()).to.equal("older");
    const removed = await removeRecipient(owner(), { ...object, VersionId, recipient: "partner" });
    expect(removed).to.deep.include({
      removed: [added.place],
      remaining: [],
      unknown: ["instruction-file"],
    });
    await refusal(fixture.client({ keyring: partner }).send(read));
    const left = await listRecipients(owner(), object);
    expect(left.recipients).to.have.lengthOf(1);
  });

  it("say whose a file beside the object is", async () => {
    const children = [{ keyring: partner, instructionFileSuffix: ".partner" }];
    const keyring = new MultiKeyring({ generator, children });
    await owner({ keyring }).send(put("whose"));
    const { body } = await fixture.stored("whose.partner");
    await owner().send(put("whose"));
    await fixture.plain.send(new PutObjectCommand({ ...at("whose.unmarked"), Body: body }));
    const { recipients } = await listRecipients(owner({ keyring }), at("whose"));
    expect(recipients.map(({ recipient, state }) => `${recipient}: ${state}`).sort()).to.deep.equal([
      "partner: of another object",
      "unmarked: unproven",
    ]);
  });

  it("keep the generator's file of an object that has no wrapped key on it", async () => {
    const options = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    await owner(options).send(put("alone"));
    const error = await refusal(removeRecipient(owner(), { ...at("alone"), recipient: "instruction" }));
    expect(error.code).to.equal("unsupported-operation");
    await addRecipient(owner(), partnerAt("alone"));
    expect(await reads("alone", {}, { instructionFileSuffix: ".partner" })).to.equal("secret");
  });

  it("keep the only wrapped key of an object, whatever its name, and let it go once there is another", async () => {
    const options = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    await owner(options).send(put("only"), { instructionFileSuffix: ".foo" });
    const foo = { ...at("only"), recipient: "foo" };
    const error = await refusal(removeRecipient(owner(), foo));
    expect(error.code).to.equal("unsupported-operation");
    expect(error.message).to.contain('"foo"').and.contain("addRecipient");
    const call = { instructionFileSuffix: ".foo" };
    expect(await reads("only", { keyring: generator }, call)).to.equal("secret");
    // A file that says that it is another object's is no way to read this one.
    await fixture.plain.send(
      new PutObjectCommand({
        ...at("only.bar"),
        Body: (await fixture.stored("only.foo")).body,
        Metadata: { "s3ec-of": "other" },
      }),
    );
    expect((await refusal(removeRecipient(owner(), foo))).code).to.equal("unsupported-operation");
    await addRecipient(owner(), { ...partnerAt("only"), ...call });
    expect((await removeRecipient(owner(), foo)).removed).to.deep.equal([{ in: "instruction-file", suffix: ".foo" }]);
    expect(await reads("only", {}, { instructionFileSuffix: ".partner" })).to.equal("secret");
    expect((await refusal(removeRecipient(owner(), { ...foo, recipient: "partner" }))).code).to.equal(
      "unsupported-operation",
    );
  });

  const only = { instructionFileConfig: { enableInstructionFilePutObject: true } };
  /** An object with two wraps, neither of which stands on it. */
  const twoWraps = async (key: string, place: "annotation" | "instruction-file"): Promise<void> => {
    await owner(only).send(put(key), { instructionFileSuffix: ".gen" });
    await addRecipient(owner(), { ...partnerAt(key), in: place, instructionFileSuffix: ".gen" });
  };
  const generatorReads = { keyring: generator };

  for (const place of ["annotation", "instruction-file"] as const) {
    it(`are not all removed by two removals at once (${place})`, async () => {
      const key = `at-once-${place}`;
      await twoWraps(key, place);
      const remove = (recipient: string) => removeRecipient(owner(), { ...at(key), recipient });
      const partnersDelete = { operation: place === "annotation" ? "DeleteObjectAnnotation" : "DeleteObject" } as const;
      const partnersKey = place === "annotation" ? key : `${key}.partner`;
      const first = fixture.server.faults.pause({ operation: "DeleteObject", key: `${key}.gen` });
      const second = fixture.server.faults.pause({ ...partnersDelete, key: partnersKey });
      const both = [remove("gen"), refusal(remove("partner"))] as const;
      await Promise.all([first.reached, second.reached]);
      first.release();
      expect((await both[0]).removed).to.deep.equal([{ in: "instruction-file", suffix: ".gen" }]);
      second.release();
      const error = await both[1];
      expect(error.code).to.equal("content-mismatch");
      expect(error.message).to.contain("put back");
      expect((await listRecipients(owner(), at(key))).recipients.map(({ recipient }) => recipient)).to.deep.equal([
        "partner",
      ]);
      expect(await reads(key, {}, { instructionFileSuffix: ".partner" })).to.equal("secret");
    });
  }

  it("are put back with what S3 keeps them with, wherever both removals have deleted before either looks", async () => {
    await twoWraps("tagged", "instruction-file");
    const Tagging = { TagSet: [{ Key: "kind", Value: "wrap" }] };
    await fixture.plain.send(new PutObjectTaggingCommand({ ...at("tagged.gen"), Tagging }));
    const before = await fixture.stored("tagged.gen");
    const remove = (recipient: string) => removeRecipient(owner(), { ...at("tagged"), recipient });
    const pauses = ["gen", "partner"].map((name) =>
      fixture.server.faults.pause({ operation: "DeleteObject", key: `tagged.${name}`, at: "answer" }),
    );
    const both = Promise.all([refusal(remove("gen")), refusal(remove("partner"))]);
    await Promise.all(pauses.map(({ reached }) => reached));
    for (const pause of pauses) pause.release();
    expect((await both).some(({ code }) => code === "content-mismatch")).to.equal(true);
    expect(await reads("tagged", generatorReads, { instructionFileSuffix: ".gen" })).to.equal("secret");
    expect(await fixture.stored("tagged.gen")).to.deep.include({ body: before.body, metadata: before.metadata });
    const { TagSet } = await fixture.plain.send(new GetObjectTaggingCommand(at("tagged.gen")));
    expect(TagSet).to.deep.equal(Tagging.TagSet);
  });

  it("that could not be put back are in the error, as they were", async () => {
    await twoWraps("gone", "instruction-file");
    const { body } = await fixture.stored("gone.partner");
    const held = fixture.server.faults.pause({ operation: "DeleteObject", key: "gone.partner" });
    const removing = errorOf(removeRecipient(owner(), { ...at("gone"), recipient: "partner" }));
    await held.reached;
    await fixture.plain.send(new DeleteObjectCommand(at("gone.gen")));
    fixture.server.faults.add({ operation: "PutObject", key: "gone.partner", status: 403, code: "AccessDenied" });
    held.release();
    const error = await removing;
    expect(error).to.be.instanceOf(InstructionFileError).and.to.have.property("code", "instruction-file-failed");
    expect((error as InstructionFileError).files).to.deep.equal([{ key: "gone.partner", previous: body.toString() }]);
  });

  it("of which one wrap was removed and another was not are told with both", async () => {
    for (const [status, code] of [
      [403, "instruction-file-failed"],
      [500, "instruction-file-failed"],
    ] as const) {
      const key = `half-${status}`;
      await owner().send(put(key));
      const { place } = await addRecipient(owner(), partnerAt(key));
      await addRecipient(owner(), { ...partnerAt(`${key}`), recipient: "other", in: "instruction-file" });
      const { body } = await fixture.stored(`${key}.other`);
      await fixture.plain.send(new PutObjectCommand({ ...at(`${key}.partner`), Body: body }));
      fixture.server.faults.add({ operation: "DeleteObject", key: `${key}.partner`, status });
      const error = await errorOf(removeRecipient(owner(), { ...at(key), recipient: "partner" }));
      fixture.server.faults.clear();
      expect(error).to.be.instanceOf(PartlyRemovedError).and.to.have.property("code", code);
      const { removed, remaining, message } = error as PartlyRemovedError;
      expect(removed).to.deep.equal([place]);
      expect(remaining).to.deep.equal([{ in: "instruction-file", suffix: ".partner" }]);
      expect(message).to.contain("Removed: the annotation x-s3ec/partner/").and.contain('".partner"');
    }
  });

  it("of which a second annotation is of an object that was replaced are told with the first", async () => {
    await owner().send(put("half"));
    const { place } = await addRecipient(owner(), partnerAt("half"));
    await annotate("half", "x-s3ec/partner/zzz", await text("half", "name" in place ? place.name : undefined));
    const names = await listed("half");
    const first = fixture.server.faults.pause({ operation: "DeleteObjectAnnotation", key: "half", at: "answer" });
    const removing = errorOf(removeRecipient(owner(), { ...at("half"), recipient: "partner" }));
    await first.reached;
    fixture.server.faults.add({ operation: "DeleteObjectAnnotation", status: 412, code: "PreconditionFailed" });
    first.release();
    const error = await removing;
    expect(error).to.be.instanceOf(PartlyRemovedError).and.to.have.property("code", "content-mismatch");
    const { removed, remaining } = error as PartlyRemovedError;
    expect([...removed, ...remaining].map((each) => ("name" in each ? each.name : ""))).to.deep.equal(names);
    expect(removed).to.have.length(1);
  });

  it("let one go where the context that the call says proves another wrap", async () => {
    const kms = new KMSClient(fixture.server.clientConfig);
    const keyring = new KmsKeyring({ keyId: fixture.server.kms.createKey().arn, client: kms });
    const client = fixture.client({ keyring, instructionFileConfig: { enableInstructionFilePutObject: true } });
    const call = { encryptionContext: { tenant: "a" } };
    await client.send(put("bound"), call);
    await addRecipient(client, {
      ...at("bound"),
      recipient: "partner",
      ...call,
      to: { keyring: partner, encryptionContext: {} },
    });
    // As other clients write it: nothing but the key says whose it is.
    const { body } = await fixture.stored("bound.instruction");
    await fixture.plain.send(new PutObjectCommand({ ...at("bound.instruction"), Body: body }));
    const gone = { ...at("bound"), recipient: "partner" };
    for (const encryptionContext of [undefined, {}, { tenant: "b" }]) {
      const error = await refusal(
        removeRecipient(client, { ...gone, ...(encryptionContext && { encryptionContext }) }),
      );
      expect(error.code).to.equal("unsupported-operation");
    }
    const wrong = { ...gone, encryptionContext: { tenant: 1 } as never };
    expect((await refusal(removeRecipient(client, wrong))).code).to.equal("invalid-argument");
    expect((await removeRecipient(client, { ...gone, ...call })).removed).to.have.lengthOf(1);
    kms.destroy();
  });

  it("keep the only annotation of a version that has no wrapped key on it, and let it go once there is another", async () => {
    const Bucket = "alone";
    const object = { Bucket, Key: "v" };
    await fixture.plain.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await fixture.plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const s3 = owner({ instructionFileConfig: { enableInstructionFilePutObject: true } });
    const { VersionId = "" } = await s3.send(new PutObjectCommand({ ...object, Body: "older" }));
    const add = { ...object, recipient: "partner", to: { keyring: partner } };
    await addRecipient(s3, add);
    await s3.send(new PutObjectCommand({ ...object, Body: "newer" }));
    const remove = () => removeRecipient(s3, { ...object, VersionId, recipient: "partner" });
    expect((await refusal(remove())).code).to.equal("unsupported-operation");
    const { recipients } = await listRecipients(s3, { ...object, VersionId });
    const [{ text: wrap = "" } = {}] = recipients;
    await fixture.plain.send(
      new PutObjectAnnotationCommand({
        ...object,
        VersionId,
        AnnotationName: "x-s3ec/other",
        AnnotationPayload: wrap,
      }),
    );
    expect((await remove()).removed).to.have.length(1);
    const nobody = await refusal(removeRecipient(s3, { ...object, VersionId, recipient: "nobody" }));
    expect(nobody.code).to.equal("invalid-argument");
  });

  it("refuse what is no recipient, no key or no place, before anything is asked", async () => {
    fixture.server.clearRequests();
    for (const recipient of ["", "a/b", "moving"]) {
      const wrong = { ...partnerAt("any"), recipient };
      expect((await refusal(addRecipient(owner(), wrong))).code).to.equal("invalid-argument");
      expect((await refusal(removeRecipient(owner(), { ...at("any"), recipient }))).code).to.equal("invalid-argument");
    }
    const place = { ...partnerAt("any"), in: "metadata" as "annotation" };
    expect((await refusal(addRecipient(owner(), place))).code).to.equal("invalid-argument");
    expect((await refusal(listRecipients(owner(), { Bucket: BUCKET, Key: "" }))).code).to.equal("invalid-argument");
    expect(fixture.server.requests).to.deep.equal([]);
  });

  it("leave nothing behind when the store is down", async () => {
    await owner().send(put("down"));
    fixture.server.faults.add({ operation: "PutObjectAnnotation", status: 500 });
    await errorOf(addRecipient(owner(), partnerAt("down")));
    fixture.server.faults.clear();
    expect((await listRecipients(owner(), at("down"))).recipients).to.deep.equal([]);
  });
});
