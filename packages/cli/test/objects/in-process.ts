import { run } from "@s3ec/cli";
import type { Outcome } from "../command.js";

// As the command's own script does.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

/** Runs a command line in this process, in a folder, and takes what it prints: a process of its own costs half a second. */
export async function inProcess(args: readonly string[], folder: string): Promise<Outcome> {
  const texts = { stdout: "", stderr: "" };
  const before = process.cwd();
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ["stdout", "stderr"] as const) {
    process[name].write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      texts[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
      const done = rest.at(-1);
      if (typeof done === "function") done();
      return true;
    }) as typeof process.stdout.write;
  }
  process.chdir(folder);
  try {
    return { code: await run(args), ...texts };
  } finally {
    process.chdir(before);
    process.stdout.write = writes.stdout;
    process.stderr.write = writes.stderr;
  }
}
