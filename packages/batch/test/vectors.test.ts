import { getCiphers, randomBytes } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import { type BatchHandler, createBatchHandler } from "@s3ec/batch";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { hasNoCipherFor } from "@s3ec/test-support";
import {
  instructionFileToRead,
  loadKeys,
  loadVectors,
  type ReadableVector,
  readBody,
  type Vector,
} from "@s3ec/test-vectors";
import { expect } from "chai";
import { resultsOf } from "./invocation.js";
import { writeConfiguration } from "./written-configuration.js";

const Bucket = "bucket";
const keys = loadKeys();

/** One keyring and one way to read a job's objects: what a job says for all of them. */
function jobOf({ material, encryptionContext, instructionFiles }: Vector): string {
  const [suffix = ".instruction"] = Object.keys(instructionFiles ?? {});
  return JSON.stringify([material, encryptionContext ?? {}, suffix]);
}

function byJob<Each extends Vector>(all: readonly Each[]): Map<string, Each[]> {
  const jobs = new Map<string, Each[]>();
  for (const each of all) jobs.set(jobOf(each), [...(jobs.get(jobOf(each)) ?? []), each]);
  return jobs;
}

/** One of each format, wrap, place and damage, in the jobs that have most of them. */
function chosen(): readonly Vector[] {
  const kindOf = ({ id, expect: refused, metadata, material }: Vector): string => {
    const fields = Object.keys(metadata).filter((name) => name.startsWith("x-amz-"));
    const said = ["x-amz-wrap-alg", "x-amz-cek-alg", "x-amz-w", "x-amz-c"].map((name) => metadata[name]);
    return JSON.stringify([refused === undefined ? "" : id, fields.sort(), said, material]);
  };
  const kinds = new Map<string, Vector>();
  for (const vector of loadVectors()) {
    if (vector.expect === undefined && vector.requires !== undefined) continue;
    if (hasNoCipherFor(vector)) continue;
    if (Object.keys(vector.instructionFiles ?? {}).length > 1) continue;
    if (!kinds.has(kindOf(vector))) kinds.set(kindOf(vector), vector);
  }
  const jobs = byJob([...kinds.values()]);
  const largest = [...jobs.values()].sort((a, b) => b.length - a.length).slice(0, 8);
  return largest.flatMap((job) => [
    ...job.filter(({ expect: refused }) => refused === undefined).slice(0, 12),
    ...job.filter(({ expect: refused }) => refused !== undefined).slice(0, 6),
  ]);
}

function keyringOf(material: string): object {
  const key = keys[material];
  if (key?.kind === "aes") return { type: "raw-aes", wrappingKey: { base64: key.base64 } };
  if (key?.kind === "rsa") return { type: "raw-rsa", privateKey: { base64: key.pkcs8Base64 } };
  return { type: "kms", keyId: key?.arn };
}

/** What .NET's first client calls its files: they cannot say how a key is wrapped. */
const UNWRITABLE = "INSTRUCTION_SUFFIX";

