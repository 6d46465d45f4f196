import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { BenchServer } from "./bench-server.js";
import { downloadTable, uploadTable } from "./files.js";
import { memoryTable } from "./memory.js";
import { messageTable } from "./messages.js";
import { objectTables } from "./objects.js";
import type { Table } from "./report.js";
import { type Setting, type Sizes, settingFor } from "./setting.js";
import { importTable } from "./startup.js";
import { throttledTable } from "./throttled.js";

/** The parts of the report, in their order. */
export const SECTIONS: Readonly<Record<string, (setting: Setting) => Promise<readonly Table[]>>> = {
  objects: objectTables,
  uploads: async (setting) => [await uploadTable(setting)],
  downloads: async (setting) => [await downloadTable(setting)],
  throttled: async (setting) => [await throttledTable(setting)],
  messages: async (setting) => [await messageTable(setting)],
  memory: async (setting) => [await memoryTable(setting)],
  import: async () => [importTable()],
};

export interface SectionJob {
  /** One of `SECTIONS`. */
  readonly name: string;
  readonly sizes: Sizes;
  /** Where the server and the clients keep their files. */
  readonly directory: string;
}

/** Measures one part of the report, with a server of its own, and leaves nothing behind. */
export async function runSection({ name, sizes, directory }: SectionJob): Promise<readonly Table[]> {
  const folder = await mkdtemp(join(directory, "s3ec-bench-"));
  try {
    const stored = join(folder, "server");
    await mkdir(stored);
    const server = await BenchServer.start(stored);
    const setting = settingFor(server, sizes, folder);
    try {
      return (await SECTIONS[name]?.(setting)) ?? [];
    } finally {
      const { plain, encrypting, delayed, buffering } = setting;
      for (const client of [plain, encrypting, delayed, buffering]) client.destroy();
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
