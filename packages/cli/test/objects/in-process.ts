import { Readable } from "node:stream";
import { run } from "@s3ec/cli";
import type { Outcome } from "../command.js";

// As the command's own script does.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

let isRunning = false;

/**
 * Runs a command line in this process, in a folder and with nothing on standard input, and takes what it prints: a process of its
 * own costs half a second.
 * A test takes that (`s3ec`, `start`) where the process itself is tested: standard input, signals, its end and its exit code.
 */
export async function inProcess(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Outcome> {
  // Two would share a folder and take each other's output.
  if (isRunning) throw new Error("A command runs in this process already: await it, or start one in a process.");
  isRunning = true;
  const texts = { stdout: "", stderr: "" };
  const before = { folder: process.cwd(), env: Object.keys(env).map((name) => [name, process.env[name]] as const) };
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ["stdout", "stderr"] as const) {
    process[name].write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      texts[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
      const done = rest.at(-1);
      if (typeof done === "function") done();
      return true;
    }) as typeof process.stdout.write;
  }
  const stdin = Object.getOwnPropertyDescriptor(process, "stdin") ?? {};
  Object.defineProperty(process, "stdin", { configurable: true, enumerable: true, value: Readable.from([]) });
  process.chdir(folder);
  setVariables(Object.entries(env));
  try {
    return { code: await run(args), ...texts };
  } finally {
    setVariables(before.env);
    process.chdir(before.folder);
    Object.defineProperty(process, "stdin", stdin);
    process.stdout.write = writes.stdout;
    process.stderr.write = writes.stderr;
    isRunning = false;
  }
}

function setVariables(values: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of values) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
