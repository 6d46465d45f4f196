import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { listObjects, type MigrateObjectsOptions, migrateObjects, type RewrittenObject } from "@s3ec/bulk";
import type { S3EncryptionClient, S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, BulkFixture, former, numbered, renewed } from "./bulk-fixture.js";
import { dyingClient } from "./dying-client.js";
import { gathered, refusal } from "./gathered.js";

const Bucket = BUCKET;
const V2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
const READS_V2 = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" } as const;
const IN_FILE = { instructionFileConfig: { enableInstructionFilePutObject: true } } as const;
const escrow = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: "escrow" } });
const hierarchy = new MultiKeyring({
  generator: renewed,
  children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }],
});

describe("migrateObjects", () => {
  let fixture: BulkFixture;
  beforeEach(async () => {
    fixture = await BulkFixture.start();
  });
  afterEach(() => fixture.close());
  const reader = (options: Partial<S3EncryptionOptions> = {}) => fixture.client({ ...READS_V2, ...options });
  const migrate = (options: Partial<MigrateObjectsOptions> = {}, client: S3EncryptionClient = reader()) =>
    gathered(migrateObjects(client, listObjects(fixture.plain, { Bucket }), { Bucket, settleTime: 0, ...options }));
  const outcomes = (results: readonly RewrittenObject[]) =>
    Object.fromEntries(results.map(({ Key, outcome }) => [Key, outcome]));
  const journal = { path: "", target: "V3" };
  beforeEach(() => {
    journal.path = join(fixture.folder, "journal");
  });
  const formatOf = async (Key: string) => {
    const { Metadata = {} } = await fixture.plain.send(new HeadObjectCommand({ Bucket, Key }));
    return "x-amz-c" in Metadata ? "V3" : "x-amz-cek-alg" in Metadata ? "V2" : "none";
  };

  it("writes anew with the client's own key, once each", async () => {
    await fixture.put(numbered(3), V2);
    await fixture.put(["in-file"], { ...V2, ...IN_FILE });
    await fixture.plain.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "plain" }));
    expect(outcomes(await migrate({ dryRun: true }))).to.include({ "o/000": "planned", "in-file": "planned" });
    expect(await formatOf("o/000")).to.equal("V2");
    const first = await migrate({ journal });
    const { "in-file.instruction": file, ...others } = outcomes(first);
    // Gone with its object by the time that its turn comes, or passed by.
    expect(file).to.be.oneOf(["nothing", "skipped"]);
    expect(others).to.deep.equal({
      "in-file": "migrated",
      "o/000": "migrated",
      "o/001": "migrated",
      "o/002": "migrated",
      plain: "skipped",
    });
    for (const Key of [...numbered(3), "in-file"]) {
      expect([await formatOf(Key), await fixture.read(Key)]).to.deep.equal(["V3", `content of ${Key}`]);
    }
    fixture.server.clearRequests();
    expect(outcomes(await migrate({ journal }))).to.include({ "in-file": "current", "o/002": "current" });
    expect(fixture.changes()).to.deep.equal([]);
    // Without a journal nothing tells that it was done: the key is the same.
    expect(outcomes(await migrate())).to.include({ "o/000": "migrated" });
  });

  it("tells by the new key what was written anew, where the old one does not open it", async () => {
    await fixture.put(["a"], V2);
    await fixture.put(["b"], { keyring: renewed });
    await fixture.put(["c"], { keyring: renewed, ...V2 });
    const results = outcomes(await migrate({ to: { keyring: renewed }, journal }));
    // The third is not of the format that it would have.
    expect(results).to.deep.equal({ a: "migrated", b: "current", c: "failed" });
    expect(outcomes(await migrate({ to: { keyring: renewed }, journal }))).to.include({ a: "current", b: "current" });
  });

  it("refuses what has recipients that nobody has dropped, and goes on", async () => {
    await fixture.put(["a"], {
      keyring: new MultiKeyring({
        generator: former,
        children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }],
      }),
    });
    await fixture.put(["b"]);
    const results = await migrate();
    expect(outcomes(results)).to.include({ a: "refused", b: "migrated" });
    expect(results[0]?.problem).to.contain("dropRecipients");
    const [dropped] = await migrate({ dropRecipients: [".escrow"] });
    expect([dropped?.outcome, dropped?.droppedRecipients]).to.deep.equal(["migrated", [".escrow"]]);
    expect((await refusal(migrate({ droprecipients: [] } as object))).code).to.equal("invalid-argument");
  });

  for (const last of ["unsent", "unanswered"] as const) {
    it(`opens with every key, and is done, after a process died at any request (${last})`, async () => {
      const to = { keyring: hierarchy };
      let isDone = false;
      let tried = 0;
      for (let most = 1; !isDone; most++) {
        await fixture.put(["a"], { ...V2, ...IN_FILE });
        journal.path = join(fixture.folder, `journal-${most}`);
        const dying = dyingClient(fixture, { keyring: former, ...READS_V2 }, { most, last });
        const only = async function* () {
          yield { Key: "a" };
        };
        const options = { Bucket, to, settleTime: 0, journal };
        const [result] = await gathered(migrateObjects(dying.client, only(), options));
        isDone = result?.outcome === "migrated" && dying.sent.length < most;
        const wasWritten = (await formatOf("a")) === "V3";
        fixture.server.clearRequests();
        const [resumed] = await gathered(migrateObjects(reader(), only(), options));
        expect(resumed?.outcome, `${most} ${dying.sent.at(-1)}`).to.be.oneOf(["migrated", "current"]);
        // Written again only where the files beside it were missing.
        if (wasWritten && resumed?.outcome === "current") expect(fixture.changes("PutObject")).to.deep.equal([]);
        for (const keyring of [renewed, escrow]) {
          expect(await byKey(keyring), `${most} ${dying.sent.at(-1)}`).to.equal("content of a");
        }
        const left = (await gathered(listObjects(fixture.plain, { Bucket }))).map(({ Key }) => Key);
        expect(left, `${most} ${dying.sent.at(-1)}`).to.deep.equal(["a", "a.escrow"]);
        fixture.server.clearRequests();
        const [third] = await gathered(migrateObjects(reader(), only(), options));
        expect([third?.outcome, fixture.changes()]).to.deep.equal(["current", []]);
        tried += 1;
      }
      expect(tried).to.be.greaterThan(12);
    });
  }

  it("does not take an upload that was aborted meanwhile for an object that is gone", async () => {
    await fixture.put(["a"]);
    for (const operation of ["PutObject", "UploadPart", "CompleteMultipartUpload"]) {
      fixture.server.faults.add({ operation, key: "a", status: 404, code: "NoSuchUpload" });
    }
    const [result] = await migrate();
    expect([result?.outcome, result?.code]).to.deep.equal(["failed", "NoSuchUpload"]);
    expect(result?.todo).to.contain("Run it again");
  });

  describe("to messages of the AWS Encryption SDK", () => {
    const named = (name: string) =>
      new RawAesKeyring({
        wrappingKey: randomBytes(32),
        materialDescription: { key: name },
        messageKey: { namespace: "bulk", name },
      });
    const [own, next] = [named("own"), named("next")];
    const formats = [new AwsMessageFormat(), new S3Format()];
    const run = async (client: S3EncryptionClient, options: Partial<MigrateObjectsOptions> = {}) =>
      (await migrate({ journal, ...options }, client)).map(({ outcome }) => outcome);

    for (const to of [undefined, { keyring: next }]) {
      it(`is done once with a journal, under ${to === undefined ? "the same key" : "another one"}`, async () => {
        await fixture.put(["a"], { keyring: own });
        const options = to === undefined ? {} : { to };
        const client = fixture.client({ keyring: own, formats });
        expect(await run(client, options)).to.deep.equal(["migrated"]);
        fixture.server.clearRequests();
        expect(await run(client, options)).to.deep.equal(["current"]);
        expect(fixture.changes()).to.deep.equal([]);
        expect(await fixture.read("a", { keyring: to?.keyring ?? own, formats })).to.equal("content of a");
        // Another one that somebody has put since.
        await client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "theirs" }));
        expect(await run(client, options)).to.deep.equal(["migrated"]);
        expect(await fixture.read("a", { keyring: to?.keyring ?? own, formats })).to.equal("theirs");
      });
    }

    it("is current under another key where the process died before it could say so", async () => {
      const to = { keyring: next };
      let isDone = false;
      for (let most = 1; !isDone; most++) {
        await fixture.put(["a"], { keyring: own, ...IN_FILE });
        journal.path = join(fixture.folder, `journal-${most}`);
        const dying = dyingClient(fixture, { keyring: own, formats }, { most, last: "unanswered" });
        const only = async function* () {
          yield { Key: "a" };
        };
        const [first] = await gathered(migrateObjects(dying.client, only(), { Bucket, to, settleTime: 0, journal }));
        isDone = first?.outcome === "migrated" && dying.sent.length < most;
        const client = fixture.client({ keyring: own, formats });
        const said = `${most} ${dying.sent.at(-1)}`;
        expect((await run(client, { to }))[0], said).to.be.oneOf(["migrated", "current"]);
        const left = await gathered(listObjects(fixture.plain, { Bucket }));
        expect(
          left.map(({ Key }) => Key),
          said,
        ).to.deep.equal(["a"]);
        expect(await fixture.read("a", { keyring: next, formats }), said).to.equal("content of a");
        expect((await run(client, { to }))[0], said).to.equal("current");
      }
    });
  });
  async function byKey(keyring: RawAesKeyring): Promise<string> {
    if (keyring !== escrow) return await fixture.read("a", { keyring });
    const client = fixture.client({ keyring });
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: "a" }), {
      instructionFileSuffix: ".escrow",
    });
    return (await Body?.transformToString()) ?? "";
  }
});
