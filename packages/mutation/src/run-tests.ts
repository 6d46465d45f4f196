import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MUTANT_CODE, MUTANT_URL } from "./mutant-variables.js";
import type { TestOrder, TestReport } from "./test-process.js";

const TESTS = fileURLToPath(new URL("test-process.js", import.meta.url));
const LOADER = new URL("load-mutant.js", import.meta.url).href;

/** One run of some test files, over one altered file or none. */
export interface TestRun extends TestOrder {
  /** URL of a built file, and the JavaScript that stands in for it. */
  readonly altered?: { readonly url: string; readonly code: string };
  /** Directory that they run in. */
  readonly root: string;
  /** Milliseconds after which the run is ended. */
  readonly limit: number;
}

export interface TestEnd extends TestReport {
  readonly outcome: "passed" | "failed" | "timed out";
  /** What mocha said, for a run that should have passed. */
  readonly output: string;
}

const running = new Set<ChildProcess>();

/** Runs the tests in a process of their own, until the first failure. */
export async function runTests({ altered, root, ...order }: TestRun): Promise<TestEnd> {
  const child = spawn(process.execPath, [TESTS], {
    cwd: root,
    // A group of its own, so that what the tests start ends with them.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: altered === undefined ? process.env : withAltered(altered),
  });
  running.add(child);
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  let report: TestReport = {};
  child.on("message", (message) => {
    report = message as TestReport;
  });
  // What a mutant ends before it is told anything has failed, by its status.
  child.send(order, () => {});
  return new Promise((resolve, reject) => {
    let outcome: TestEnd["outcome"] | undefined;
    const timer = setTimeout(() => {
      outcome = "timed out";
      endGroup(child);
    }, order.limit);
    child.on("error", reject);
    child.on("exit", (status) => {
      clearTimeout(timer);
      running.delete(child);
      endGroup(child);
      resolve({ ...report, outcome: outcome ?? (status === 0 ? "passed" : "failed"), output });
    });
  });
}

function withAltered({ url, code }: { readonly url: string; readonly code: string }): NodeJS.ProcessEnv {
  const options = [process.env.NODE_OPTIONS, `--import=${LOADER}`].filter(Boolean).join(" ");
  return { ...process.env, NODE_OPTIONS: options, [MUTANT_URL]: url, [MUTANT_CODE]: code };
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
