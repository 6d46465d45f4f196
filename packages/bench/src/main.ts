import { existsSync, statfsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { BenchServer } from "./bench-server.js";
import { fileTable } from "./files.js";
import { memoryTable } from "./memory.js";
import { messageTable } from "./messages.js";
import { objectTables } from "./objects.js";
import { opensslSecondsPerGiB } from "./openssl.js";
import { markdownOf, type Table } from "./report.js";
import { FULL, QUICK, type Setting, settingFor } from "./setting.js";
import { importTable } from "./startup.js";
import { throttledTable } from "./throttled.js";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    directory: { type: "string" },
    output: { type: "string" },
    only: { type: "string", multiple: true },
  },
});

const SECTIONS: Readonly<Record<string, (setting: Setting) => Promise<readonly Table[]>>> = {
  objects: objectTables,
  files: async (setting) => [await fileTable(setting)],
  throttled: async (setting) => [await throttledTable(setting)],
  messages: async (setting) => [await messageTable(setting)],
  memory: async (setting) => [await memoryTable(setting)],
  import: async () => [importTable()],
};

const sizes = values.quick ? QUICK : FULL;
const parent = values.directory ?? (hasRoom("/dev/shm", 4 * sizes.large) ? "/dev/shm" : tmpdir());
const folder = await mkdtemp(join(parent, "s3ec-bench-"));
const started = performance.now();
let report = "";
try {
  const stored = join(folder, "server");
  await mkdir(stored);
  const server = await BenchServer.start(stored);
  const setting = settingFor(server, sizes, folder);
  try {
    for (const [name, tables] of Object.entries(SECTIONS)) {
      if (values.only !== undefined && !values.only.includes(name)) continue;
      for (const table of await tables(setting)) {
        const text = markdownOf(table);
        console.log(text);
        report += `${text}\n`;
      }
    }
  } finally {
    const { plain, encrypting, delayed, buffering } = setting;
    for (const client of [plain, encrypting, delayed, buffering]) client.destroy();
    await server.stop();
  }
} finally {
  await rm(folder, { recursive: true });
}
const minutes = ((performance.now() - started) / 60_000).toFixed(1);
console.log(`Took ${minutes} minutes.`);
if (values.output !== undefined) {
  const notes = await readFile(new URL("../notes.md", import.meta.url), "utf8");
  await writeFile(values.output, `${preface(minutes)}\n${report}${notes}`);
  console.log(`Written to ${relative(process.cwd(), values.output)}.`);
}

function hasRoom(directory: string, bytes: number): boolean {
  if (!existsSync(directory)) return false;
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize > bytes;
}

function preface(minutes: string): string {
  const openssl = opensslSecondsPerGiB();
  const primitive =
    openssl === undefined ? "" : `OpenSSL's AES-256-GCM alone takes ${openssl.toFixed(2)} CPU seconds a GiB here.\n`;
  return `# Performance

Measured by \`npm run bench -- --output docs/performance.md\` in ${minutes} minutes, on ${availableParallelism()} cores and Node ${process.versions.node}: our
clients against the plain SDK, in turns, on one local server in a process of its own, with ${parent === "/dev/shm" ? "all files in memory" : "files on disk"}. Medians of
${sizes.rounds}. A ratio above 1 means that ours is faster. The cores are shared with the server, which is why only ratios within one
run mean something. ${primitive}`;
}
