import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const MOST_MILLISECONDS = 150_000;

/** What an ES module printed that ran in a process of its own, with flags of Node's; rejects where it fails or hangs. */
export async function printedBy(code: string, flags: readonly string[] = []): Promise<string> {
  // In a file, since not every runtime takes a module on its command line, and where packages are found.
  const folder = await mkdtemp(fileURLToPath(new URL("program-", import.meta.url)));
  const file = join(folder, "program.mjs");
  try {
    await writeFile(file, code);
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, file], {
      timeout: MOST_MILLISECONDS,
      killSignal: "SIGKILL",
    });
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}
