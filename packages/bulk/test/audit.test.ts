import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  type AuditBucketOptions,
  type AuditCoverage,
  type AuditedObject,
  AuditTotals,
  auditBucket,
  auditObjects,
  objectFilter,
  rawKeyQuestion,
} from "@s3ec/bulk";
import { addRecipient, S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { instructionFileToRead, loadVectors, readBody } from "@s3ec/test-vectors";
import { expect } from "chai";
import { gathered, refusal } from "./gathered.js";
import { stored } from "./stored.js";

const Bucket = "bucket";
const own = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: "own" } });
const partner = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
const asksPartner = { keyQuestion: rawKeyQuestion({ keyring: partner, keyKind: "rsa" }) };
const V2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
const FILES = { instructionFileConfig: { enableInstructionFilePutObject: true } } as const;

async function audit(
  client: S3Client,
  options: Partial<AuditBucketOptions> = {},
): Promise<{ byKey: Map<string, AuditedObject>; all: AuditedObject[]; coverage: AuditCoverage; totals: AuditTotals }> {
  const all: AuditedObject[] = [];
  const totals = new AuditTotals();
  const results = auditBucket(client, { Bucket, ...options });
  let next = await results.next();
  for (; next.done !== true; next = await results.next()) {
    all.push(next.value);
    totals.add(next.value);
  }
  return { byKey: new Map(all.map((each) => [each.Key, each])), all, coverage: next.value, totals };
}