describe("objects of the official clients, by the handler", () => {
  const vectors = chosen();
  const jobs = byJob(vectors);
  const readable = vectors.filter((vector): vector is ReadableVector => vector.expect === undefined);
  const isRefused = new Set(vectors.filter((vector) => vector.expect !== undefined).map(({ id }) => id));
  const plain = Array.from({ length: 10 }, (_, n) => `plain ${n}`);
  let server: DevServer;
  let s3: S3Client;
  let config: Awaited<ReturnType<typeof writeConfiguration>>;

  before(async () => {
    server = await startDevServer({ buckets: [Bucket], aliases: ["alias/new"] });
    s3 = new S3Client(server.clientConfig);
    for (const Key of plain) await server.putRawObject(Bucket, Key, { body: Buffer.from(Key) });
    for (const vector of vectors) {
      await server.putRawObject(Bucket, vector.id, { body: readBody(vector), metadata: vector.metadata });
      for (const [suffix, { text, metadata }] of Object.entries(vector.instructionFiles ?? {})) {
        await server.putRawObject(Bucket, `${vector.id}${suffix}`, { body: Buffer.from(text), metadata });
      }
      if (vector.kms === undefined) continue;
      const { ciphertextBlob, encryptionContext, keyArn, plaintextDataKey } = vector.kms;
      server.kms.seedDecrypt({
        ciphertextBlob: Buffer.from(ciphertextBlob, "base64"),
        plaintext: Buffer.from(plaintextDataKey, "base64"),
        encryptionContext,
        keyArn,
      });
    }
    const client = {
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      enableLegacyUnauthenticatedModes: true,
      enableLegacyWrappingAlgorithms: true,
    };
    const materials = new Set(vectors.map(({ material }) => material));
    const newKey = { base64: randomBytes(32).toString("base64") };
    config = await writeConfiguration({
      configurations: {
        ...Object.fromEntries([...materials].map((name) => [name, { client, keyring: keyringOf(name) }])),
        "new-raw-aes": {
          client,
          keyring: { type: "raw-aes", wrappingKey: newKey, materialDescription: { key: "new" } },
        },
        "new-kms": { client, keyring: { type: "kms", keyId: "alias/new" } },
      },
    });
  });
  after(async () => {
    s3.destroy();
    await config.remove();
    await server.close();
  });

  const handlerOf = (operation: string, more: Record<string, string> = {}): BatchHandler =>
    createBatchHandler({
      env: { S3EC_OPERATION: operation, S3EC_CONFIG: config.file, S3EC_SETTLE_TIME: "0", ...more },
      s3: { ...server.clientConfig, maxAttempts: 1 },
      kms: server.clientConfig,
    });
  const argumentsOf = (job: string, use = true): Record<string, string> => {
    const [material, context, suffix] = JSON.parse(job);
    return {
      ...(use ? { use: material } : {}),
      ...(Object.keys(context).length === 0 ? {} : { context: JSON.stringify(context) }),
      ...(suffix === ".instruction" ? {} : { suffix }),
    };
  };

  it("are about a hundred, of every format, wrap and place, damaged and plain ones among them", () => {
    expect(vectors.length + plain.length).to.be.within(80, 180);
    expect(isRefused.size).to.be.above(10);
    expect(readable.filter((vector) => instructionFileToRead(vector) !== undefined).length).to.be.above(5);
    const kinds = new Set(readable.map(({ material }) => keys[material]?.kind));
    expect([...kinds]).to.have.members(["aes", "rsa", "kms"]);
  });

  it("are verified: exactly the damaged ones fail", async () => {
    const verify = handlerOf("verify");
    for (const [index, [job, members]] of [...jobs].entries()) {
      const others = index === 0 ? plain : [];
      const results = await resultsOf(verify, Bucket, [...members.map(({ id }) => id), ...others], argumentsOf(job));
      for (const { id } of members) {
        const { resultCode, resultString } = results.get(id) ?? {};
        expect(resultCode, `${id}: ${resultString}`).to.equal(isRefused.has(id) ? "PermanentFailure" : "Succeeded");
        if (!isRefused.has(id)) expect(resultString, id).to.match(/^(verified|unauthenticated): /);
      }
      for (const Key of others) expect(results.get(Key)?.resultString).to.match(/^nothing to do: it is plain/);
    }
  });

  it("are audited, and instruction files are told from objects", async () => {
    const files = vectors.flatMap((vector) => {
      const file = instructionFileToRead(vector);
      return file === undefined || isRefused.has(vector.id) ? [] : [`${vector.id}${file.suffix}`];
    });
    const audit = handlerOf("audit", { S3EC_USE: readable[0]?.material ?? "" });
    const results = await resultsOf(audit, Bucket, [...readable.map(({ id }) => id), ...files, ...plain]);
    const stateOf = (Key: string) => JSON.parse(results.get(Key)?.resultString ?? "{}").state;
    for (const vector of readable) {
      const isUnusual = Object.keys(vector.instructionFiles ?? {}).some((suffix) => suffix !== ".instruction");
      if (!isUnusual) expect(stateOf(vector.id), vector.id).to.equal("encrypted");
    }
    for (const Key of files) expect(stateOf(Key), Key).to.equal("instruction-file");
    for (const Key of plain) expect(stateOf(Key)).to.equal("plain");
  });

  it("are re-wrapped, each once: called again, the handler says that it is done, and the new key alone reads them", async () => {
    const writable = readable.filter(({ instructionFiles = {} }) => !Object.hasOwn(instructionFiles, UNWRITABLE));
    const [rewrap, verify] = [handlerOf("rewrap"), handlerOf("verify")];
    for (const [job, members] of byJob(writable)) {
      const [material] = JSON.parse(job);
      // Whether the former key opens the new wrap is asked before anything is written.
      if (material === "aes-192" && !getCiphers().includes("aes-192-gcm")) continue;
      const toUse = keys[material]?.kind === "kms" ? "new-kms" : "new-raw-aes";
      const said = { ...argumentsOf(job), toUse, sameOwner: "true", toContext: "{}" };
      const ids = members.map(({ id }) => id);
      const others = plain.slice(0, 2);
      const first = await resultsOf(rewrap, Bucket, [...ids, ...others], said);
      for (const id of ids) expect(first.get(id)?.resultString, id).to.match(/^rewrapped: /);
      for (const Key of others) expect(first.get(Key)?.resultString).to.match(/^nothing to do: it is plain/);
      const again = await resultsOf(rewrap, Bucket, ids, said);
      for (const id of ids) expect(again.get(id)?.resultString, id).to.match(/^already there: the new key opens/);
      const { suffix } = argumentsOf(job);
      const reading = { use: toUse, ...(suffix === undefined ? {} : { suffix }) };
      const read = await resultsOf(verify, Bucket, ids, reading);
      for (const id of ids) expect(read.get(id)?.resultString, id).to.match(/^(verified|unauthenticated): /);
    }
  });
});
