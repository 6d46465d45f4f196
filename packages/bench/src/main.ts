import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, statfsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { ServerKind } from "./bench-server.js";
import { makeCertificate } from "./certificate.js";
import { opensslSecondsPerGiB } from "./openssl.js";
import { markdownOf, type Table, withSections } from "./report.js";
import { SECTIONS, type Section, type SectionJob } from "./sections.js";
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
const certificates = await mkdtemp(join(tmpdir(), "s3ec-bench-tls-"));
const tls = makeCertificate(certificates);
const program = isInstalled("go") ? "versitygw" : "dev-server";
/** As users have it first: over TLS, and by a server that is not ours where there is one. */
const overTls: Stage[] = tls === undefined ? [] : [{ server: { program, tls }, heading: `, over TLS (${program})` }];
const overHttp: Stage = { server: { program: "dev-server" }, heading: ", over http (dev-server)" };
const measured = new Map<string, string>();
try {
  for (const [name, section] of Object.entries(SECTIONS)) {
    if (values.only !== undefined && !values.only.includes(name)) continue;
    const began = performance.now();
    const texts: string[] = [];
    try {
      for (const stage of stagesOf(section)) {
        for (const table of await tablesOf({ name, sizes, directory, ...stage })) {
          texts.push(markdownOf(table));
          console.log(texts.at(-1));
        }
      }
    } catch (error) {
      // What the others have measured is not lost for it.
      console.error(error);
      process.exitCode = 1;
      continue;
    }
    console.log(`${name}: ${((performance.now() - began) / 60_000).toFixed(1)} minutes.\n`);
    measured.set(name, texts.join("\n"));
  }
} finally {
  await rm(certificates, { recursive: true });
}
if (values.output !== undefined) {
  const [inShort, notes] = await Promise.all(
    ["in-short.md", "notes.md"].map((name) => readFile(new URL(`../${name}`, import.meta.url), "utf8")),
  );
  const before = values.only === undefined || !existsSync(values.output) ? "" : await readFile(values.output, "utf8");
  const sections = withSections(before, measured, Object.keys(SECTIONS));
  await writeFile(values.output, `${preface()}\n${inShort}\n${sections}\n${notes}`);
  console.log(`Written to ${relative(process.cwd(), values.output)}.`);
}

/** A server, and what the titles of tables say of it. */
type Stage = Pick<SectionJob, "server" | "heading">;

function stagesOf({ on }: Section): readonly Stage[] {
  if (on === "each") return [...overTls, overHttp];
  if (on === "none") return [{ ...overHttp, heading: "" }];
  const server: ServerKind = { program: "dev-server", ...(tls === undefined ? {} : { tls }) };
  return [{ server, heading: tls === undefined ? "" : ", over TLS (dev-server)" }];
}

function isInstalled(tool: string): boolean {
  try {
    execFileSync(tool, ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function tablesOf(job: SectionJob): Promise<readonly Table[]> {
  const trusted = job.server.tls === undefined ? {} : { NODE_EXTRA_CA_CERTS: job.server.tls.cert };
  const child = fork(fileURLToPath(new URL("section-process.js", import.meta.url)), {
    env: { ...process.env, ...trusted },
  });
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

function preface(): string {
  const openssl = opensslSecondsPerGiB();
  const primitive =
    openssl === undefined ? "" : `OpenSSL's AES-256-GCM alone takes ${openssl.toFixed(2)} CPU seconds a GiB here.\n`;
  return `# Performance

Measured by \`npm run bench -- --output docs/performance.md\`, on ${availableParallelism()} cores and Node ${process.versions.node}: our
clients against the plain SDK, in turns, on a local server in a process of its own (and each section in one of its own), with ${directory === "/dev/shm" ? "all files in memory" : "files on disk"}.
Tables say whether it was spoken to over TLS, and which it was: versitygw, which is not ours, or our dev-server, which can slow connections down. Medians of
${sizes.rounds}. A ratio above 1 means that ours is faster. The cores are shared with the server, which is why only ratios within one
table mean something. ${primitive}`;
}
