import { randomBytes } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { auditObjects, inParallel, migrateObjects, rewrapObjects, verifyObjects } from "@s3ec/bulk";
import { S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { BUCKET } from "./bench-server.js";
import { measure, type Run } from "./contest.js";
import { manyMemoryTable } from "./many-memory.js";
import type { Table } from "./report.js";
import { KiB, type Setting } from "./setting.js";

const CONCURRENCIES = [1, 16, 64] as const;

/** Does something to these objects, so many at once; gives one result for each that it did. */
type Work = (keys: readonly string[], concurrency: number) => AsyncIterable<unknown>;

/** Objects a second that are audited, verified, re-wrapped and migrated, and what runs over many hold in memory. */
export async function manyTables(setting: Setting): Promise<Table[]> {
  return [await speedTable(setting), await manyMemoryTable(setting)];
}

async function speedTable({ server, sizes, plain }: Setting): Promise<Table> {
  const keys = Array.from({ length: sizes.many }, (_, index) => `many/${String(index).padStart(6, "0")}`);
  const keyrings = ["1", "2"].map(
    (key) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } }),
  );
  const clients = keyrings.map(
    (keyring) =>
      new S3EncryptionClient({
        ...server.config,
        encryption: { keyring, commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" },
      }),
  );
  const client = { ...clients }[0];
  const [old, renewed] = keyrings;
  if (client === undefined || old === undefined || renewed === undefined) throw new Error("There are two of each.");
  const put = async (Key: string): Promise<void> => {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Buffer.alloc(KiB, Key) }));
  };
  /** From the old key to the new one, and the next time back. */
  let turn = 0;
  const rewrapping = (settleTime?: number): Work =>
    async function* (each, concurrency) {
      const [from, to] = turn++ % 2 === 0 ? [client, renewed] : [clients[1] ?? client, old];
      const options = { Bucket: BUCKET, concurrency, to: { keyring: to } };
      yield* rewrapObjects(from, named(each), settleTime === undefined ? options : { ...options, settleTime });
    };
  const works: readonly (readonly [string, Work, share: number])[] = [
    [
      "audit",
      (each, concurrency) => auditObjects(plain, named(each), { Bucket: BUCKET, concurrency, areFilesListed: true }),
      1,
    ],
    ["verify", (each, concurrency) => verifyObjects(client, named(each), { Bucket: BUCKET, concurrency }), 1],
    ["rewrap, `settleTime: 0`", rewrapping(0), 1 / 2],
    ["rewrap, as it is by default", rewrapping(), 1 / 4],
    ["migrate", (each, concurrency) => migrateObjects(client, named(each), { Bucket: BUCKET, concurrency }), 1 / 4],
  ];
  try {
    for await (const _ of inParallel(named(keys), 16, ({ Key }) => put(Key)));
    const rows: string[][] = [];
    for (const [name, work, share] of works) {
      const cells: string[] = [];
      let last: Run | undefined;
      for (const concurrency of CONCURRENCIES) {
        // As many as take some seconds: one at a time, and with a wait for each, that is few.
        const waits = name.startsWith("rewrap, as") ? concurrency : sizes.many * share;
        const count = Math.max(2, Math.floor(concurrency === 1 ? Math.min(waits, sizes.many / 8) : waits));
        const some = keys.slice(0, count);
        last = await measure(async () => {
          let done = 0;
          for await (const result of work(some, concurrency)) {
            assertDone(result);
            done += 1;
          }
          if (done !== some.length) throw new Error(`${name} gave ${done} results for ${some.length} objects.`);
        });
        cells.push((some.length / last.seconds).toFixed(last.seconds > some.length ? 2 : 0));
        // Each run begins with all objects under the same key.
        if (name.startsWith("rewrap")) for await (const _ of rewrapping(0)(some, 16));
      }
      const busy = last === undefined ? 0 : last.cpuSeconds / last.seconds;
      rows.push([name, ...cells, busy.toFixed(2)]);
    }
    return {
      title: "Many objects of 1 KiB: objects a second",
      columns: ["", ...CONCURRENCIES.map((count) => `${count} at once`), "cores that this process then uses"],
      rows,
      note: "One at a time, the answers are waited for; from 16 on the client's one thread and the server share the cores, and more at once brings nothing where that is near 1. A rewrap waits two seconds for each object by default, so that its objects a second are half the concurrency.",
    };
  } finally {
    for (const each of clients) each.destroy();
  }
}

async function* named(keys: readonly string[]): AsyncGenerator<{ readonly Key: string }> {
  for (const Key of keys) yield { Key };
}

/** A run that does nothing is fast. */
function assertDone(result: unknown): void {
  const { outcome, state, problem } = result as Readonly<Record<string, unknown>>;
  if (["rewrapped", "migrated", "verified", "encrypted"].includes(String(outcome ?? state))) return;
  throw new Error(`An object was ${String(outcome ?? state)}: ${String(problem)}`);
}