describe("auditBucket", () => {
  let server: DevServer;
  let plain: S3Client;
  beforeEach(async () => {
    server = await startDevServer({ buckets: [Bucket] });
    plain = new S3Client({ ...server.clientConfig, maxAttempts: 1 });
  });
  afterEach(async () => {
    plain.destroy();
    await server.close();
  });

  const client = (options: Partial<S3EncryptionOptions> = {}) =>
    new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring: own, ...options } as S3EncryptionOptions });
  const put = async (Key: string, options: Partial<S3EncryptionOptions> = {}, Body = "secret") => {
    const encrypting = client(options);
    await encrypting.send(new PutObjectCommand({ Bucket, Key, Body }));
    encrypting.destroy();
  };
  const putPlain = (Key: string, Body: string, Metadata: Record<string, string> = {}) =>
    plain.send(new PutObjectCommand({ Bucket, Key, Body, Metadata }));

  it("tells formats, wraps and places, and reads no content", async () => {
    await put("v3");
    await put("v2", V2, "four");
    await put("v3-in-file", FILES);
    await put("v2-in-file", { ...V2, ...FILES });
    await putPlain("plain", "x".repeat(100_000));
    server.clearRequests();
    const { byKey, totals, coverage } = await audit(plain);
    expect(byKey.get("v3")).to.deep.equal({
      Key: "v3",
      state: "encrypted",
      format: "V3",
      suite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
      isAuthenticated: true,
      isCommitting: true,
      storedLength: 22,
      contentLength: 6,
      wraps: [
        {
          place: { in: "metadata" },
          wrapAlgorithm: "AES/GCM",
          keyKind: "aes",
          isLegacy: false,
          description: { key: "own" },
        },
      ],
    });
    expect(byKey.get("v2")).to.include({ format: "V2", isCommitting: false, contentLength: 4 });
    for (const format of ["V3", "V2"]) {
      const Key = `${format.toLowerCase()}-in-file`;
      expect(byKey.get(Key)).to.include({ state: "encrypted", format, contentLength: 6 });
      expect(byKey.get(Key)?.wraps[0]?.place).to.deep.equal({ in: "instruction-file", suffix: ".instruction" });
      expect(byKey.get(`${Key}.instruction`)).to.include({ state: "instruction-file", owner: Key, isOfAnother: false });
    }
    expect(byKey.get("plain")).to.deep.equal({ Key: "plain", state: "plain", storedLength: 100_000, wraps: [] });
    expect(coverage).to.deep.include({ isWhole: true, unknown: [] });
    expect(JSON.parse(JSON.stringify(totals))).to.deep.equal({
      objects: 7,
      bytes: 6 + 4 + 6 + 6 + 100_000,
      ofUnknownLength: 0,
      byState: {
        encrypted: { objects: 4, bytes: 22, ofUnknownLength: 0 },
        plain: { objects: 1, bytes: 100_000, ofUnknownLength: 0 },
        "instruction-file": { objects: 2, bytes: 0, ofUnknownLength: 0 },
      },
      byFormat: {
        V2: { objects: 2, bytes: 10, ofUnknownLength: 0 },
        V3: { objects: 2, bytes: 12, ofUnknownLength: 0 },
      },
      byWrap: { "AES/GCM": { objects: 4, bytes: 22, ofUnknownLength: 0 } },
      legacyWraps: { objects: 0, bytes: 0, ofUnknownLength: 0 },
      uncommitted: { objects: 2, bytes: 10, ofUnknownLength: 0 },
      unauthenticated: { objects: 0, bytes: 0, ofUnknownLength: 0 },
    });
    const gets = server.requests.filter(({ operation }) => operation === "GetObject").map(({ key }) => key);
    expect(gets).to.not.include.members(["v3"]);
    expect(gets).to.not.include.members(["v2"]);
    expect(gets).to.not.include.members(["plain"]);
  });

  it("finds the wrap of every object of the official clients, in metadata and in files", async () => {
    const vectors = loadVectors().filter(({ expect: refused }) => refused === undefined);
    const suffixes = new Set<string>();
    for (const [index, vector] of vectors.entries()) {
      await server.putRawObject(Bucket, `${index}`, { body: readBody(vector), metadata: vector.metadata });
      for (const [suffix, { text, metadata }] of Object.entries(vector.instructionFiles ?? {})) {
        suffixes.add(suffix);
        await server.putRawObject(Bucket, `${index}${suffix}`, { body: Buffer.from(text), metadata });
      }
    }
    const { byKey, totals } = await audit(plain, { instructionFileSuffixes: [...suffixes] });
    expect(vectors).to.have.length.above(100);
    for (const [index, vector] of vectors.entries()) {
      const found = byKey.get(`${index}`);
      expect([found?.state, found?.problem], vector.id).to.deep.equal(["encrypted", undefined]);
      const file = instructionFileToRead(vector);
      const at = file === undefined ? found : byKey.get(`${index}${file.suffix}`);
      const [wrap] = at?.wraps ?? [];
      if (file !== undefined) expect(at, vector.id).to.include({ state: "instruction-file", owner: `${index}` });
      const { description } = wrap ?? {};
      if (vector.materialDescription !== undefined && wrap?.keyKind !== "kms") {
        expect(description, vector.id).to.deep.equal(vector.materialDescription);
      }
      const { length } = vector.plaintext;
      expect([null, length], vector.id).to.include(found?.contentLength);
    }
    expect(totals.byState.get("encrypted")?.objects).to.equal(vectors.length);
    expect(totals.byState.get("instruction-file")?.objects).to.be.above(5);
    expect([...totals.byFormat.keys()]).to.have.members(["V1", "V2", "V3"]);
    expect([...totals.byWrap.keys()]).to.have.length(8);
  });

  it("tells recipients in files and annotations, and which of them need a key", async () => {
    const withPartner = new MultiKeyring({
      generator: own,
      children: [{ keyring: partner, instructionFileSuffix: ".partner" }],
    });
    await put("shared", { keyring: withPartner });
    await put("annotated");
    await put("alone");
    const encrypting = client();
    await addRecipient(encrypting, { Bucket, Key: "annotated", recipient: "partner", to: { keyring: partner } });
    encrypting.destroy();
    const { byKey, totals } = await audit(plain, asksPartner);
    expect(byKey.get("shared")).to.include({ needsKey: "no" });
    expect(byKey.get("shared.partner")).to.include({ state: "instruction-file", owner: "shared", needsKey: "yes" });
    expect(
      byKey.get("annotated")?.wraps.map(({ place, recipient, needsKey }) => [place.in, recipient, needsKey]),
    ).to.deep.equal([
      ["metadata", undefined, "no"],
      ["annotation", "partner", "yes"],
    ]);
    expect(byKey.get("annotated")).to.include({ needsKey: "yes" });
    expect(byKey.get("alone")).to.include({ needsKey: "no" });
    expect([...totals.byNeed].map(([need, { objects }]) => [need, objects])).to.have.deep.members([
      ["no", 2],
      ["yes", 2],
    ]);
  });

  it("asks for the files of objects that come from no listing", async () => {
    const withPartner = new MultiKeyring({
      generator: own,
      children: [{ keyring: partner, instructionFileSuffix: ".partner" }],
    });
    await put("shared", { keyring: withPartner });
    await put("in-file", FILES);
    await put("gone");
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "gone" }));
    async function* keys() {
      for (const Key of ["shared", "in-file", "gone"]) yield { Key };
    }
    const all = await gathered(auditObjects(plain, keys(), { Bucket, ...asksPartner, concurrency: 1 }));
    expect(all.map(({ Key, state, needsKey }) => [Key, state, needsKey])).to.deep.equal([
      ["shared", "encrypted", "yes"],
      ["in-file", "encrypted", "no"],
      ["gone", "nothing", "no"],
    ]);
    expect(all[0]?.wraps.map(({ place }) => place)).to.deep.equal([
      { in: "metadata" },
      { in: "instruction-file", suffix: ".partner" },
    ]);
  });

  it("finds files without an object, also where no writer has marked them, and files of another object", async () => {
    await put("a", FILES);
    await put("b.c", {
      keyring: new MultiKeyring({ generator: own, children: [{ keyring: partner, instructionFileSuffix: ".x.y" }] }),
    });
    const { Body } = await stored(plain, Bucket, "a.instruction");
    await putPlain("ruby.custom", Body);
    await putPlain("settings.json", "{}");
    const moved = await stored(plain, Bucket, "b.c.x.y");
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    await put("b.c");
    await putPlain("b.c.x.y", moved.Body, moved.Metadata);
    const { byKey } = await audit(plain, asksPartner);
    expect(byKey.get("a.instruction")).to.include({ state: "orphaned-file", needsKey: "no" });
    expect(byKey.get("ruby.custom")).to.include({ state: "orphaned-file" });
    expect(byKey.get("b.c.x.y")).to.include({
      state: "instruction-file",
      owner: "b.c",
      isOfAnother: true,
      needsKey: "yes",
    });
    expect(byKey.get("settings.json")).to.include({ state: "plain", needsKey: "no" });
  });

  it("counts whatever cannot be told as needing the key", async () => {
    await put("fine");
    await put("denied");
    await put("no-annotations");
    await put("wrapless", FILES);
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "wrapless.instruction" }));
    await put("wrapless-v2", { ...V2, ...FILES });
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "wrapless-v2.instruction" }));
    await putPlain("malformed", "x", { "x-amz-key-v2": "?", "x-amz-iv": "?" });
    await putPlain("bad.instruction", "{", { "x-amz-crypto-instr-file": "" });
    await putPlain("vault.custom", '{"x-amz-3":"AAAA","x-amz-w":"acme:vault"}');
    await put("silent");
    server.faults.add({ operation: "ListObjectAnnotations", key: "silent", status: 501 });
    await putPlain("small", "unread");
    server.faults.add({ operation: "HeadObject", key: "denied", status: 403 });
    server.faults.add({ operation: "ListObjectAnnotations", key: "no-annotations", status: 403 });
    await put("failed");
    server.faults.add({ operation: "ListObjectAnnotations", key: "failed", status: 400 });
    server.faults.add({ operation: "GetObject", key: "small", status: 500 });
    const { byKey } = await audit(plain, { ...asksPartner, concurrency: 1 });
    for (const [Key, state, needsKey, said] of [
      ["fine", "encrypted", "no", undefined],
      ["denied", "unknown", "unknown", "allow s3:GetObject"],
      ["no-annotations", "encrypted", "unknown", "s3:ListObjectAnnotations"],
      ["failed", "encrypted", "unknown", "s3:ListObjectAnnotations"],
      ["wrapless", "unreadable", "unknown", "wrapped key was not found"],
      ["wrapless-v2", "unreadable", "unknown", "wrapped key was not found"],
      ["malformed", "unreadable", "unknown", "envelope"],
      ["bad.instruction", "unreadable", "unknown", "holds none that is known"],
      ["vault.custom", "unreadable", "unknown", "a keyring of somebody's own"],
      ["silent", "encrypted", "unknown", "not its own"],
      ["small", "unknown", "unknown", "HTTP 500"],
    ] as const) {
      const found = byKey.get(Key);
      expect([found?.state, found?.needsKey], Key).to.deep.equal([state, needsKey]);
      if (said === undefined) expect(found?.problem).to.equal(undefined);
      else expect(found?.problem).to.contain(said);
    }
  });

  it("finds what is annotated to an object whose envelope is in a file of its writer's own suffix", async () => {
    await put("ruby", { ...V2, ...FILES });
    const file = await stored(plain, Bucket, "ruby.instruction");
    const body = await stored(plain, Bucket, "ruby");
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "ruby.instruction" }));
    // As a writer leaves it that marks nothing.
    await putPlain("ruby", body.Body);
    await putPlain("ruby.own", file.Body);
    const wrapped = new MultiKeyring({ generator: own, children: [{ keyring: partner, instructionFileSuffix: ".p" }] });
    await put("other", { keyring: wrapped, ...V2, enableUncommittedChildren: true });
    const { Body: AnnotationPayload } = await stored(plain, Bucket, "other.p");
    await plain.send(
      new PutObjectAnnotationCommand({ Bucket, Key: "ruby", AnnotationName: "x-s3ec/partner", AnnotationPayload }),
    );
    const { byKey } = await audit(plain, asksPartner);
    expect(byKey.get("ruby")).to.include({ state: "plain", needsKey: "yes" });
    expect(byKey.get("ruby.own")).to.include({ state: "instruction-file", owner: "ruby", needsKey: "no" });
  });

  it("takes a store that shows no annotations of any object for one that has none", async () => {
    await put("a");
    await put("b");
    server.faults.add({ operation: "ListObjectAnnotations", status: 501 });
    const { totals } = await audit(plain, asksPartner);
    expect([...totals.byNeed.keys()]).to.deep.equal(["no"]);
    server.faults.clear();
    server.faults.add({ operation: "ListObjectAnnotations", key: "a", status: 501 });
    const { coverage } = await audit(plain, { ...asksPartner, concurrency: 1 });
    expect(coverage.unknown.join()).to.contain("of some objects, and not of others");
  });

  it("looks again until nothing new comes, and says by when writers must have stopped", async () => {
    for (let index = 0; index < 5; index++) await put(`a/${index}`);
    const results = auditBucket(plain, { Bucket, concurrency: 1 });
    const keys: string[] = [];
    const before = Date.now();
    let next = await results.next();
    for (; next.done !== true; next = await results.next()) {
      keys.push(next.value.Key);
      // Behind what was listed, and the listing's page is there already.
      if (keys.length === 3) await put("0-new");
    }
    expect(keys).to.have.members(["0-new", ...[0, 1, 2, 3, 4].map((index) => `a/${index}`)]);
    expect(next.value.unknown).to.deep.equal([]);
    expect(next.value.writersStoppedBy?.getTime()).to.be.within(before - 1000, Date.now());
  });

  for (const [annotations, when] of [
    ["supported", "before it began"],
    ["refused", "before its last listing, in a store without annotations"],
  ] as const) {
    it(`says that writers must have stopped ${when}`, async () => {
      await using other = await startDevServer({ buckets: [Bucket], annotations });
      const s3 = new S3Client({ ...other.clientConfig, maxAttempts: 1 });
      const encrypting = new S3EncryptionClient({ ...other.clientConfig, encryption: { keyring: own } });
      for (const Key of ["a", "b"]) await encrypting.send(new PutObjectCommand({ Bucket, Key, Body: "secret" }));
      const results = auditBucket(s3, { Bucket, concurrency: 1, ...asksPartner });
      await results.next();
      await new Promise((resolve) => setTimeout(resolve, 2100));
      const before = Date.now();
      // It changes neither the entity tag nor the time of what was looked at.
      if (annotations === "supported") {
        await addRecipient(encrypting, { Bucket, Key: "a", recipient: "partner", to: { keyring: partner } });
      }
      let next = await results.next();
      while (next.done !== true) next = await results.next();
      for (const each of [s3, encrypting]) each.destroy();
      expect(next.value.unknown).to.deep.equal([]);
      const time = next.value.writersStoppedBy?.getTime() ?? Number.NaN;
      if (annotations === "supported") expect(time).to.be.below(before - 1000);
      else expect(time).to.be.above(before - 1000);
    });
  }

  it("looks for the files that a filter leaves out", async () => {
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const keyring = new MultiKeyring({
      generator: own,
      children: [{ keyring: partner, instructionFileSuffix: ".partner" }],
    });
    await put("shared", { keyring });
    const filter = objectFilter({ glob: "shared" });
    expect((await audit(plain, { ...asksPartner, filter })).byKey.get("shared")?.needsKey).to.equal("yes");
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "shared.partner" }));
    await put("shared");
    const { all } = await audit(plain, { ...asksPartner, filter, versions: true });
    expect(all.map(({ needsKey }) => needsKey)).to.deep.equal(["no", "unknown"]);
  });

  it("ends where there is no such bucket: a missing object looks the same", async () => {
    async function* keys() {
      yield { Key: "a" };
    }
    const refused = await refusal(gathered(auditObjects(plain, keys(), { Bucket: "typo" })));
    expect(refused.name).to.equal("NoSuchBucket");
    const states = async () => (await gathered(auditObjects(plain, keys(), { Bucket }))).map(({ state }) => state);
    expect(await states()).to.deep.equal(["nothing"]);
    server.faults.add({ operation: "HeadBucket", status: 403 });
    expect(await states()).to.deep.equal(["nothing"]);
    server.faults.add({ operation: "HeadBucket", status: 503 });
    expect(await states()).to.deep.equal(["unknown"]);
  });

  it("knows that versions, uploads under way and what is beyond a prefix were not looked at", async () => {
    await put("p/a");
    expect((await audit(plain, { Prefix: "p/" })).coverage).to.include({ isWhole: false });
    const filtered = await audit(plain, { filter: ({ Key }) => Key !== "p/a" });
    expect([filtered.coverage.isWhole, filtered.all]).to.deep.equal([false, []]);
    await plain.send(new CreateMultipartUploadCommand({ Bucket, Key: "pending" }));
    expect((await audit(plain)).coverage.unknown.join()).to.contain("Uploads in parts");
    server.faults.add({ operation: "ListMultipartUploads", status: 403 });
    expect((await audit(plain)).coverage.unknown.join()).to.contain("uploads in parts are under way may not be read");
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }));
    expect((await audit(plain)).coverage.unknown.join()).to.contain("has kept some");
    expect((await audit(plain, { versions: true })).coverage.unknown.join()).to.not.contain("has kept some");
    server.faults.add({ operation: "GetBucketVersioning", status: 403 });
    expect((await audit(plain)).coverage.unknown.join()).to.contain(
      "Whether the bucket keeps versions may not be read",
    );
  });

  it("looks at every version, each with its own annotations", async () => {
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    await put("a");
    const encrypting = client();
    await addRecipient(encrypting, { Bucket, Key: "a", recipient: "partner", to: { keyring: partner } });
    encrypting.destroy();
    await put("a");
    await put("f", FILES);
    await put("f", FILES);
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "f" }));
    const { all } = await audit(plain, { versions: true, ...asksPartner });
    const ofKey = (Key: string) =>
      all.filter((each) => each.Key === Key).map(({ state, needsKey }) => [state, needsKey]);
    expect(ofKey("a")).to.have.deep.members([
      ["encrypted", "no"],
      ["encrypted", "yes"],
    ]);
    // Which file was an old version's, nothing tells.
    expect(ofKey("f")).to.have.deep.members([
      ["nothing", "no"],
      ["unreadable", "unknown"],
      ["unreadable", "unknown"],
    ]);
    expect(ofKey("f.instruction").filter(([state]) => state === "instruction-file")).to.have.length(1);
  });

  it("is told what is wrong with its options, and ends when it is told to", async () => {
    expect((await refusal(gathered(auditBucket(plain, { Bucket: "" })))).code).to.equal("invalid-argument");
    expect((await refusal(gathered(auditBucket(plain, { Bucket, concurrency: 0 })))).code).to.equal("invalid-argument");
    const unknown = { Bucket, prefix: "a" } as unknown as AuditBucketOptions;
    expect((await refusal(gathered(auditBucket(plain, unknown)))).code).to.equal("invalid-argument");
    await put("a");
    await put("b");
    const controller = new AbortController();
    const results = auditBucket(plain, { Bucket, concurrency: 1, abortSignal: controller.signal });
    await results.next();
    controller.abort();
    expect((await refusal(gathered(results))).name).to.equal("AbortError");
  });
});
