import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { auditObjects, filterObjects, objectFilter, readInventory, rewrapObjects, type StoredObject } from "@s3ec/bulk";
import { S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { measure } from "./contest.js";
import { peakRss } from "./peak-rss.js";

/** What a process is to do with many objects. */
export interface ManyMemoryJob {
  readonly mode: "one" | "journal" | "inventory";
  readonly config: S3ClientConfig;
  readonly bucket: string;
  readonly folder: string;
  /** Of the journal or the inventory. */
  readonly lines: number;
}

export interface ManyMemoryResult {
  /** Bytes. */
  readonly peak: number;
  readonly seconds: number;
}

/** Keys that a run asks its journal about: each is looked for in every sorted run of it. */
const ASKED = 500;

process.once("message", async ({ mode, config, bucket: Bucket, folder, lines }: ManyMemoryJob) => {
  const client = new S3Client(config);
  const work = async (): Promise<void> => {
    if (mode === "journal") await resume();
    else if (mode === "inventory") await auditInventory();
    else await finished(auditObjects(client, named(["one"]), { Bucket }), 1);
  };
  const resume = async (): Promise<void> => {
    const keyring = () => new RawAesKeyring({ wrappingKey: randomBytes(32) });
    const encrypting = new S3EncryptionClient({ ...config, encryption: { keyring: keyring() } });
    const step = Math.floor(lines / ASKED);
    const keys = Array.from({ length: ASKED }, (_, index) => keyOf(index * step));
    const journal = { path: join(folder, "journal"), target: "bench" };
    await finished(rewrapObjects(encrypting, named(keys), { Bucket, to: { keyring: keyring() }, journal }), ASKED);
    encrypting.destroy();
  };
  const auditInventory = async (): Promise<void> => {
    const { objects } = await readInventory(client, { Bucket, Key: "inventory/manifest.json", sourceBucket: Bucket });
    let read = 0;
    async function* counted(): AsyncGenerator<StoredObject> {
      for await (const object of objects) {
        read += 1;
        yield object;
      }
    }
    const meant = filterObjects(counted(), objectFilter({ glob: "**/part-*00000.parquet" }));
    await finished(auditObjects(client, meant, { Bucket, areFilesListed: true }), lines / 100_000);
    if (read !== lines) throw new Error(`${read} lines were read, and not ${lines}.`);
  };
  const { seconds } = await measure(work);
  client.destroy();
  process.send?.({ peak: peakRss(), seconds } satisfies ManyMemoryResult);
});

async function finished(results: AsyncIterable<unknown>, wanted: number): Promise<void> {
  let count = 0;
  for await (const _ of results) count += 1;
  if (count !== wanted) throw new Error(`There were ${count} results, and not ${wanted}.`);
}

async function* named(keys: readonly string[]): AsyncGenerator<StoredObject> {
  for (const Key of keys) yield { Key };
}

/** As those of the journal. */
function keyOf(index: number): string {
  return `year=2026/month=11/day=29/part-${String(index).padStart(9, "0")}.parquet`;
}
