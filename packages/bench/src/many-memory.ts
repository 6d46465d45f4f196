import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { crc32, gzipSync } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { BUCKET } from "./bench-server.js";
import type { ManyMemoryJob, ManyMemoryResult } from "./many-memory-process.js";
import type { Table } from "./report.js";
import { MiB, type Setting } from "./setting.js";

/** Lines of one file of the inventory; its manifest names the same file again and again. */
const FILE_LINES = 1_000_000;

/** What a process holds at most that goes on with a long journal, and that audits some of a long inventory. */
export async function manyMemoryTable({ server, sizes, plain }: Setting): Promise<Table> {
  // On disk, since files in memory would take from what is measured.
  const folder = await mkdtemp(join(tmpdir(), "s3ec-bench-"));
  const rows: string[][] = [];
  const add = async (name: string, job: Omit<ManyMemoryJob, "config" | "bucket" | "folder">): Promise<void> => {
    const child = fork(fileURLToPath(new URL("many-memory-process.js", import.meta.url)));
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`${name} ended with exit code ${code}.`);
    });
    child.send({ ...job, config: server.config, bucket: BUCKET, folder } satisfies ManyMemoryJob);
    const [result]: ManyMemoryResult[] = await Promise.race([once(child, "message"), ended]);
    ended.catch(() => {});
    child.disconnect();
    if (result === undefined) throw new Error(`${name} ended without a result.`);
    const { peak, seconds } = result;
    rows.push([name, `${(peak / MiB).toFixed(0)} MiB`, `${seconds.toFixed(0)} s`]);
  };
  try {
    await add("for comparison: an audit of one object", { mode: "one", lines: 0 });
    const journal = join(folder, "journal");
    await pipeline(Readable.from(journalText(sizes.journalLines)), createWriteStream(journal));
    await add(`\`rewrap --resume\` with ${thousands(sizes.journalLines)} lines of journal`, {
      mode: "journal",
      lines: sizes.journalLines,
    });
    const lines = Math.min(FILE_LINES, sizes.inventoryLines);
    const files = sizes.inventoryLines / lines;
    const store = async (Key: string, Body: string | Buffer): Promise<void> => {
      await plain.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    };
    const csv = gzipSync(inventoryText(lines), { level: 1 });
    await store("inventory/data", csv);
    const manifest = JSON.stringify({
      sourceBucket: BUCKET,
      creationTimestamp: "1764374400000",
      fileFormat: "CSV",
      fileSchema: "Bucket, Key, Size",
      files: Array.from({ length: files }, () => ({ key: "inventory/data", size: csv.length, MD5checksum: md5(csv) })),
    });
    await store("inventory/manifest.json", manifest);
    await store("inventory/manifest.checksum", md5(Buffer.from(manifest)));
    await add(
      `audit of an inventory of ${thousands(sizes.inventoryLines)} lines, ${thousands(sizes.inventoryLines / 100_000)} of which a filter means`,
      {
        mode: "inventory",
        lines: sizes.inventoryLines,
      },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
  return {
    title: "Many objects: memory",
    columns: ["", "peak RSS", "took"],
    rows,
    note: "Peak of a process of its own, with Node and the SDK in it.",
  };
}

/** As a run over many objects records it: what it meant to write of each object. */
function* journalText(lines: number): Generator<string> {
  const run = { command: "rewrap", bucket: BUCKET, target: "bench" };
  yield lineOf({ s3ecJournal: 1, run });
  let text = "";
  for (let index = 0; index < lines; index++) {
    const intent = createHash("sha256").update(String(index)).digest("base64url");
    text += lineOf({ key: keyOf(index), intent, place: "metadata" });
    if (text.length < MiB) continue;
    yield text;
    text = "";
  }
  yield text;
}

function lineOf(value: object): string {
  const text = JSON.stringify(value);
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
}

function inventoryText(lines: number): Buffer {
  const rows: string[] = [];
  for (let index = 0; index < lines; index++) rows.push(`"${BUCKET}","${keyOf(index)}","1040"\n`);
  return Buffer.from(rows.join(""));
}

/** As long as keys are. */
function keyOf(index: number): string {
  return `year=2026/month=11/day=29/part-${String(index).padStart(9, "0")}.parquet`;
}

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}

function thousands(count: number): string {
  return count.toLocaleString("en");
}
