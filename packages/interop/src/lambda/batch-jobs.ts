import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import type { Judged } from "../peers/verdict.js";
import { type LambdaEmulator, startLambda } from "./lambda-emulator.js";

const Bucket = "jobs";
const OBJECTS = 10_000;
/** Objects of one event; S3 itself sends fewer, and takes as many answers. */
const TASKS = 250;
/** S3 asks again for what failed for a while; how often, it does not say. */
const MAX_ROUNDS = 8;
const PACKAGE = new URL("../../../batch/", import.meta.url);
const REASON = "docs/batch.md";

interface Result {
  readonly taskId: string;
  readonly resultCode: "Succeeded" | "TemporaryFailure" | "PermanentFailure";
  readonly resultString: string;
}

interface Check extends Judged {
  readonly check: string;
}

/** What lies in the bucket, and what becomes of it. */
type Kind = "good" | "damaged" | "plain" | "moved";

/** Keys of numbers that twenty divides. */
const DAMAGED = / (?:\d*[02468])?0\+a$/;

function kindOf(index: number): Kind {
  if (index % 20 === 0) return "damaged";
  if (index % 20 === 1) return "plain";
  return index % 20 === 2 ? "moved" : "good";
}

/**
 * The bundle of `@s3ec/batch` in AWS's own emulator of Lambda: jobs over 10,000 objects, which are called as S3 documents it in both
 * schemas, while the store throttles, fails and cuts connections, and others put newer objects.
 */
