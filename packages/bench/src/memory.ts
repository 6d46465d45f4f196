import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUCKET } from "./bench-server.js";
import type { MemoryJob, MemoryResult } from "./memory-process.js";
import type { Table } from "./report.js";
import { MiB, type Setting, sizeName } from "./setting.js";

const MODES: readonly [MemoryJob["mode"], string][] = [
  ["upload", "`EncryptedUpload` of a stream of unknown length"],
  ["get", "`GetObjectCommand`, verified first (spooled)"],
  ["delayed", "`GetObjectCommand`, delayed authentication"],
  ["file", "`EncryptedDownload` to a file"],
  ["stream", "`EncryptedDownload` to a stream, verified first (spooled)"],
];

/** How far each way of moving a huge object makes a fresh process grow beyond what a small one needs. */
export async function memoryTable({ server, sizes, folder }: Setting): Promise<Table> {
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
    const [result]: MemoryResult[] = await once(child, "message");
    child.disconnect();
    await once(child, "exit");
    if (result === undefined) throw new Error("The process ended without a result.");
    const speed = (sizes.huge / 1e6 / result.seconds).toFixed(0);
    rows.push([name, `${(result.growth / MiB).toFixed(0)} MiB`, `${speed} MB/s`]);
  }
  await rm(join(folder, "memory"), { force: true });
  return {
    title: `Memory: how far the process grows for ${sizeName(sizes.huge)}`,
    columns: ["", "growth of peak RSS", "throughput"],
    rows,
  };
}
