import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { ProgramFailed, run } from "../run.js";
import type { Toolbox } from "../toolbox.js";
import { EXCEPTIONS, type Exception } from "./exceptions.js";
import type { Heard } from "./heard.js";
import type { Suite } from "./suite.js";

const REPORTER = fileURLToPath(new URL("reporter.js", import.meta.url));

/** Milliseconds for one test: the machine may be busy with others. */
const TIMEOUT = 120_000;

/** Files of a process, and milliseconds for each of them. */
const TOGETHER = 6;
const LIMIT = 60_000;

/** What is no part of what users install. */
const NOT_RUN = ["api-report", "bench", "fuzz", "interop", "mutation", "reach", "release", "site"];

/** Where a runtime that does otherwise is seen first: all vectors, formats and keyrings, and bodies of each kind through the client. */
export const CORE: readonly string[] = [
  ...["envelope", "format-s3", "keyring-raw-aes", "keyring-raw-rsa"].map((name) => `packages/${name}/`),
  ...["vectors", "message-vectors", "round-trip", "proven-first", "web-stream-answers"].map(
    (name) => `packages/client/dist-test/${name}.test.js`,
  ),
  "test-vectors/",
];

/** A test that failed, or a file that did not come to its end. */
interface Failure {
  readonly file: string;
  readonly title: string;
  readonly why: string;
}

/** What came of a suite. */
export interface SuiteResult {
  readonly suite: Suite;
  readonly version: string;
  readonly passed: number;
  readonly skipped: number;
  /** Failures that are known, by their exceptions. */
  readonly known: number;
  readonly failed: readonly Failure[];
  /** Tests that were expected to fail, and do not. */
  readonly notNeeded: readonly Excuse[];
}

/** Tests of a file, by a part of their full titles. */
type Excuse = Pick<Failure, "file" | "title">;

/**
 * The compiled tests that are run, from the repository's root.
 *
 * @param only parts of their names; all where there are none
 */
export async function testFiles(
  root: string,
  { without = [] }: Pick<Suite, "without">,
  only: readonly string[] = [""],
): Promise<readonly string[]> {
  const packages = (await readdir(join(root, "packages"))).filter((name) => ![...NOT_RUN, ...without].includes(name));
  const folders = [...packages.map((name) => `packages/${name}/dist-test`), "test-vectors/dist-test"];
  const files = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true }).catch(() => []);
      return names.filter((name) => name.endsWith(".test.js")).map((name) => `${folder}/${name.replaceAll(sep, "/")}`);
    }),
  );
  const chosen = files.flat().filter((file) => only.some((part) => file.includes(part)));
  if (chosen.length === 0) throw new Error(`No compiled test is called ${only.join(", ")}: npm run build.`);
  return chosen.sort();
}

/** Runs the tests of these files, some of them in a process of the suite's runtime, which runs mocha; as many processes at a time as there are jobs. */
export async function runSuite(
  suite: Suite,
  { files, root, folder, env, toolbox, jobs = 1, onFailure = () => {} }: Surroundings,
  exceptions: readonly Exception[] = EXCEPTIONS,
): Promise<SuiteResult> {
  const runtime = await toolbox.runtimeOf(suite);
  const path = [runtime.folder, String(process.env["PATH"])].join(delimiter);
  const counts = { passed: 0, skipped: 0 };
  const failures: Failure[] = [];
  const excused = excusesOf(suite, files, exceptions);
  const count = (heard: Heard) => {
    if (heard.state === "passed" || heard.state === "skipped") counts[heard.state] += 1;
    if (heard.state !== "failed") return;
    const failure = { ...heard, file: heard.file === "" ? "(no file)" : relative(root, heard.file) };
    failures.push(failure);
    if (!excused.some((excuse) => covers(excuse, failure))) onFailure(failure);
  };
  const waiting = groups(files).values(); // of all jobs: each takes the next
  const work = async (_: unknown, job: number) => {
    const place = { root, folder: join(folder, `job-${job}`), env: { ...env, PATH: path } };
    await mkdir(place.folder, { recursive: true });
    for (const together of waiting) (await heardOf(together, suite, place)).forEach(count);
  };
  await Promise.all(Array.from({ length: jobs }, work));
  const failed = failures.filter((failure) => !excused.some((excuse) => covers(excuse, failure)));
  const notNeeded = excused.filter((excuse) => !failures.some((failure) => covers(excuse, failure)));
  return { suite, version: runtime.version, ...counts, known: failures.length - failed.length, failed, notNeeded };
}

interface Surroundings {
  /** From the repository's root. */
  readonly files: readonly string[];
  readonly root: string;
  /** For what is written meanwhile. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly toolbox: Pick<Toolbox, "runtimeOf">;
  /** Processes at a time; 1 where nobody says. */
  readonly jobs?: number;
  /** Told of what fails and is not known to, as soon as it is heard of. */
  readonly onFailure?: (failure: Failure) => void;
}

function excusesOf(suite: Suite, files: readonly string[], exceptions: readonly Exception[]): readonly Excuse[] {
  return exceptions
    .filter(({ suites }) => suites.includes(suite.name))
    .flatMap(({ tests }) => Object.entries(tests))
    .filter(([file]) => files.includes(file))
    .flatMap(([file, titles]) => titles.map((title) => ({ file, title })));
}

function covers(excuse: Excuse, { file, title }: Failure): boolean {
  return excuse.file === file && title.includes(excuse.title);
}

/** Most of a test's file is what it loads, so that some of a folder share a process. */
function groups(files: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  for (const file of files) {
    const last = groups.at(-1);
    if (last?.[0] !== undefined && dirname(last[0]) === dirname(file) && last.length < TOGETHER) last.push(file);
    else groups.push([file]);
  }
  return groups;
}

interface Place {
  readonly root: string;
  /** For what is written meanwhile. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What mocha says of some files. Where it does not come to its end, each of them has a process of its own: one may end or hold all. */
async function heardOf(files: readonly string[], suite: Suite, place: Place): Promise<readonly Heard[]> {
  const [program, ...before] = suite.program;
  const results = join(place.folder, "results");
  // Kept for the tests' own: native code does not see in every runtime what a program sets.
  const env = { ...place.env, SOFTHSM2_CONF: join(place.folder, "softhsm2.conf") };
  const config = join(place.folder, "mocharc.json");
  const options = { exit: true, timeout: TIMEOUT, reporter: REPORTER, "reporter-option": [`results=${results}`] };
  await writeFile(config, JSON.stringify(options)); // in place of the repository's own; flags for that Deno does not take
  for (const left of [results, env.SOFTHSM2_CONF]) await rm(left, { force: true });
  const args = [...before, "node_modules/mocha/bin/mocha.js", "--config", config, ...files];
  const said = await run(program, args, { cwd: place.root, env, limit: LIMIT * (files.length + 2) }).catch((error) => {
    if (error instanceof ProgramFailed) return error.message;
    throw error;
  });
  const lines = (await readFile(results, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  const heard: readonly Heard[] = lines.map((line) => JSON.parse(line));
  if (heard.some(({ state }) => state === "ended")) return heard;
  const file = resolve(place.root, files[0] ?? "");
  if (files.length === 1) return [...heard, { state: "failed", file, title: "(did not come to its end)", why: said }];
  const alone: Heard[] = [];
  for (const each of files) alone.push(...(await heardOf([each], suite, place)));
  return alone;
}
