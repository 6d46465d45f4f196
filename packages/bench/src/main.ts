import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, statfsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { opensslSecondsPerGiB } from "./openssl.js";
import { markdownOf, type Table } from "./report.js";
import { SECTIONS, type SectionJob } from "./sections.js";
import { FULL, QUICK } from "./setting.js";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    directory: { type: "string" },
    output: { type: "string" },
    only: { type: "string", multiple: true },
  },
});

const sizes = values.quick ? QUICK : FULL;
const directory = values.directory ?? (hasRoom("/dev/shm", 4 * sizes.large) ? "/dev/shm" : tmpdir());
const started = performance.now();
let report = "";
for (const name of Object.keys(SECTIONS)) {
  if (values.only !== undefined && !values.only.includes(name)) continue;
  for (const table of await tablesOf({ name, sizes, directory })) {
    const text = markdownOf(table);
    console.log(text);
    report += `${text}\n`;
  }
}
const minutes = ((performance.now() - started) / 60_000).toFixed(1);
console.log(`Took ${minutes} minutes.`);
if (values.output !== undefined) {
  const notes = await readFile(new URL("../notes.md", import.meta.url), "utf8");
  await writeFile(values.output, `${preface(minutes)}\n${report}${notes}`);
  console.log(`Written to ${relative(process.cwd(), values.output)}.`);
}

async function tablesOf(job: SectionJob): Promise<readonly Table[]> {
  const child = fork(fileURLToPath(new URL("section-process.js", import.meta.url)));
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`The section "${job.name}" ended with exit code ${code}.`);
  });
  child.send(job);
  const [tables]: (readonly Table[])[] = await Promise.race([once(child, "message"), ended]);
  ended.catch(() => {});
  return tables ?? [];
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
clients against the plain SDK, in turns, on one local server in a process of its own (and each table in one of its own), with ${directory === "/dev/shm" ? "all files in memory" : "files on disk"}. Medians of
${sizes.rounds}. A ratio above 1 means that ours is faster. The cores are shared with the server, which is why only ratios within one
run mean something. ${primitive}`;
}
