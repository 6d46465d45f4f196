import { spawn } from "node:child_process";
import { once } from "node:events";

/** Milliseconds for one program, where nobody says otherwise: an install over a slow network takes minutes, what hangs takes for ever. */
const LIMIT = 300_000;

/** A program that ended with another code than 0, or did not end in time; the message has what it printed. */
export class ProgramFailed extends Error {}

/**
 * A program's output, of both its streams. What it started ends with it. Without what npm tells its children: `npm run` would
 * otherwise decide for them about workspaces, registries and scripts.
 *
 * @throws ProgramFailed
 */
export async function run(
  program: string,
  args: readonly string[],
  {
    cwd,
    env,
    limit = LIMIT,
  }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>>; readonly limit?: number },
): Promise<string> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_|^(NODE_OPTIONS|CI|INIT_CWD)$/i.test(name));
  const child = spawn(program, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own, so that what it started can be ended with it
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const timer = setTimeout(() => endGroup(child.pid), limit);
  try {
    const [code] = await once(child, "close");
    if (code === 0) return said;
    const how = code === null ? `did not end within ${limit / 1000} s` : `ended with ${code}`;
    throw new ProgramFailed(`${program} ${args.join(" ")} ${how}.\n${said.trim()}`);
  } finally {
    clearTimeout(timer);
    endGroup(child.pid);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}
