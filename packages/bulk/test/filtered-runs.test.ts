import { generateKeyPairSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectAnnotationCommand,
  GetObjectCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  envelopeFilter,
  listObjects,
  migrateObjects,
  objectFilter,
  type RewrapObjectsOptions,
  rewrapObjects,
} from "@s3ec/bulk";
import { addRecipient, type S3EncryptionClient } from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { BUCKET, BulkFixture, former, renewed } from "./bulk-fixture.js";
import { dyingClient } from "./dying-client.js";
import { gathered } from "./gathered.js";

const Bucket = BUCKET;
const V2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
const READS_V2 = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" } as const;

describe("a run whose filters mean no more what it has begun", () => {
  let fixture: BulkFixture;
  beforeEach(async () => {
    fixture = await BulkFixture.start();
  });
  afterEach(() => fixture.close());

  /** Now, as the store's clock has it of an object. */
  async function beforeChanges(): Promise<Date> {
    const [object] = await gathered(listObjects(fixture.plain, { Bucket, Prefix: "a" }));
    return new Date((object?.LastModified?.getTime() ?? 0) + 1);
  }
  const keys = async () => (await gathered(listObjects(fixture.plain, { Bucket }))).map(({ Key }) => Key);

  it("finishes a migration that broke off behind any request", async () => {
    const note = { Bucket, Key: "a", AnnotationName: "theirs" };
    let isDone = false;
    let tried = 0;
    for (let most = 1; !isDone; most++) {
      await fixture.put(["a"], V2);
      await fixture.plain.send(new PutObjectAnnotationCommand({ ...note, AnnotationPayload: "text" }));
      const options = {
        Bucket,
        settleTime: 0,
        to: { keyring: renewed },
        filter: objectFilter({ olderThan: await beforeChanges() }),
        envelopeFilter: envelopeFilter({ formats: ["V2"] }),
        journal: { path: join(fixture.folder, `journal-${most}`), target: "V3" },
      };
      const run = (client: S3EncryptionClient) =>
        gathered(migrateObjects(client, listObjects(fixture.plain, { Bucket }), options));
      const dying = dyingClient(fixture, { keyring: former, ...READS_V2 }, { most, last: "unanswered" });
      const [first] = await run(dying.client);
      isDone = first?.outcome === "migrated" && dying.sent.length < most;
      const said = `${most} ${dying.sent.at(-1)}`;
      const resumed = (await run(fixture.client(READS_V2))).find(({ Key }) => Key === "a");
      expect(resumed?.outcome, said).to.be.oneOf(["migrated", "current"]);
      expect(await fixture.read("a", { keyring: renewed }), said).to.equal("content of a");
      expect(await keys(), said).to.deep.equal(["a"]);
      const { AnnotationPayload } = await fixture.plain.send(new GetObjectAnnotationCommand(note));
      expect(await AnnotationPayload?.transformToString(), said).to.equal("text");
      tried += 1;
    }
    expect(tried).to.be.greaterThan(12);
  });

  it("finishes a rewrap of an object whose recipient is still to be done, and begins nothing that they leave out", async () => {
    const [old, next] = ["2024", "2026"].map(
      (key) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } }),
    ) as [RawAesKeyring, RawAesKeyring];
    await fixture.put(["a", "b"], { keyring: old });
    const partner = { recipient: "partner", in: "instruction-file", to: { keyring: old } } as const;
    await addRecipient(fixture.client({ keyring: old }), { Bucket, Key: "a", ...partner });
    const options = {
      Bucket,
      to: { keyring: next },
      recipients: ["partner"],
      settleTime: 0,
      filter: objectFilter({ glob: "a", olderThan: await beforeChanges() }),
      envelopeFilter: envelopeFilter({ description: { key: "2024" } }),
      journal: { path: join(fixture.folder, "journal"), target: "2026" },
    };
    const run = () =>
      gathered(rewrapObjects(fixture.client({ keyring: old }), listObjects(fixture.plain, { Bucket }), options));
    fixture.server.faults.add({ operation: "PutObject", key: "a.partner", status: 403 });
    expect((await run()).map(({ Key, outcome }) => [Key, outcome])).to.deep.equal([["a", "failed"]]);
    fixture.server.faults.clear();
    expect((await run()).map(({ Key, outcome }) => [Key, outcome])).to.deep.equal([["a", "rewrapped"]]);
    const { Body } = await fixture
      .client({ keyring: next })
      .send(new GetObjectCommand({ Bucket, Key: "a" }), { instructionFileSuffix: ".partner" });
    expect(await Body?.transformToString()).to.equal("content of a");
    // Written by somebody since: as any other that is not meant.
    await fixture.put(["a"], { keyring: next });
    fixture.server.clearRequests();
    expect(await run()).to.deep.equal([]);
    expect(fixture.changes()).to.deep.equal([]);
    await fixture.plain.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    expect(await run()).to.deep.equal([]);
  });

  const rsa = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
  const ofRsa = { Bucket, settleTime: 0, envelopeFilter: envelopeFilter({ wraps: ["RSA-OAEP-SHA1"] }) } as const;
  const rewrap = async (client: S3EncryptionClient, options: Partial<RewrapObjectsOptions> = {}) =>
    await gathered(
      rewrapObjects(client, listObjects(fixture.plain, { Bucket }), { ...ofRsa, to: { keyring: renewed }, ...options }),
    );

  it("says of what was not all seen that it may be meant, and passes by what cannot be", async () => {
    await fixture.put(["a"]);
    await addRecipient(fixture.client(), { Bucket, Key: "a", recipient: "partner", to: { keyring: rsa } });
    for (const status of [403, 503]) {
      const heal = fixture.server.faults.add({ operation: "ListObjectAnnotations", key: "a", status });
      const [unseen] = await rewrap(fixture.client());
      expect(unseen, String(status)).to.include({ Key: "a", outcome: "failed" });
      expect(unseen?.problem).to.match(/annotations/);
      const others = envelopeFilter({ formats: ["V1", "V2"] });
      expect(await rewrap(fixture.client(), { envelopeFilter: others })).to.deep.equal([]);
      heal();
    }
    expect((await rewrap(fixture.client())).map(({ outcome }) => outcome)).to.deep.equal(["rewrapped"]);
  });

  it("sees the files that are named, although they are listed", async () => {
    const children = [{ keyring: rsa, instructionFileSuffix: ".partner" }];
    await fixture.put(["a"], { keyring: new MultiKeyring({ generator: former, children }) });
    await fixture.put(["b"]);
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const next = new RawRsaKeyring({ ...pair, materialDescription: { key: "next" } });
    const file = { to: { keyring: next }, instructionFileSuffix: ".partner" };
    const results = await rewrap(fixture.client({ keyring: rsa }), file);
    expect(results.map(({ Key, outcome }) => [Key, outcome])).to.deep.equal([["a", "rewrapped"]]);
    const { Body } = await fixture
      .client({ keyring: next })
      .send(new GetObjectCommand({ Bucket, Key: "a" }), { instructionFileSuffix: ".partner" });
    expect(await Body?.transformToString()).to.equal("content of a");
  });

  it("sees the named file of an object that says nothing of itself", async () => {
    await fixture.put(["a"], { ...V2, instructionFileConfig: { enableInstructionFilePutObject: true }, keyring: rsa });
    await fixture.plain.send(new CopyObjectCommand({ Bucket, Key: "a.own", CopySource: `${Bucket}/a.instruction` }));
    await fixture.plain.send(new DeleteObjectCommand({ Bucket, Key: "a.instruction" }));
    const { Body } = await fixture.plain.send(new GetObjectCommand({ Bucket, Key: "a" }));
    const content = (await Body?.transformToByteArray()) ?? "";
    await fixture.plain.send(new PutObjectCommand({ Bucket, Key: "a", Body: content }));
    const client = fixture.client({ ...READS_V2, keyring: rsa });
    const results = await rewrap(client, { instructionFileSuffix: ".own", verify: "content" });
    expect(results.map(({ Key, outcome }) => [Key, outcome])).to.deep.equal([["a", "rewrapped"]]);
  });
});