export async function runBatchJobs(): Promise<readonly Check[]> {
  const folder = await mkdtemp(join(tmpdir(), "s3ec-lambda-"));
  const server = await startDevServer({ buckets: [Bucket], aliases: ["alias/new"], entityTags: "opaque" });
  try {
    const { makeBundle } = await import(new URL("make-bundle.mjs", PACKAGE).href);
    const bundle = join(folder, "index.mjs");
    await makeBundle(bundle);
    const wrappingKey = randomBytes(32);
    await fill(server, wrappingKey);
    const configurations = {
      old: { keyring: { type: "raw-aes", wrappingKey: { base64: wrappingKey.toString("base64") } } },
      new: { keyring: { type: "kms", keyId: "alias/new" } },
    };
    await writeFile(join(folder, "s3ec.config.json"), JSON.stringify({ configurations }), { mode: 0o600 });
    const lambda = await startLambda(bundle, { env: environmentOf(server, folder), timeout: 120 });
    try {
      return await jobs(server, lambda, wrappingKey);
    } finally {
      await lambda.close();
    }
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function environmentOf({ endpoint, region, credentials }: DevServer, folder: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_MAX_ATTEMPTS: "1",
    LAMBDA_TASK_ROOT: folder,
    S3EC_CONFIG: "s3ec.config.json",
    // The dev-server's clock and conditions are not those of S3; 10,000 times two seconds would be.
    S3EC_SETTLE_TIME: "0",
    S3EC_CONCURRENCY: "32",
  };
}

const keyOf = (index: number): string => `year=2026/object ${index}+a`;

async function fill(server: DevServer, wrappingKey: Buffer): Promise<void> {
  const keyring = new RawAesKeyring({ wrappingKey: createSecretKey(wrappingKey) });
  const client = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
  await inBatches(OBJECTS, 32, async (index) => {
    const Key = keyOf(index);
    const kind = kindOf(index);
    if (kind === "plain") return await server.putRawObject(Bucket, Key, { body: Buffer.from("plain") });
    await client.send(new PutObjectCommand({ Bucket, Key, Body: `secret ${index}` }));
    return undefined;
  });
  client.destroy();
  server.faults.add({ operation: "GetObject", key: DAMAGED, corruptByteAt: 2 });
}

async function inBatches(count: number, width: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function jobs(server: DevServer, lambda: LambdaEmulator, wrappingKey: Buffer): Promise<Check[]> {
  const checks: Check[] = [];
  const check = (name: string, isRight: boolean, detail: string): void => {
    const expected = { outcome: "ok", reason: REASON } as const;
    checks.push({ check: name, expected, outcome: isRight ? "ok" : "wrong-bytes", detail: isRight ? "" : detail });
  };
  const all = Array.from({ length: OBJECTS }, (_, index) => index);
  const count = (results: ReadonlyMap<number, Result>, start: RegExp): number =>
    [...results.values()].filter(({ resultString }) => start.test(resultString)).length;
  const of = (kind: Kind): number => all.filter((index) => kindOf(index) === kind).length;

  const sample = all.slice(0, 1000);
  const verified = await runJob(server, lambda, sample, { operation: "verify", use: "old" }, "verify");
  const inSample = (kind: Kind): number => sample.filter((index) => kindOf(index) === kind).length;
  check(
    "verify finds exactly the damaged ones",
    count(verified, /^decryption-failed: /) === inSample("damaged") &&
      count(verified, /^verified: /) === inSample("good") + inSample("moved") &&
      count(verified, /^nothing to do: it is plain/) === inSample("plain"),
    said(verified),
  );

  // Some are done before: a job that goes on.
  const moved = all.filter((index) => kindOf(index) === "moved");
  const rewrapping = { operation: "rewrap", use: "old", toUse: "new" };
  const first = await runJob(server, lambda, moved, rewrapping, "some");
  check("rewrap of some", count(first, /^rewrapped: /) === moved.length, said(first));
  const newer = putsMeanwhile(server, wrappingKey);
  const rewrapped = await runJob(server, lambda, all, rewrapping, "all", true);
  const puts = await newer.done();
  const wanted = of("good") + of("damaged");
  const done = count(rewrapped, /^rewrapped: /);
  check("rewrap moves what needs it, each once", done >= wanted && done <= wanted + puts, said(rewrapped));
  check("rewrap does nothing twice", count(rewrapped, /^already there: /) >= moved.length - puts, said(rewrapped));
  check("rewrap leaves plain ones", count(rewrapped, /^nothing to do: /) === of("plain"), said(rewrapped));
  check(
    "rewrap fails for none in the end",
    [...rewrapped.values()].every(({ resultCode }) => resultCode === "Succeeded"),
    said(rewrapped),
  );
  check("newer objects have come meanwhile", puts > 100, `${puts}`);

  // What came behind the job is what a second one is for, over the objects that may have been put.
  const good = all.filter((index) => kindOf(index) === "good" && newer.keys.has(index));
  const again = await runJob(server, lambda, good, rewrapping, "again");
  check(
    "a second job moves what came since",
    [...again.values()].every(({ resultCode }) => resultCode === "Succeeded"),
    said(again),
  );
  const read = await runJob(server, lambda, all, { operation: "verify", use: "new" }, "read");
  check("the new key reads all of them", count(read, /^verified: /) === of("good") + of("moved"), said(read));
  check("and no damaged one", count(read, /^decryption-failed: /) === of("damaged"), said(read));
  return checks;
}

/** A job as S3 runs it: what failed for a while is asked again, with the same task ids. */
async function runJob(
  server: DevServer,
  lambda: LambdaEmulator,
  indices: readonly number[],
  userArguments: Readonly<Record<string, string>>,
  id: string,
  isTroubled = false,
): Promise<ReadonlyMap<number, Result>> {
  const results = new Map<number, Result>();
  let open = [...indices];
  for (let round = 0; round < MAX_ROUNDS && open.length > 0; round++) {
    for (let start = 0; start < open.length; start += TASKS) {
      const tasks = open.slice(start, start + TASKS);
      if (isTroubled && round < 3) trouble(server, start);
      const event = eventOf(tasks, userArguments, id);
      const answer = (await lambda.invoke(event)) as {
        readonly results?: readonly Result[];
        readonly invocationId?: string;
      };
      if (answer.results === undefined || answer.invocationId !== event.invocationId) {
        throw new Error(`Lambda answered ${JSON.stringify(answer).slice(0, 500)}`);
      }
      for (const result of answer.results) results.set(Number(result.taskId), result);
    }
    open = open.filter((index) => results.get(index)?.resultCode === "TemporaryFailure");
  }
  return results;
}

function eventOf(tasks: readonly number[], userArguments: Readonly<Record<string, string>>, id: string) {
  invocations += 1;
  return {
    invocationSchemaVersion: "2.0",
    invocationId: `invocation-${invocations}`,
    job: { id, userArguments },
    tasks: tasks.map((index) => ({
      taskId: String(index),
      s3Key: encodeURIComponent(keyOf(index)).replaceAll("%20", "+").replaceAll("%2F", "/"),
      s3VersionId: null,
      s3Bucket: Bucket,
    })),
  };
}
let invocations = 0;

/** A few of each, of the next requests. */
function trouble({ faults }: DevServer, start: number): void {
  faults.add({ operation: "CopyObject", status: 503, code: "SlowDown", times: 5 });
  faults.add({ operation: "HeadObject", status: 503, times: 5 });
  faults.add({ operation: "CopyObject", performed: true, times: 2 });
  faults.add({ operation: "GetObjectAcl", cutAfterBytes: 0, times: 2 });
  faults.add({ service: "kms", status: 400, code: "ThrottlingException", times: 5 });
  if (start % (4 * TASKS) === 0) faults.add({ operation: "CopyObject", status: 200, code: "InternalError", times: 2 });
}

/** Puts newer objects by the old key all the time. */
function putsMeanwhile(
  server: DevServer,
  wrappingKey: Buffer,
): { readonly keys: ReadonlySet<number>; done(): Promise<number> } {
  const keys = new Set<number>();
  const keyring = new RawAesKeyring({ wrappingKey: createSecretKey(wrappingKey) });
  const client = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
  let puts = 0;
  let isOver = false;
  const working = (async () => {
    for (let index = 3; !isOver; index = (index + 97) % OBJECTS) {
      if (kindOf(index) !== "good") continue;
      await client.send(new PutObjectCommand({ Bucket, Key: keyOf(index), Body: `newer ${puts}` })).then(
        () => {
          puts += 1;
          keys.add(index);
        },
        // In the way of a fault that was meant for the function; it may have been stored.
        () => keys.add(index),
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    keys,
    done: async () => {
      isOver = true;
      await working;
      client.destroy();
      return puts;
    },
  };
}

/** How often each sentence was said, for a check that failed. */
function said(results: ReadonlyMap<number, Result>): string {
  const counts = new Map<string, number>();
  for (const { resultCode, resultString } of results.values()) {
    const text = `${resultCode} ${resultString.replace(/\d+/g, "N").slice(0, 160)}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return JSON.stringify([...counts].sort((a, b) => b[1] - a[1]).slice(0, 8));
}
