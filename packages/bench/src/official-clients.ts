import { randomBytes } from "node:crypto";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { CREDENTIALS, createKmsKey, type Job, type Server, startKms, startObjectPeer, startS3 } from "@s3ec/interop";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { BUCKET } from "./bench-server.js";
import { measure, median } from "./contest.js";
import { megabytesPerSecond, type Table } from "./report.js";
import { MiB, type Sizes, sizeName } from "./setting.js";

/** The official clients that write the same format, and the program that each is in. */
const OFFICIAL = [
  ["Java 4.0.1", "java-v4", "java-v4"],
  ["Go 4.0.0", "go", "go-v4"],
  ["Python 4.0.0", "python", "python-v4"],
] as const;

/** Seconds that one put, or one get, of a body in memory takes. */
type Work = (op: "put" | "get", length: number) => Promise<number>;

/**
 * The same work by each official client that can be built here, and by ours: a body in memory is put, and got into memory
 * again, verified first, by a KMS key, on versitygw. Each is its own process but ours, which is this one. No table where the
 * servers cannot be built.
 */
export async function officialTables(sizes: Sizes, directory: string): Promise<readonly Table[]> {
  const servers: { close(): Promise<void> }[] = [];
  try {
    const kms = await startKms().catch(notHere);
    const s3 = await startS3({ directory }).catch(notHere);
    for (const server of [kms, s3]) if (server !== undefined) servers.push(server);
    if (kms === undefined || s3 === undefined) return [];
    const keyId = await createKmsKey(kms);
    const storage = new S3Client({ ...s3, credentials: CREDENTIALS, forcePathStyle: true });
    await storage.send(new CreateBucketCommand({ Bucket: BUCKET }));
    storage.destroy();
    const contenders: [string, Work][] = [["ours", ours(s3, kms, keyId)]];
    for (const [name, program, client] of OFFICIAL) {
      const peer = await startObjectPeer(program, s3, "measurements").catch(notHere);
      if (peer === undefined) continue;
      servers.push(peer);
      const work = official(peer, client, s3, kms, keyId);
      // What is built may still lack what it runs on.
      if ((await work("put", MiB).catch(notHere)) === undefined) continue;
      contenders.push([name, work]);
    }
    return [await tableOf(sizes, contenders)];
  } finally {
    for (const each of servers.reverse()) await each.close();
  }
}

/** Not on this machine; the report goes on without it. */
function notHere(error: unknown): undefined {
  console.error(`Not measured: ${error instanceof Error ? error.message : error}`);
}

async function tableOf(sizes: Sizes, contenders: readonly [string, Work][]): Promise<Table> {
  const rows: string[][] = [];
  // Java's holds no more than 64 MiB until it is verified, unless it is told to.
  for (const length of [MiB, Math.min(sizes.large / 4, 48 * MiB)]) {
    for (const op of ["put", "get"] as const) {
      const speeds: string[] = [];
      for (const [, work] of contenders) {
        const runs: number[] = [];
        // The first warms up: Java compiles what it runs often.
        for (let round = 0; round <= sizes.rounds; round++) runs.push(await work(op, length));
        speeds.push(megabytesPerSecond(length, median(runs.slice(1))));
      }
      rows.push([`${op} ${sizeName(length)}`, ...speeds]);
    }
  }
  return {
    title: "Beside the official clients",
    columns: ["", ...contenders.map(([name]) => name)],
    rows,
    note: "A body in memory, one request at a time, V3 under a KMS key, verified first; over http on versitygw and moto.",
  };
}

function ours(s3: Server, kms: Server, keyId: string): Work {
  const client = new S3EncryptionClient({
    ...s3,
    credentials: CREDENTIALS,
    forcePathStyle: true,
    encryption: { keyring: new KmsKeyring({ keyId, clientConfig: { ...kms, credentials: CREDENTIALS } }) },
  });
  const bodies = new Map<number, Buffer>();
  return async (op, length) => {
    const object = { Bucket: BUCKET, Key: `ours-${length}` };
    const body = bodies.get(length) ?? randomBytes(length);
    bodies.set(length, body);
    if (op === "put") {
      return (await measure(() => client.send(new PutObjectCommand({ ...object, Body: body })))).seconds;
    }
    const { seconds } = await measure(async () => {
      const { Body } = await client.send(new GetObjectCommand(object));
      const bytes = await Body?.transformToByteArray();
      if (bytes?.length !== length) throw new Error("Another body came back.");
    });
    return seconds;
  };
}

function official(
  peer: { run(job: Job): Promise<unknown> },
  client: Job["client"],
  s3: Server,
  kms: Server,
  keyId: string,
): Work {
  return async (op, length) => {
    const shared = {
      client,
      s3: { endpoint: s3.endpoint, region: s3.region },
      kms: { endpoint: kms.endpoint, region: kms.region },
      bucket: BUCKET,
      key: `${client}-${length}`,
      keyring: { type: "kms", keyId },
      placement: "metadata",
    } as const;
    const job: Job =
      op === "put"
        ? { ...shared, op, suite: "committing", body: { seed: length % 65_521, length } }
        : { ...shared, op, legacy: false, delayedAuthentication: false };
    const answer = await peer.run(job);
    const seconds = typeof answer === "object" && answer !== null ? Reflect.get(answer, "seconds") : undefined;
    if (typeof seconds !== "number") throw new Error(`${client} did not ${op}: ${JSON.stringify(answer)}`);
    return seconds;
  };
}
