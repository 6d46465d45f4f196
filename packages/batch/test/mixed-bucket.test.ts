import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type BatchHandler, createBatchHandler, type TaskResult } from "@s3ec/batch";
import { auditObjects, readKeys } from "@s3ec/bulk";
import { S3EncryptionClient } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { loadKeys, MIXED_MATERIAL, type MixedKind, mixedBucket } from "@s3ec/test-vectors";
import { expect } from "chai";
import { resultsOf } from "./invocation.js";
import { writeConfiguration } from "./written-configuration.js";

const Bucket = "bucket";
/** Copies of each vector: `S3EC_COPIES=180` makes a bucket of 20,000. */
const COPIES = Number(process.env.S3EC_COPIES ?? 1);
/** Tasks of one event. */
const TASKS = 50;
const client = {
  commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
  enableLegacyUnauthenticatedModes: true,
  enableLegacyWrappingAlgorithms: true,
} as const;

function oldKey(): string {
  const key = loadKeys()[MIXED_MATERIAL];
  if (key?.kind !== "aes") throw new Error(`No key ${MIXED_MATERIAL}`);
  return key.base64;
}

describe("a bucket of all formats, wraps and placements, by the handler", () => {
  const kinds = new Map<string, MixedKind>();
  const of = (kind: MixedKind): string[] => [...kinds].filter(([, each]) => each === kind).map(([key]) => key);
  let server: DevServer;
  let s3: S3Client;
  let config: Awaited<ReturnType<typeof writeConfiguration>>;

  before(async () => {
    server = await startDevServer({ buckets: [Bucket], fsync: false });
    s3 = new S3Client({ ...server.clientConfig, maxAttempts: 3 });
    for (const { key, kind, body, metadata, instructionFiles } of mixedBucket(COPIES)) {
      kinds.set(key, kind);
      await server.putRawObject(Bucket, key, { body, metadata });
      for (const [suffix, file] of Object.entries(instructionFiles)) {
        const stored = { body: Buffer.from(file.text), metadata: file.metadata };
        await server.putRawObject(Bucket, `${key}${suffix}`, stored);
      }
    }
    const rawAes = (base64: string, more: object = {}) => ({ type: "raw-aes", wrappingKey: { base64 }, ...more });
    const renewed = rawAes(randomBytes(32).toString("base64"), { materialDescription: { key: "new" } });
    config = await writeConfiguration({
      configurations: { old: { client, keyring: rawAes(oldKey()) }, new: { client, keyring: renewed } },
    });
  });
  after(async () => {
    s3.destroy();
    await config.remove();
    await server.close();
  });

  const handlerOf = (operation: string, use: string, more: Record<string, string> = {}): BatchHandler =>
    createBatchHandler({
      env: { S3EC_OPERATION: operation, S3EC_CONFIG: config.file, S3EC_USE: use, S3EC_SETTLE_TIME: "0", ...more },
      s3: { ...server.clientConfig, maxAttempts: 3 },
    });

  /** The whole job, event after event. */
  async function job(
    handler: BatchHandler,
    keys: readonly string[],
    meanwhile: () => Promise<void> = async () => {},
  ): Promise<ReadonlyMap<string, TaskResult>> {
    const all = new Map<string, TaskResult>();
    for (let start = 0; start < keys.length; start += TASKS) {
      const results = await resultsOf(handler, Bucket, keys.slice(start, start + TASKS));
      for (const [key, result] of results) all.set(key, result);
      await meanwhile();
    }
    return all;
  }

  function expectDamaged(verified: ReadonlyMap<string, TaskResult>): void {
    for (const [key, kind] of kinds) {
      const { resultCode, resultString = "" } = verified.get(key) ?? {};
      expect(resultCode, `${key}: ${resultString}`).to.equal(kind === "damaged" ? "PermanentFailure" : "Succeeded");
      if (kind === "damaged") continue;
      expect(resultString, key).to.match(kind === "plain" ? /^nothing to do: it is plain/ : /^(un)?(verified|authent)/);
    }
  }

  it("moves exactly what it should, while faults and puts go on, and verify finds exactly the damaged", async function () {
    this.timeout(180_000 + COPIES * 30_000);
    const keys = [...kinds.keys()];
    for (const kind of ["damaged", "plain", "faulty", "replaced"] as const) expect(of(kind)).to.not.be.empty;

    // What one machine's audit says of an object, a job's report does.
    const reported = await job(handlerOf("audit", "old"), keys);
    const listed = readKeys(Readable.from(keys.map((key) => `${key}\n`)));
    for await (const { Key, ...found } of auditObjects(s3, listed, { Bucket })) {
      const said = JSON.parse(reported.get(Key)?.resultString ?? "null");
      expect(said, Key).to.deep.equal(JSON.parse(JSON.stringify(found)));
    }
    expectDamaged(await job(handlerOf("verify", "old"), keys));

    for (const key of of("faulty")) {
      server.faults.add({ key, operation: "CopyObject", status: 503, code: "SlowDown" });
      server.faults.add({ key: `${key}.instruction`, operation: "PutObject", status: 503, code: "SlowDown" });
    }
    const writer = new S3EncryptionClient({
      ...server.clientConfig,
      encryption: { keyring: new RawAesKeyring({ wrappingKey: Buffer.from(oldKey(), "base64") }), ...client },
    });
    const newer = of("replaced");
    const putNewer = async (): Promise<void> => {
      const Key = newer.shift();
      if (Key !== undefined) await writer.send(new PutObjectCommand({ Bucket, Key, Body: `newer ${Key}` }));
    };
    const rewrap = handlerOf("rewrap", "old", { S3EC_TO_USE: "new", S3EC_SAME_OWNER: "true" });
    const first = await job(rewrap, keys, putNewer);
    while (newer.length > 0) await putNewer();
    writer.destroy();
    for (const [key, kind] of kinds) {
      const { resultCode, resultString } = first.get(key) ?? {};
      const said = `${key}: ${resultString}`;
      if (kind === "sound") expect(resultString, said).to.match(/^rewrapped: /);
      if (kind === "plain") expect(resultString, said).to.match(/^nothing to do: it is plain/);
      if (kind === "damaged") expect(resultCode, said).to.equal("PermanentFailure");
      if (kind === "faulty") expect(resultCode, said).to.equal("TemporaryFailure");
    }

    server.faults.clear();
    server.clearRequests();
    // S3 sends again what failed for now, and may send again what was done.
    const again = await job(rewrap, keys);
    for (const [key, kind] of kinds) {
      const { resultString } = again.get(key) ?? {};
      if (kind === "sound") expect(resultString, key).to.match(/^already there: the new key opens its wrap/);
      if (kind === "faulty") expect(resultString, key).to.match(/^rewrapped: /);
      if (kind === "replaced") expect(resultString, key).to.match(/^(rewrapped: |already there: )/);
    }
    const changed = server.requests.filter(({ operation }) => /^(Put|Copy|Delete|Complete)/.test(operation));
    expect(changed.filter(({ key = "" }) => kinds.get(key) === "sound")).to.deep.equal([]);

    expectDamaged(await job(handlerOf("verify", "new"), keys));
  });
});
