import { execFile } from "node:child_process";
import { promisify } from "node:util";

const MOST_MILLISECONDS = 150_000;

/** What an ES module printed that ran in a process of its own, with flags of Node's; rejects where it fails or hangs. */
export async function printedBy(code: string, flags: readonly string[] = []): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "--input-type=module", "--eval", code], {
    timeout: MOST_MILLISECONDS,
    killSignal: "SIGKILL",
  });
  return stdout;
}
