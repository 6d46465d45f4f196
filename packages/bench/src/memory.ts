import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchServer, BUCKET, startServer } from "./bench-server.js";
import type { MemoryJob, MemoryResult } from "./memory-process.js";
import type { Table } from "./report.js";
import { MiB, type Setting, type Sizes, sizeName } from "./setting.js";

const MODES: readonly [MemoryJob["mode"], string][] = [
  ["plain-upload", "for comparison: the SDK's `Upload` of the same stream"],
  ["upload", "`EncryptedUpload` of a stream of unknown length"],
  ["sized-upload", "`EncryptedUpload` of a stream of known length"],
  ["file-upload", "`EncryptedUpload` of a file"],
  ["get", "`GetObjectCommand`, verified first (spooled)"],
  ["delayed", "`GetObjectCommand`, delayed authentication"],
  ["file", "`EncryptedDownload` to a file"],
  ["stream", "`EncryptedDownload` to a stream, verified first (spooled)"],
];

/** How far each way of moving a huge object makes a fresh process grow beyond what a small one needs. */
export async function memoryTable({ sizes, serverKind }: Setting): Promise<Table> {
  // On disk, since files in memory would take from what is measured.
  const folder = await mkdtemp(join(tmpdir(), "s3ec-bench-"));
  const stored = join(folder, "server");
  await mkdir(stored);
  const server = await startServer(serverKind, stored);
  try {
    return await measureModes(server, sizes, folder);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

async function measureModes(server: BenchServer, sizes: Sizes, folder: string): Promise<Table> {
  const rows: string[][] = [];
  const wrappingKey = randomBytes(32).toString("base64");
  for (const [mode, name] of MODES) {
    const job: MemoryJob = {
      mode,
      config: server.config,
      bucket: BUCKET,
      folder,
      length: sizes.huge,
      wrappingKey,
    };
    const child = fork(fileURLToPath(new URL("memory-process.js", import.meta.url)));
    child.send(job);
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`Measuring "${mode}" ended with exit code ${code}.`);
    });
    const [result]: MemoryResult[] = await Promise.race([once(child, "message"), ended]);
    ended.catch(() => {});
    child.disconnect();
    await once(child, "exit");
    if (result === undefined) throw new Error("The process ended without a result.");
    const speed = (sizes.huge / 1e6 / result.seconds).toFixed(0);
    rows.push([name, `${(result.growth / MiB).toFixed(0)} MiB`, `${speed} MB/s`]);
  }
  return {
    title: `Memory: how far the process grows for ${sizeName(sizes.huge)}`,
    columns: ["", "growth of peak RSS", "throughput"],
    rows,
  };
}
