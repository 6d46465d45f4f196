import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MUTANT_CODE, MUTANT_URL } from "./mutant-variables.js";

const TESTS = fileURLToPath(new URL("test-process.js", import.meta.url));
const LOADER = new URL("load-mutant.js", import.meta.url).href;

/** One run of some test files, over one altered file. */
export interface TestRun {
  /** Of the built file. */
  readonly url: string;
  /** JavaScript that stands in for it. */
  readonly code: string;
  /** Paths of compiled test files. */
  readonly tests: readonly string[];
  /** Directory that they run in. */
  readonly root: string;
  /** Milliseconds after which the run is ended. */
  readonly limit: number;
}

export interface TestEnd {
  readonly outcome: "passed" | "failed" | "timed out";
  /** What mocha said, for a run that should have passed. */
  readonly output: string;
}

const running = new Set<ChildProcess>();

/** Runs the tests in a process of their own, until the first failure. */
export async function runTests({ url, code, tests, root, limit }: TestRun): Promise<TestEnd> {
  const child = spawn(process.execPath, [TESTS, String(limit), ...tests], {
    cwd: root,
    // A group of its own, so that what the tests start ends with them.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${LOADER}`].filter(Boolean).join(" "),
      [MUTANT_URL]: url,
      [MUTANT_CODE]: code,
    },
  });
  running.add(child);
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  return new Promise((resolve, reject) => {
    let outcome: TestEnd["outcome"] | undefined;
    const timer = setTimeout(() => {
      outcome = "timed out";
      endGroup(child);
    }, limit);
    child.on("error", reject);
    child.on("exit", (status) => {
      clearTimeout(timer);
      running.delete(child);
      endGroup(child);
      resolve({ outcome: outcome ?? (status === 0 ? "passed" : "failed"), output });
    });
  });
}

/** Ends every run at once, when the whole is interrupted. */
export function endTests(): void {
  for (const child of running) endGroup(child);
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}
