import { execFile } from "node:child_process";
import { isError } from "@s3ec/materials";
import { KeyProblem } from "./key-problem.js";
import type { CommandSource } from "./key-source.js";
import type { SourceOptions } from "./source-options.js";

/** A source that waits for another program does not wait longer. */
export const TIME_LIMIT_MS = 30_000;

/** What the program prints. It goes through no shell; what it says on standard error is not told, since it may hold the key. */
export async function commandOutput(
  { command, timeoutMs = TIME_LIMIT_MS }: CommandSource,
  { allowCommands = false, folder = ".", env = process.env }: SourceOptions,
): Promise<Buffer> {
  if (!allowCommands) {
    throw new KeyProblem(
      "commands are run only where the caller allows it, with the option allowCommands (s3ec --allow-commands)",
    );
  }
  const [program, ...args] = Array.isArray(command) ? command : [];
  if (!command.every((word) => typeof word === "string") || program === undefined || program === "") {
    throw new KeyProblem("expected the command as an array of its program and arguments");
  }
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { cwd: folder, env, encoding: "buffer", timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 16 * 1024 * 1024 },
      (error, output) => {
        if (error !== null) reject(new KeyProblem(failure(error, timeoutMs)));
        else if (output.length === 0) reject(new KeyProblem("the command named here printed nothing"));
        else resolve(output);
      },
    );
    // A program that waits for input gets none; one that is gone before does not matter.
    child.stdin?.on("error", () => {}).end();
  });
}

function failure(error: unknown, timeoutMs: number): string {
  const { code, killed } = isError(error) ? (error as Error & { code?: unknown; killed?: unknown }) : {};
  if (code === "ENOENT") return "the program of the command named here is not found";
  if (code === "EACCES") return "the program of the command named here may not be run";
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return "the command named here printed more than a key";
  if (killed === true) return `the command named here did not end within ${timeoutMs} ms`;
  return `the command named here failed${typeof code === "number" ? ` with exit code ${code}` : ""}`;
}
