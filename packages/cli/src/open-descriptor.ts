import { readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";

export const STANDARD_INPUT = 0;
export const STANDARD_OUTPUT = 1;

/** More links than a system follows, so that a circle of them ends. */
const MAX_LINKS = 64;

/**
 * The number of the already open file that a path stands for: `-`, `/dev/stdout`, `/dev/fd/3`, or a link to one of them;
 * undefined for a path that has to be opened. Opening such a path by its name could replace what a shell redirected to.
 *
 * @param dash what `-` stands for
 */
export async function openDescriptorOf(path: string, dash: number): Promise<number | undefined> {
  if (path === "-") return dash;
  let at = resolve(path);
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const folder = await realpath(dirname(at)).catch(() => dirname(at));
    const place = join(folder, basename(at));
    const [, pid, number] = /^(?:\/dev|\/proc\/(\d+)(?:\/task\/\d+)?)\/fd\/(\d+)$/.exec(place) ?? [];
    if (number !== undefined && (pid === undefined || Number(pid) === process.pid)) return Number(number);
    const target = await readlink(place).catch(() => undefined);
    if (target === undefined) return undefined;
    at = resolve(folder, target);
  }
  return undefined;
}
