import { randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  envelopeFilter,
  listObjects,
  migrateObjects,
  type ObjectVerification,
  rewrapObjects,
  VerifyTotals,
  verifyObjects,
} from "@s3ec/bulk";
import { S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { loadKeys, loadVectors, readBody } from "@s3ec/test-vectors";
import { expect } from "chai";
import { gathered, refusal } from "./gathered.js";

const Bucket = "bucket";
const own = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const FILES = { instructionFileConfig: { enableInstructionFilePutObject: true } } as const;

describe("verifyObjects", () => {
  let server: DevServer;
  let plain: S3Client;
  const clients: S3Client[] = [];
  beforeEach(async () => {
    server = await startDevServer({ buckets: [Bucket] });
    plain = new S3Client(server.clientConfig);
    clients.push(plain);
  });
  afterEach(async () => {
    for (const each of clients.splice(0)) each.destroy();
    await server.close();
  });
  const client = (options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient => {
    const encryption = { keyring: own, ...options } as S3EncryptionOptions;
    const made = new S3EncryptionClient({ ...server.clientConfig, maxAttempts: 1, encryption });
    clients.push(made);
    return made;
  };
  const put = (Key: string, options: Partial<S3EncryptionOptions> = {}) =>
    client(options).send(new PutObjectCommand({ Bucket, Key, Body: "secret" }));

  it("finds exactly what cannot be read, and writes nothing", async () => {
    for (let index = 0; index < 30; index++) await put(`good/${String(index).padStart(2, "0")}`);
    await put("file", FILES);
    await put("other", { keyring: new RawAesKeyring({ wrappingKey: randomBytes(32) }) });
    await put("v2", { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" });
    await put("wrapless", FILES);
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "wrapless.instruction" }));
    await plain.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "plain" }));
    await put("denied");
    await put("altered");
    server.faults.add({ operation: "GetObject", key: "denied", status: 403 });
    server.faults.add({ operation: "GetObject", key: "altered", corruptByteAt: 3 });
    server.clearRequests();
    const totals = new VerifyTotals();
    const found: ObjectVerification[] = [];
    const objects = listObjects(plain, { Bucket });
    for await (const each of verifyObjects(client(), objects, { Bucket, concurrency: 4 })) {
      found.push(each);
      totals.add(each);
    }
    const states = (state: string) => found.filter((each) => each.state === state).map(({ Key }) => Key);
    expect(states("verified")).to.deep.equal([
      "file",
      ...found.map(({ Key }) => Key).filter((Key) => Key.startsWith("good/")),
    ]);
    expect(found.filter(({ state }) => state === "failed").map(({ Key, code }) => [Key, code])).to.deep.equal([
      ["altered", "decryption-failed"],
      ["other", "decryption-failed"],
      ["v2", "commitment-policy"],
      ["wrapless", "not-encrypted"],
    ]);
    expect(states("unknown")).to.deep.equal(["denied"]);
    expect(states("plain")).to.deep.equal(["plain"]);
    expect(states("instruction-file")).to.deep.equal(["file.instruction"]);
    expect(totals.byState.get("verified")).to.deep.equal({ objects: 31, bytes: 31 * 6 });
    expect(totals.isAllRead).to.equal(false);
    const reading = new Set(["GetObject", "HeadObject", "ListObjectsV2", "ListObjectAnnotations"]);
    expect(server.requests.filter(({ operation }) => !reading.has(operation))).to.deep.equal([]);
  });

  it("verifies each version", async () => {
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    await put("a");
    await put("a", { keyring: new RawAesKeyring({ wrappingKey: randomBytes(32) }) });
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    const found = await gathered(verifyObjects(client(), listObjects(plain, { Bucket, versions: true }), { Bucket }));
    expect(found.map(({ state }) => state)).to.have.members(["nothing", "failed", "verified"]);
    expect(new Set(found.map(({ VersionId }) => VersionId))).to.have.length(3);
  });

  it("throws what is wrong for every object, and ends when it is told to", async () => {
    await put("a");
    await put("b");
    const all = (options: object) =>
      gathered(verifyObjects(client(), listObjects(plain, { Bucket }), { Bucket, ...options }));
    expect((await refusal(all({ concurency: 1 }))).code).to.equal("invalid-argument");
    expect((await refusal(all({ concurrency: 1.5 }))).code).to.equal("invalid-argument");
    expect((await refusal(gathered(verifyObjects(plain, listObjects(plain, { Bucket }), { Bucket })))).code).to.equal(
      "invalid-argument",
    );
    expect((await refusal(all({ abortSignal: AbortSignal.abort() }))).name).to.equal("AbortError");
  });

  it("has a result for each version, also where its wrapped key is in a file", async () => {
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const reader = client({ commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" });
    for (let round = 0; round < 2; round++) {
      await plain.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "plain" }));
      await put("v2", { ...FILES, commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" });
      await put("v3", FILES);
    }
    const found = await gathered(verifyObjects(reader, listObjects(plain, { Bucket, versions: true }), { Bucket }));
    const states = (key: string) => found.filter(({ Key }) => Key === key).map(({ state }) => state);
    expect(states("plain")).to.deep.equal(["plain", "plain"]);
    expect(states("v3")).to.deep.equal(["verified", "verified"]);
    for (const file of ["v2.instruction", "v3.instruction"]) {
      expect(states(file), file).to.deep.equal(["instruction-file", "instruction-file"]);
    }
    // Nothing but the tag tells which version of the file is its own.
    expect(states("v2")).to.deep.equal(["verified", "verified"]);
  });

  it("takes an older version, of whose file nothing tells the version, for unknown where no tag tells", async () => {
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const vector = loadVectors().find(({ id }) => id === "cpp-v1-2018-eo-aes-instr-16");
    const key = loadKeys()["aes-256"];
    const file = vector?.instructionFiles?.[".instruction"];
    if (vector === undefined || key?.kind !== "aes" || file === undefined) throw new Error("no such vector");
    const reader = client({
      keyring: new RawAesKeyring({ wrappingKey: Buffer.from(key.base64, "base64") }),
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      enableLegacyWrappingAlgorithms: true,
      enableLegacyUnauthenticatedModes: true,
    });
    const putFile = () =>
      plain.send(
        new PutObjectCommand({
          Bucket,
          Key: "cbc.instruction",
          Body: Buffer.from(file.text),
          Metadata: { ...file.metadata },
        }),
      );
    const found = async () => {
      const versions = await gathered(listObjects(plain, { Bucket, Prefix: "cbc", versions: true }));
      const objects = async function* () {
        yield* versions.filter(({ Key }) => Key === "cbc");
      };
      const heal = isListed ? () => {} : server.faults.add({ operation: "ListObjectVersions", status: 403 });
      const all = await gathered(verifyObjects(reader, objects(), { Bucket }));
      heal();
      return all.map(({ state, problem }) => (problem === undefined ? state : `${state}: ${problem}`));
    };
    let isListed = true;
    await putFile();
    for (let version = 0; version < 2; version++) {
      await plain.send(new PutObjectCommand({ Bucket, Key: "cbc", Body: readBody(vector) }));
    }
    expect(await found()).to.deep.equal(["unauthenticated", "unauthenticated"]);
    await putFile();
    const untold =
      "unknown: Its wrapped key is in an instruction file, and nothing tells which version of that is its own";
    expect(await found()).to.deep.equal(["unauthenticated", `${untold}: it is CBC, which proves no key.`]);
    isListed = false;
    expect(await found()).to.deep.equal([
      "unauthenticated",
      `${untold}: they may not be listed (s3:ListBucketVersions).`,
    ]);
  });

  it("ends where there is no such bucket, and takes nothing else that is missing for the object", async () => {
    const keys = async function* () {
      yield { Key: "a" };
    };
    const verify = (options: object) => gathered(verifyObjects(client(), keys(), { Bucket, ...options }));
    expect((await refusal(verify({ Bucket: "typo" }))).name).to.equal("NoSuchBucket");
    expect((await verify({})).map(({ state }) => state)).to.deep.equal(["nothing"]);
    await put("a");
    server.faults.add({ operation: "GetObject", key: "a", status: 404, code: "NoSuchUpload" });
    expect((await verify({})).map(({ state }) => state)).to.deep.equal(["unknown"]);
  });

  it("and a move take no object for plain whose wrapped key is in a file of another suffix", async () => {
    const legacy = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
    for (const Key of ["apart", "report.pdf"]) await put(Key, { ...FILES, ...legacy });
    const copy = { Bucket, Key: "apart.own", CopySource: `${Bucket}/apart.instruction` };
    await plain.send(new CopyObjectCommand(copy));
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "apart.instruction" }));
    // The file of an object whose key begins with another one's is not that one's.
    for (const Key of ["apart", "report"]) await plain.send(new PutObjectCommand({ Bucket, Key, Body: "content" }));
    const reader = client({ commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" });
    const to = { keyring: new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: "new" } }) };
    const objects = () => listObjects(plain, { Bucket });
    const moving = { Bucket, to, settleTime: 0, dryRun: true };
    const found = await gathered(verifyObjects(reader, objects(), { Bucket }));
    const filter = envelopeFilter({ formats: ["V2"] });
    const runs = [
      await gathered(rewrapObjects(reader, objects(), moving)),
      await gathered(migrateObjects(reader, objects(), moving)),
      await gathered(migrateObjects(reader, objects(), { ...moving, envelopeFilter: filter })),
    ];
    const of = (key: string, results: readonly { readonly Key: string }[]) => results.find(({ Key }) => Key === key);
    expect(of("report", found)).to.include({ state: "plain" });
    expect(of("apart", found)).to.include({ state: "failed", code: "not-encrypted" });
    for (const run of runs) {
      expect(of("apart", run)).to.include({ outcome: "failed" });
      expect(JSON.stringify(of("apart", run))).to.contain("name its suffix");
    }
    expect(runs.map((run) => run.find(({ Key }) => Key === "report")?.outcome)).to.deep.equal([
      "skipped",
      "skipped",
      undefined,
    ]);
  });
});
