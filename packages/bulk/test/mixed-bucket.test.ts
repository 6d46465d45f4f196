import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  AuditTotals,
  auditBucket,
  listObjects,
  type RewrittenObject,
  rewrapObjects,
  VerifyTotals,
  verifyObjects,
} from "@s3ec/bulk";
import type { S3EncryptionClient, S3EncryptionOptions } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { loadKeys, MIXED_MATERIAL, type MixedKind, type MixedObject, mixedBucket } from "@s3ec/test-vectors";
import { expect } from "chai";
import { BUCKET, BulkFixture, renewed } from "./bulk-fixture.js";
import { gathered } from "./gathered.js";

const Bucket = BUCKET;
/** Copies of each vector: `S3EC_COPIES=180` makes a bucket of 20,000. */
const COPIES = Number(process.env.S3EC_COPIES ?? 2);
/** A run that takes minutes meets connections that the server has just closed for being idle. */
const ATTEMPTS = 3;
const READS_ALL = {
  commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
  enableLegacyUnauthenticatedModes: true,
  enableLegacyWrappingAlgorithms: true,
} as const;

function keyringOf(): RawAesKeyring {
  const key = loadKeys()[MIXED_MATERIAL];
  if (key?.kind !== "aes") throw new Error(`No key ${MIXED_MATERIAL}`);
  return new RawAesKeyring({ wrappingKey: Buffer.from(key.base64, "base64") });
}

describe("a bucket of all formats, wraps and placements", () => {
  let fixture: BulkFixture;
  let plain: S3Client;
  before(async () => {
    fixture = await BulkFixture.start();
    plain = fixture.track(new S3Client({ ...fixture.server.clientConfig, maxAttempts: ATTEMPTS }));
  });
  after(() => fixture.close());

  const old = keyringOf();
  const client = (keyring: RawAesKeyring, more: Partial<S3EncryptionOptions> = {}): S3EncryptionClient =>
    fixture.client({ keyring, ...READS_ALL, ...more }, ATTEMPTS);
  async function contentOf(reader: S3EncryptionClient, Key: string): Promise<string> {
    const { Body } = await reader.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []).toString("base64");
  }

  it("moves exactly what it should, while faults and puts go on, and verify finds exactly the damaged", async function () {
    this.timeout(180_000 + COPIES * 30_000);
    const kinds = new Map<string, MixedKind>();
    for (const object of mixedBucket(COPIES)) {
      kinds.set(object.key, object.kind);
      await store(object);
    }
    const of = (kind: MixedKind) => [...kinds].filter(([, each]) => each === kind).map(([Key]) => Key);
    for (const kind of ["damaged", "plain", "faulty", "replaced"] as const) expect(of(kind)).to.not.be.empty;

    const totals = new AuditTotals();
    for await (const each of auditBucket(plain, { Bucket })) totals.add(each);
    expect(totals.byState.get("plain")?.objects).to.equal(of("plain").length);
    expect(totals.byState.get("encrypted")?.objects).to.equal(kinds.size - of("plain").length);
    expect([...totals.byFormat.keys()].sort()).to.deep.equal(["V1", "V2", "V3"]);

    const before = new Map<string, string>();
    const reader = client(old);
    for (const [Key, kind] of kinds) {
      if (kind !== "plain" && kind !== "damaged") before.set(Key, await contentOf(reader, Key));
    }

    for (const key of of("faulty")) {
      fixture.server.faults.add({ key, operation: "CopyObject", status: 503, code: "SlowDown" });
      fixture.server.faults.add({ key: `${key}.instruction`, operation: "PutObject", status: 503, code: "SlowDown" });
    }
    const writer = client(old);
    const results: RewrittenObject[] = [];
    const options = {
      Bucket,
      to: { keyring: renewed },
      owner: "same",
      settleTime: 0,
      journal: { path: join(fixture.folder, "journal"), target: "new" },
    } as const;
    const newer = of("replaced");
    for await (const each of rewrapObjects(client(old), listObjects(plain, { Bucket }), options)) {
      results.push(each);
      // Puts go on, before and behind the run.
      const Key = results.length % 5 === 0 ? newer.shift() : undefined;
      if (Key === undefined) continue;
      await writer.send(new PutObjectCommand({ Bucket, Key, Body: `newer ${Key}` }));
      before.set(Key, Buffer.from(`newer ${Key}`).toString("base64"));
    }
    const outcomeOf = new Map(results.map(({ Key, outcome, code }) => [Key, { outcome, code }]));
    for (const [Key, kind] of kinds) {
      const { outcome, code } = outcomeOf.get(Key) ?? {};
      if (kind === "sound") expect([Key, outcome]).to.deep.equal([Key, "rewrapped"]);
      if (kind === "plain") expect([Key, outcome]).to.deep.equal([Key, "skipped"]);
      if (kind === "damaged") expect([Key, outcome]).to.deep.equal([Key, "failed"]);
      if (kind === "faulty") expect([Key, outcome, code]).to.deep.equal([Key, "failed", "SlowDown"]);
    }

    fixture.server.faults.clear();
    fixture.server.clearRequests();
    const again = await gathered(rewrapObjects(client(old), listObjects(plain, { Bucket }), options));
    for (const { Key, outcome } of again) {
      const kind = kinds.get(Key);
      if (kind === "sound") expect([Key, outcome]).to.deep.equal([Key, "current"]);
      if (kind === "faulty") expect([Key, outcome]).to.deep.equal([Key, "rewrapped"]);
      if (kind === "replaced") expect(outcome, Key).to.be.oneOf(["rewrapped", "current"]);
    }
    // Nothing was done twice.
    const copied = fixture.changes("CopyObject").filter((key) => kinds.get(key) === "sound");
    expect(copied).to.deep.equal([]);

    const moved = client(renewed);
    for (const [Key, content] of before) expect(await contentOf(moved, Key), Key).to.equal(content);
    const verified = new VerifyTotals();
    const failed: string[] = [];
    for await (const each of verifyObjects(moved, listObjects(plain, { Bucket }), { Bucket })) {
      verified.add(each);
      if (each.state === "failed" || each.state === "unknown") failed.push(each.Key);
    }
    expect(failed).to.deep.equal(of("damaged"));
    const read = ["verified", "unauthenticated"] as const;
    expect(read.reduce((sum, state) => sum + (verified.byState.get(state)?.objects ?? 0), 0)).to.equal(before.size);
  });

  async function store({ key, body, metadata, instructionFiles }: MixedObject): Promise<void> {
    await fixture.server.putRawObject(Bucket, key, { body, metadata });
    for (const [suffix, file] of Object.entries(instructionFiles)) {
      await fixture.server.putRawObject(Bucket, `${key}${suffix}`, {
        body: Buffer.from(file.text, "utf8"),
        metadata: file.metadata,
      });
    }
  }
});
