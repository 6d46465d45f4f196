import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KMSClient } from "@aws-sdk/client-kms";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  envelopeFilter,
  listObjects,
  migrateObjects,
  objectFilter,
  type RewrapObjectsOptions,
  RewriteTotals,
  type RewrittenObject,
  rewrapObjects,
} from "@s3ec/bulk";
import { addRecipient, type S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, BulkFixture, former, numbered, renewed } from "./bulk-fixture.js";
import { gathered, refusal } from "./gathered.js";

const Bucket = BUCKET;
const NEW = { keyring: renewed };
const FILES = { instructionFileConfig: { enableInstructionFilePutObject: true } } as const;

describe("rewrapObjects", () => {
  let fixture: BulkFixture;
  beforeEach(async () => {
    fixture = await BulkFixture.start();
  });
  afterEach(() => fixture.close());

  const rewrap = (options: Partial<RewrapObjectsOptions> = {}, client: S3EncryptionClient = fixture.client()) =>
    gathered(
      rewrapObjects(client, listObjects(fixture.plain, { Bucket }), {
        Bucket,
        to: { keyring: renewed },
        settleTime: 0,
        ...options,
      }),
    );
  const outcomes = (results: readonly RewrittenObject[]) =>
    Object.fromEntries(results.map(({ Key, outcome }) => [Key, outcome]));
  const journal = (name = "journal", target = "new") => ({ path: join(fixture.folder, name), target });
  const copies = () => fixture.changes("CopyObject").length;

  it("never calls current what the old keyring opens, too, by a former key that it reads with", async () => {
    const { server } = fixture;
    const [former, now] = ["former", "now"].map((name) => server.kms.createKey({ alias: `alias/${name}` }).arn);
    const { endpoint, region, credentials } = server.clientConfig;
    const kms = new KMSClient({ endpoint, region, credentials, maxAttempts: 1 });
    const keyring = new KmsKeyring({ keyId: "alias/former", client: kms });
    await fixture.put(["a"], { keyring });
    const repointed = { keyId: "alias/now", formerKeyIds: [former ?? ""], client: kms };
    // Its key store does not wrap anew what it can open.
    class Unwilling extends KmsKeyring {
      override async reencrypt(): Promise<never> {
        throw new S3EncryptionError("no-matching-key", "It is another key's.");
      }
    }
    const own = { to: {}, owner: "same" } as const;
    const failed = await rewrap(own, fixture.client({ keyring: new Unwilling(repointed) }));
    expect(failed[0]).to.include({ outcome: "failed", code: "no-matching-key" });
    // And by KMS, which is asked by the former key's name.
    const [done] = await rewrap(own, fixture.client({ keyring: new KmsKeyring(repointed) }));
    expect(done?.outcome).to.equal("rewrapped");
    expect(await fixture.read("a", { keyring: new KmsKeyring({ keyId: now ?? "", client: kms }) })).to.equal(
      "content of a",
    );
    kms.destroy();
  });

  it("moves what is encrypted, passes by what is not, and tells which older versions keep the old key", async () => {
    await fixture.plain.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
    );
    await fixture.put(["a", "b"]);
    await fixture.put(["in-file"], FILES);
    await fixture.plain.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "plain" }));
    await fixture.put(["gone"]);
    await fixture.plain.send(new DeleteObjectCommand({ Bucket, Key: "gone" }));
    const totals = new RewriteTotals();
    const results = await rewrap();
    for (const each of results) totals.add(each);
    expect(outcomes(results)).to.deep.equal({
      a: "rewrapped",
      b: "rewrapped",
      "in-file": "rewrapped",
      "in-file.instruction": "skipped",
      plain: "skipped",
    });
    for (const Key of ["a", "b", "in-file"]) {
      expect(await fixture.read(Key, NEW)).to.equal(`content of ${Key}`);
      expect(await fixture.read(Key)).to.equal("decryption-failed");
    }
    expect([totals.keptVersions, totals.isAllDone]).to.deep.equal([3, true]);
    const versions = listObjects(fixture.plain, { Bucket, versions: true });
    const all = await gathered(
      rewrapObjects(fixture.client(), versions, { Bucket, to: { keyring: renewed }, settleTime: 0 }),
    );
    const older = all.filter(({ outcome }) => outcome === "refused");
    expect(older.map(({ Key }) => Key)).to.have.members(["a", "b", "gone", "in-file.instruction"]);
    expect(older[0]?.problem).to.contain("older version");
    expect(older.every(({ VersionId }) => VersionId !== undefined)).to.equal(true);
    expect(all.filter(({ outcome }) => outcome === "nothing")).to.have.length(1);
    // The old key alone does not open them any more, and the new one does.
    expect(all.filter(({ outcome }) => outcome === "current").map(({ Key }) => Key)).to.deep.equal([
      "a",
      "b",
      "in-file",
    ]);
  });

  it("says in a dry run what it would do, and changes nothing", async () => {
    await fixture.put(["a"]);
    await fixture.put(["in-file"], FILES);
    await fixture.put(["other"], { keyring: new RawAesKeyring({ wrappingKey: randomBytes(32) }) });
    fixture.server.clearRequests();
    const results = await rewrap({ dryRun: true, journal: journal() });
    expect(outcomes(results)).to.deep.equal({
      a: "planned",
      "in-file": "planned",
      "in-file.instruction": "skipped",
      other: "failed",
    });
    expect(fixture.changes()).to.deep.equal([]);
    expect(() => readFileSync(journal().path)).to.throw("ENOENT");
  });

  it("leaves out what no filter means", async () => {
    await fixture.put(["a", "b"]);
    await fixture.put(["v2"], { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" });
    await fixture.plain.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "plain" }));
    const planned = async (options: Partial<RewrapObjectsOptions>) =>
      (
        await rewrap(
          { dryRun: true, ...options },
          fixture.client({ commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" }),
        )
      )
        .map(({ Key }) => Key)
        .join();
    expect(await planned({ filter: objectFilter({ glob: "[ab]" }) })).to.equal("a,b");
    expect(await planned({ envelopeFilter: envelopeFilter({ formats: ["V2"] }) })).to.equal("v2");
    expect(await planned({ envelopeFilter: envelopeFilter({ wraps: ["AES/GCM"] }) })).to.equal("a,b,v2");
    expect(await planned({ envelopeFilter: envelopeFilter({ wraps: ["kms"] }) })).to.equal("");
    expect(await planned({ envelopeFilter: envelopeFilter({ description: { key: "old" } }) })).to.equal("a,b,v2");
    expect(await planned({ envelopeFilter: envelopeFilter({ description: { key: "new" } }) })).to.equal("");
    fixture.server.faults.add({ operation: "HeadObject", key: "b", status: 403 });
    const [, unseen] = await rewrap({ dryRun: true, envelopeFilter: envelopeFilter({ formats: ["V3"] }) });
    expect([unseen?.Key, unseen?.outcome]).to.deep.equal(["b", "failed"]);
    expect(() => envelopeFilter({ formats: ["V4" as "V3"] })).to.throw("V1, V2 and V3");
  });

  it("reports what S3 refuses of one object with what to do, and goes on", async () => {
    await fixture.put(["busy", "denied", "error-in-200", "fine", "precondition", "slow"]);
    const { faults } = fixture.server;
    faults.add({ operation: "CopyObject", key: "denied", status: 403, code: "AccessDenied" });
    faults.add({ operation: "CopyObject", key: "busy", status: 503, code: "ServiceUnavailable" });
    faults.add({ operation: "CopyObject", key: "slow", status: 503, code: "SlowDown" });
    faults.add({ operation: "CopyObject", key: "precondition", status: 412, code: "PreconditionFailed" });
    faults.add({ operation: "CopyObject", key: "error-in-200", status: 200, code: "InternalError" });
    const results = await rewrap({ journal: journal() });
    const told = results.map(({ Key, outcome, code, todo = "" }) => [Key, outcome, code, todo]);
    expect(told.map(([Key, outcome]) => [Key, outcome])).to.deep.equal([
      ["busy", "failed"],
      ["denied", "failed"],
      ["error-in-200", "failed"],
      ["fine", "rewrapped"],
      ["precondition", "failed"],
      ["slow", "failed"],
    ]);
    const todo = (index: number) => told[index]?.[3];
    expect(todo(0)).to.contain("lower rate");
    expect(todo(1)).to.contain("s3:PutObject");
    expect(todo(4)).to.contain("others wrote");
    expect(results[5]?.code).to.equal("SlowDown");
    for (const Key of ["busy", "denied", "error-in-200"]) {
      expect(await fixture.read(Key), Key).to.equal(`content of ${Key}`);
    }
    faults.clear();
    fixture.server.clearRequests();
    const again = await rewrap({ journal: journal() });
    expect(new Set(again.filter(({ Key }) => Key !== "fine").map(({ outcome }) => outcome))).to.deep.equal(
      new Set(["rewrapped"]),
    );
    expect(outcomes(again)).to.include({ fine: "current" });
    expect(copies()).to.equal(5);
  });

  it("lets a newer put win", async () => {
    await fixture.put(["a"]);
    const held = fixture.server.faults.pause({ operation: "CopyObject", key: "a", at: "request" });
    const running = rewrap({ journal: journal() });
    await held.reached;
    await fixture.put(["a"]);
    held.release();
    const [result] = await running;
    expect([result?.outcome, result?.code]).to.deep.equal(["failed", "content-mismatch"]);
    expect(await fixture.read("a")).to.equal("content of a");
    expect(outcomes(await rewrap({ journal: journal() }))).to.deep.equal({ a: "rewrapped" });
  });

  it("stops when the new keyring does not open what it wraps", async () => {
    await fixture.put(numbered(40));
    const blind = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: "blind" } });
    const to = {
      keyring: {
        ...forwarded(blind),
        onDecrypt: async () => null,
      },
    };
    const seen: RewrittenObject[] = [];
    const run = async () => {
      const options = { Bucket, to, settleTime: 0, concurrency: 2 };
      for await (const each of rewrapObjects(fixture.client(), listObjects(fixture.plain, { Bucket }), options)) {
        seen.push(each);
      }
    };
    const error = await refusal(run());
    expect(error.code).to.equal("invalid-configuration");
    expect(error.message).to.contain("Stopped after").and.contain("does not open the wrap that it made");
    expect(seen.length).to.be.within(3, 4);
    expect(new Set(seen.map(({ outcome }) => outcome))).to.deep.equal(new Set(["failed"]));
    expect(copies()).to.equal(0);
  });

  it("does again what was put back under the same entity tag behind a journal that says it is done", async () => {
    await fixture.put(["a", "b"]);
    const { Metadata, ETag } = await fixture.plain.send(new HeadObjectCommand({ Bucket, Key: "a" }));
    await rewrap({ journal: journal() });
    await fixture.plain.send(
      new CopyObjectCommand({ Bucket, Key: "a", CopySource: `${Bucket}/a`, MetadataDirective: "REPLACE", Metadata }),
    );
    expect((await fixture.plain.send(new HeadObjectCommand({ Bucket, Key: "a" }))).ETag).to.equal(ETag);
    expect(await fixture.read("a")).to.equal("content of a");
    fixture.server.clearRequests();
    const results = await rewrap({ journal: journal() });
    expect(outcomes(results)).to.deep.equal({ a: "rewrapped", b: "current" });
    expect(copies()).to.equal(1);
    expect(await fixture.read("a", NEW)).to.equal("content of a");
    expect(outcomes(await rewrap({ journal: journal() }))).to.deep.equal({ a: "current", b: "current" });
  });

  it("journals what the new key has opened, and nothing that could not be opened", async () => {
    await fixture.put(["moved"], NEW);
    await fixture.put(["other"], { keyring: new RawAesKeyring({ wrappingKey: randomBytes(32) }) });
    const first = await rewrap({ journal: journal() });
    expect(outcomes(first)).to.deep.equal({ moved: "current", other: "failed" });
    expect(first[0]?.problem).to.contain("The new key opens it");
    fixture.server.clearRequests();
    const second = await rewrap({ journal: journal() });
    expect(outcomes(second)).to.deep.equal({ moved: "current", other: "failed" });
    expect(second[0]?.problem).to.contain("The journal says");
    expect(
      fixture.server.requests.filter(({ key }) => key === "moved").map(({ operation }) => operation),
    ).to.deep.equal(["HeadObject"]);
  });

  it("re-wraps recipients, too, wherever their wraps are, and those alone that are named", async () => {
    const [old, next] = ["partner", "partner 2026"].map(
      (key) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } }),
    ) as [RawAesKeyring, RawAesKeyring];
    await fixture.put(["annotated", "in-file", "without"]);
    const to = { keyring: old };
    await addRecipient(fixture.client(), { Bucket, Key: "annotated", recipient: "partner", to });
    await addRecipient(fixture.client(), { Bucket, Key: "in-file", recipient: "partner", to, in: "instruction-file" });
    const options = { to: { keyring: next }, instructionFileSuffix: ".partner", journal: journal("partner") };
    const results = await rewrap(options, fixture.client({ keyring: old }));
    expect(outcomes(results)).to.deep.equal({
      annotated: "rewrapped",
      "in-file": "rewrapped",
      "in-file.partner": "skipped",
      without: "skipped",
    });
    fixture.server.clearRequests();
    const again = outcomes(await rewrap(options, fixture.client({ keyring: old })));
    expect(again).to.include({ annotated: "current", "in-file": "current" });
    expect(fixture.changes()).to.deep.equal([]);
    for (const Key of ["annotated", "in-file"]) {
      const byPartner = (keyring: RawAesKeyring) =>
        fixture
          .client({ keyring })
          .send(new GetObjectCommand({ Bucket, Key }), { instructionFileSuffix: ".partner" })
          .then(({ Body }) => Body?.transformToString());
      expect(await byPartner(next)).to.equal(`content of ${Key}`);
      expect((await refusal(byPartner(old))).code).to.be.oneOf(["decryption-failed", "not-encrypted"]);
      expect(await fixture.read(Key)).to.equal(`content of ${Key}`);
    }
  });

  it("re-wraps recipients whom a journal's run before was not told of", async () => {
    await fixture.put(["a"]);
    const [old, next] = ["partner", "partner 2026"].map(
      (key) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } }),
    ) as [RawAesKeyring, RawAesKeyring];
    await addRecipient(fixture.client(), { Bucket, Key: "a", recipient: "partner", to: { keyring: old } });
    const either = (generator: RawAesKeyring, partner: RawAesKeyring) =>
      new MultiKeyring({ generator, children: [{ keyring: partner, instructionFileSuffix: ".partner" }] });
    const client = fixture.client({ keyring: either(former, old) });
    const run = (recipients: readonly string[]) =>
      rewrap({ to: { keyring: either(renewed, next) }, recipients, journal: journal() }, client);
    expect(outcomes(await run([]))).to.deep.equal({ a: "rewrapped" });
    fixture.server.clearRequests();
    const [again] = await run(["partner"]);
    expect([again?.outcome, again?.wraps?.map(({ place }) => place.in)]).to.deep.equal(["rewrapped", ["annotation"]]);
    expect(copies()).to.equal(0);
    for (const recipients of [["partner"], []]) {
      expect(outcomes(await run(recipients))).to.deep.equal({ a: "current" });
    }
  });

  it("tells what is re-wrapped of an object of which a recipient failed", async () => {
    await fixture.plain.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
    );
    await fixture.put(["a"]);
    for (const recipient of ["auditor", "partner"]) {
      await addRecipient(fixture.client(), {
        Bucket,
        Key: "a",
        recipient,
        to: { keyring: former },
        in: "instruction-file",
      });
    }
    const before = (await fixture.plain.send(new HeadObjectCommand({ Bucket, Key: "a" }))).VersionId;
    const options = { recipients: ["auditor", "partner"], journal: journal() };
    const run = async () => (await rewrap(options)).filter(({ Key }) => Key === "a");
    fixture.server.faults.add({ operation: "PutObject", key: "a.partner", status: 403, code: "AccessDenied" });
    const [first] = await run();
    expect([first?.outcome, first?.code, first?.replacedVersionId]).to.deep.equal(["failed", "AccessDenied", before]);
    expect(first?.problem).to.match(/^Re-wrapped: its own key, "auditor"; not "partner"\. S3 answered AccessDenied/);
    expect(first?.todo).to.contain("s3:PutObject");
    expect(first?.wraps?.map(({ place }) => place)).to.deep.equal([
      { in: "metadata" },
      { in: "instruction-file", suffix: ".auditor" },
    ]);
    const totals = new RewriteTotals();
    if (first !== undefined) totals.add(first);
    expect([totals.keptVersions, totals.isAllDone]).to.deep.equal([1, false]);
    fixture.server.faults.clear();
    fixture.server.clearRequests();
    expect((await run()).map(({ outcome, wraps }) => [outcome, wraps?.length])).to.deep.equal([["rewrapped", 1]]);
    expect(copies()).to.equal(0);
  });

  it("checks its options before it asks for an object, and takes one journal at a time", async () => {
    await fixture.put(["a"]);
    fixture.server.clearRequests();
    const code = async (options: object) => (await refusal(rewrap(options))).code;
    for (const wrong of [
      { concurency: 2 },
      { concurrency: 0 },
      { rate: 0 },
      { to: undefined },
      { to: { keyring: renewed, other: 1 } },
      { journal: { path: "x" } },
      { maxUnopenedWraps: 0 },
      { dryRun: "yes" },
      { recipients: ["a"], recipient: "b" },
      { recipients: ["."] },
    ]) {
      expect(await code(wrong), JSON.stringify(wrong)).to.equal("invalid-argument");
    }
    expect(fixture.server.requests.filter(({ key }) => key !== undefined)).to.deep.equal([]);
    expect((await refusal(rewrap({ abortSignal: AbortSignal.abort() }))).name).to.equal("AbortError");
    await rewrap({ journal: journal() });
    expect((await refusal(rewrap({ journal: journal("journal", "another") }))).message).to.contain("another target");
    const held = fixture.server.faults.pause({ operation: "HeadObject", key: "a" });
    const running = rewrap({ journal: journal() });
    await held.reached;
    expect(await code({ journal: journal() })).to.equal("transfer-in-use");
    held.release();
    await running;
  });

  it("begins no more objects a second than it may", async () => {
    await fixture.put(numbered(6));
    const began = performance.now();
    await rewrap({ rate: 20, dryRun: true });
    expect(performance.now() - began).to.be.greaterThan(240);
  });

  describe("of an object whose annotations may not be listed", () => {
    for (const status of [400, 403, 405]) {
      it(`takes no recipient for absent (${status})`, async () => {
        await fixture.put(["a"]);
        const partner = { recipient: "partner", to: { keyring: former } };
        await addRecipient(fixture.client(), { Bucket, Key: "a", ...partner });
        const { faults } = fixture.server;
        const heal = faults.add({ operation: "ListObjectAnnotations", key: "a", status });
        for (const options of [{ recipients: ["partner"] }, { instructionFileSuffix: ".partner" }]) {
          for (const journaled of [{}, { journal: journal(`journal-${Object.keys(options)}`) }]) {
            const [result] = await rewrap({ ...options, ...journaled });
            expect(result?.outcome, JSON.stringify(result)).to.equal("failed");
          }
        }
        heal();
        expect((await rewrap({ recipients: ["partner"] }))[0]?.outcome).to.equal("rewrapped");
        const { Body } = await fixture
          .client(NEW)
          .send(new GetObjectCommand({ Bucket, Key: "a" }), { instructionFileSuffix: ".partner" });
        expect(await Body?.transformToString()).to.equal("content of a");
      });
    }
  });

  it("fails of an object whose own wrap is missing, where a further file is to be written", async () => {
    const keyring = new MultiKeyring({
      generator: former,
      children: [{ keyring: renewed, instructionFileSuffix: ".partner" }],
    });
    await fixture.put(["a"], { keyring, ...FILES, wrapPlacement: "instruction-files" });
    await fixture.plain.send(new DeleteObjectCommand({ Bucket, Key: "a.instruction" }));
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const to = { keyring: new RawRsaKeyring({ publicKey }), instructionFileSuffix: ".auditor" };
    const [result] = await rewrap({ to, verify: "none" });
    expect([result?.Key, result?.outcome, result?.code]).to.deep.equal(["a", "failed", "not-encrypted"]);
  });

  it("ends where there is no such bucket: a missing object looks the same", async () => {
    const keys = async function* () {
      yield { Key: "a" };
    };
    for (const run of [
      rewrapObjects(fixture.client(), keys(), { Bucket: "typo", to: { keyring: renewed } }),
      migrateObjects(fixture.client(), keys(), { Bucket: "typo", to: { keyring: renewed } }),
    ]) {
      expect((await refusal(gathered<unknown>(run))).name).to.equal("NoSuchBucket");
    }
    const gone = await gathered(rewrapObjects(fixture.client(), keys(), { Bucket, to: { keyring: renewed } }));
    expect(gone.map(({ outcome }) => outcome)).to.deep.equal(["nothing"]);
  });

  it("does not tell as altered what it could not ask the new key about", async () => {
    const { server } = fixture;
    const { endpoint, region, credentials } = server.clientConfig;
    const { arn } = server.kms.createKey({ alias: "alias/new" });
    const kms = new KMSClient({ endpoint, region, credentials, maxAttempts: 1 });
    const keyring = new KmsKeyring({ keyId: arn, client: kms });
    await fixture.put(["a"], { keyring });
    const heal = server.faults.add({ service: "kms", operation: "Decrypt", status: 400, code: "ThrottlingException" });
    const migrating = { Bucket, to: { keyring }, settleTime: 0 };
    const results = [
      ...(await rewrap({ to: { keyring } })),
      ...(await gathered(migrateObjects(fixture.client(), listObjects(fixture.plain, { Bucket }), migrating))),
    ];
    expect(results.map(({ outcome, code }) => [outcome, code])).to.deep.equal([
      ["failed", "key-unavailable"],
      ["failed", "key-unavailable"],
    ]);
    heal();
    expect((await rewrap({ to: { keyring } }))[0]?.outcome).to.equal("current");
    kms.destroy();
  });
});

/** A keyring as a plain object, of which a part can be another. */
function forwarded(keyring: RawAesKeyring) {
  return {
    wrapAlgorithms: keyring.wrapAlgorithms,
    onEncrypt: keyring.onEncrypt.bind(keyring),
    onDecrypt: keyring.onDecrypt.bind(keyring),
  };
}
