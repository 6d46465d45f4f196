import { randomUUID } from "node:crypto";
import { link, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
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
 * Keeps a transfer, or another work that is resumed, to one process (G8, G9), also behind one that was killed: Node has no locks that end with the process.
 *
 * Locks are numbered. Whoever finds the holders of all that there are gone makes the next one, which only one can: no lock is
 * ever replaced, or taken away from under somebody who has just made it.
 */
export class ProcessLock {
  readonly #folder: string;
  readonly #stem: string;
  readonly #number: number;

  private constructor(folder: string, stem: string, number: number) {
    this.#folder = folder;
    this.#stem = stem;
    this.#number = number;
  }

  /**
   * What is guarded has to be read, or read again, after this.
   *
   * @param stem what the names of its locks begin with; of each that shares the folder, another one
   * @param what what is guarded, for the error
   * @throws S3EncryptionError `transfer-in-use` while another process has it, or may have it
   */
  static async acquire(folder: string, stem = "", what = "this transfer"): Promise<ProcessLock> {
    const holder = await thisProcess();
    const made = join(folder, `${stem}lock-${randomUUID()}`);
    await writeFile(made, JSON.stringify({ ...holder, id: randomUUID() }), { flag: "wx", mode: 0o600 });
    try {
      for (;;) {
        const found = await locksIn(folder, stem);
        for (const { path, text } of found) assertGone(await stateOf(text, holder), path, what);
        const last = found.at(-1);
        const lock = new ProcessLock(folder, stem, (last?.number ?? 0) + 1);
        if (!(await isLinked(made, lock.#path))) continue;
        // Whoever looked long ago may have made one that was passed by meanwhile, or behind one that is another by now.
        const [, before] = (await locksIn(folder, stem)).reverse();
        if (before?.text === last?.text) return lock;
        await rm(lock.#path);
      }
    } finally {
      await rm(made, { force: true });
    }
  }

  /**
   * For the next process.
   *
   * @throws the file system's own errors
   */
  async release(): Promise<void> {
    // Those of processes that are gone; ours goes last: until then, nobody begins to count anew.
    for (const { number, path } of await locksIn(this.#folder, this.#stem)) {
      if (number < this.#number) await rm(path, { force: true });
    }
    await this.#removeUnfinished();
    await rm(this.#path, { force: true });
  }

  /** What processes have left that were killed on their way to a lock. */
  async #removeUnfinished(): Promise<void> {
    const us = await thisProcess();
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith(`${this.#stem}lock-`) || numberOf(name, this.#stem) !== undefined) continue;
      const path = join(this.#folder, name);
      const text = await textOf(path);
      if (text !== undefined && (await stateOf(text, us)).isGone) await rm(path, { force: true });
    }
  }

  get #path(): string {
    return join(this.#folder, `${this.#stem}lock-${this.#number}`);
  }
}

interface FoundLock {
  readonly number: number;
  readonly path: string;
  readonly text: string;
}

/** All that there are, in order. */
async function locksIn(folder: string, stem: string): Promise<FoundLock[]> {
  const found: FoundLock[] = [];
  for (const name of await readdir(folder)) {
    const number = numberOf(name, stem);
    if (number === undefined) continue;
    const path = join(folder, name);
    const text = await textOf(path);
    if (text !== undefined) found.push({ number, path, text });
  }
  return found.sort((a, b) => a.number - b.number);
}

function numberOf(name: string, stem: string): number | undefined {
  const number = name.startsWith(stem) ? /^lock-(\d{1,15})$/.exec(name.slice(stem.length))?.[1] : undefined;
  return number === undefined ? undefined : Number(number);
}

/** Undefined for one that was released meanwhile. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
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

interface HolderState {
  readonly isGone: boolean;
  /** Whether this system can tell. */
  readonly isHere: boolean;
  readonly holder: Holder | undefined;
}

async function stateOf(text: string, us: Holder): Promise<HolderState> {
  const holder = holderIn(text);
  // Cut short by a power failure, which no process outlived.
  if (holder === undefined) return { isGone: true, isHere: true, holder };
  const isHere =
    holder.boot === us.boot && holder.namespace === us.namespace && (us.boot !== "" || holder.host === us.host);
  const restarted = holder.host === us.host && holder.boot !== us.boot;
  return { isGone: restarted || (isHere && !(await isRunning(holder))), isHere, holder };
}

function assertGone({ isGone, isHere, holder }: HolderState, path: string, what: string): void {
  if (isGone || holder === undefined) return;
  throw new S3EncryptionError(
    "transfer-in-use",
    isHere
      ? `Process ${holder.pid} is at ${what}: wait for it, or end it.`
      : `Process ${holder.pid} of ${holder.host}, of which this system cannot tell whether it still runs, is at ${what}: wait for it, or end it and delete ${path}.`,
  );
}

function holderIn(text: string): Holder | undefined {
  try {
    const { host, boot, namespace, pid, started } = JSON.parse(text);
    return {
      host: String(host),
      boot: String(boot),
      namespace: String(namespace),
      pid: Number(pid),
      started: String(started),
    };
  } catch {
    return undefined;
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
