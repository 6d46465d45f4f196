import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ServerKind, startServer } from "./bench-server.js";
import { commandLineTables } from "./command-lines.js";
import { coreTables } from "./cores.js";
import { downloadTables, uploadTable } from "./files.js";
import { manyTables } from "./many.js";
import { memoryTable } from "./memory.js";
import { messageTable } from "./messages.js";
import { objectTables } from "./objects.js";
import { officialTables } from "./official-clients.js";
import type { Table } from "./report.js";
import { type Setting, type Sizes, settingFor } from "./setting.js";
import { importTable } from "./startup.js";
import { throttledTables } from "./throttled.js";

/** One part of the report. */
export interface Section {
  /**
   * On which servers it is measured: on each, or on the dev-server, which can be slowed down. None: it needs no server.
   */
  readonly on: "each" | "dev-server" | "none";
  readonly tables: (setting: Setting) => Promise<readonly Table[]>;
}

/** The parts of the report, in their order. */
export const SECTIONS: Readonly<Record<string, Section>> = {
  objects: { on: "each", tables: objectTables },
  uploads: { on: "each", tables: async (setting) => [await uploadTable(setting)] },
  downloads: { on: "each", tables: downloadTables },
  "command-lines": { on: "dev-server", tables: commandLineTables },
  throttled: { on: "dev-server", tables: throttledTables },
  official: { on: "none", tables: ({ sizes, folder }) => officialTables(sizes, folder) },
  messages: { on: "none", tables: async (setting) => [await messageTable(setting)] },
  cores: { on: "none", tables: coreTables },
  // versitygw keeps what it knows of parts in extended attributes, of which ext4 has too few for 5 GiB.
  memory: { on: "dev-server", tables: async (setting) => [await memoryTable(setting)] },
  many: { on: "dev-server", tables: manyTables },
  import: { on: "none", tables: async () => [importTable()] },
};

export interface SectionJob {
  /** One of `SECTIONS`. */
  readonly name: string;
  readonly sizes: Sizes;
  /** Where the server and the clients keep their files. */
  readonly directory: string;
  /** What follows the titles of its tables, such as "over TLS". */
  readonly heading: string;
  readonly server: ServerKind;
}

/** Measures one part of the report, with a server of its own, and leaves nothing behind. */
export async function runSection({ name, sizes, directory, heading, server }: SectionJob): Promise<readonly Table[]> {
  const folder = await mkdtemp(join(directory, "s3ec-bench-"));
  try {
    const stored = join(folder, "server");
    await mkdir(stored);
    const started = await startServer(server, stored);
    const setting = settingFor(started, server, sizes, folder);
    try {
      const tables = (await SECTIONS[name]?.tables(setting)) ?? [];
      return tables.map((table) => ({ ...table, title: `${table.title}${heading}` }));
    } finally {
      for (const client of setting.clients) client.destroy();
      await started.stop();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
