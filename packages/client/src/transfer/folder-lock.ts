import { randomUUID } from "node:crypto";
import { link, readdir, readFile, readlink, rm, rmdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";

/** Which process holds a lock. */
interface Holder {
  /** Of the network; a container has its own. */
  readonly host: string;
  /** Changes whenever the machine starts. Empty where the system has none. */
  readonly boot: string;
  /** In which the process has its id: a container has its own. Empty where the system has none. */
  readonly namespace: string;
  readonly pid: number;
  /** When it started: ids are given again. Empty where the system does not tell. */
  readonly started: string;
}

/**
 * Keeps a folder to one process (G9), also behind one that was killed: Node has no locks that end with the process.
 *
 * Locks are numbered, and the highest one counts. Whoever finds its holder gone makes the next, which only one can: no
 * lock is ever replaced or taken away from under somebody who has just made it.
 */
export class FolderLock {
  readonly #folder: string;
  readonly #name: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  /** @throws S3EncryptionError `transfer-in-use` while another process has it, or may have it */
  static async acquire(folder: string): Promise<FolderLock> {
    const holder = await thisProcess();
    const made = join(folder, `.lock-${randomUUID()}`);
    await writeFile(made, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
    try {
      for (;;) {
        const highest = await highestIn(folder);
        if (highest > 0) await assertGone(join(folder, lockName(highest)), holder, folder);
        const name = lockName(highest + 1);
        if (!(await isLinked(made, join(folder, name)))) continue;
        // Whoever looked long ago may have made one that was passed by meanwhile.
        if ((await highestIn(folder)) === highest + 1) return new FolderLock(folder, name);
        await rm(join(folder, name));
      }
    } finally {
      await rm(made, { force: true });
    }
  }

  async release(): Promise<void> {
    await rm(join(this.#folder, this.#name), { force: true });
  }

  /** Deletes the folder: the lock last, so that nobody begins anew in what is being deleted. */
  async removeFolder(): Promise<void> {
    const others = (await readdir(this.#folder)).filter((name) => name !== this.#name);
    await Promise.all(others.map((name) => rm(join(this.#folder, name), { recursive: true, force: true })));
    await this.release();
    // Whoever waited for the lock may have it by now, and the folder with it.
    await rmdir(this.#folder).catch(() => {});
  }
}

const LOCK = /^lock-(\d+)$/;

function lockName(number: number): string {
  return `lock-${number}`;
}

async function highestIn(folder: string): Promise<number> {
  return Math.max(0, ...(await readdir(folder)).map((name) => Number(LOCK.exec(name)?.[1] ?? 0)));
}

/** A link appears with what is in it, and only where nothing is. */
async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isError(error) && error.code === "EEXIST") return false;
    throw error;
  }
}

async function assertGone(path: string, us: Holder, folder: string): Promise<void> {
  const holder = await holderOf(path);
  // Released meanwhile, or cut short by a power failure, which no process outlived.
  if (holder === undefined) return;
  const isHere =
    holder.boot === us.boot && holder.namespace === us.namespace && (us.boot !== "" || holder.host === us.host);
  const restarted = holder.host === us.host && holder.boot !== us.boot;
  if (restarted || (isHere && !(await isRunning(holder)))) return;
  throw new S3EncryptionError(
    "transfer-in-use",
    isHere
      ? `Process ${holder.pid} is at this transfer: wait for it, or end it.`
      : `Process ${holder.pid} of ${holder.host}, of which this system cannot tell whether it still runs, is at this transfer: wait for it, or end it and delete ${folder}.`,
  );
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    const { host, boot, namespace, pid, started } = JSON.parse(await readFile(path, "utf8"));
    return {
      host: String(host),
      boot: String(boot),
      namespace: String(namespace),
      pid: Number(pid),
      started: String(started),
    };
  } catch (error) {
    if (error instanceof SyntaxError || (isError(error) && error.code === "ENOENT")) return undefined;
    throw error;
  }
}

async function isRunning({ pid, started }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's runs, too.
    if (!isError(error) || error.code !== "EPERM") return false;
  }
  return (await startOf(pid)) === started;
}

async function thisProcess(): Promise<Holder> {
  const [boot, namespace, started] = await Promise.all([
    orEmpty(readFile("/proc/sys/kernel/random/boot_id", "utf8")),
    orEmpty(readlink("/proc/self/ns/pid")),
    startOf(process.pid),
  ]);
  return { host: hostname(), boot, namespace, pid: process.pid, started };
}

/** In ticks since the machine started: the 22nd field, behind a name that may hold anything. */
async function startOf(pid: number): Promise<string> {
  const stat = await orEmpty(readFile(`/proc/${pid}/stat`, "utf8"));
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

async function orEmpty(reading: Promise<string>): Promise<string> {
  return (await reading.catch(() => "")).trim();
}
