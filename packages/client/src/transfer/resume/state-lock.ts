import { type FileHandle, open, readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";

/** Who holds a lock. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process began, as the system counts it; empty where it does not say. */
  readonly began: string;
}

/**
 * One process at a time, for as long as it lives (G8). Files cannot be taken over from a process that was killed without a
 * moment in which two take it: so each holder makes a file of its own, numbered one higher than the last, which only one can.
 * All of them go when the upload is over.
 */
export class StateLock {
  readonly #path: string;
  readonly #number: number;

  private constructor(path: string, number: number) {
    this.#path = path;
    this.#number = number;
  }

  /**
   * What is guarded has to be read again after this.
   * @throws S3EncryptionError `unsupported-operation` while another process holds it
   */
  static async take(path: string): Promise<StateLock> {
    const numbers = await numbersAt(path);
    const last = numbers.at(-1) ?? 0;
    if (last > 0 && (await isHeld(lockAt(path, last)))) throw held(path, last);
    let file: FileHandle;
    try {
      file = await open(lockAt(path, last + 1), "wx", 0o600);
    } catch (error) {
      if (isError(error) && error.code === "EEXIST") throw held(path, last + 1);
      throw error;
    }
    try {
      const holder: Holder = { host: hostname(), pid: process.pid, began: await beginningOf(process.pid) };
      await file.writeFile(JSON.stringify(holder));
    } finally {
      await file.close();
    }
    return new StateLock(path, last + 1);
  }

  /** For the next process; whether or not there is anything to go on with. */
  async release(): Promise<void> {
    // Ours is the last one to go: until then, nobody can begin to count anew.
    for (const number of await numbersAt(this.#path)) {
      if (number < this.#number) await rm(lockAt(this.#path, number), { force: true });
    }
    await rm(lockAt(this.#path, this.#number), { force: true });
  }
}

function lockAt(path: string, number: number): string {
  return `${path}.lock-${number}`;
}

async function numbersAt(path: string): Promise<number[]> {
  const prefix = `${basename(path)}.lock-`;
  const names = (await readdir(dirname(path))).filter((name) => name.startsWith(prefix));
  const numbers = names
    .map((name) => Number(name.slice(prefix.length)))
    .filter((number) => Number.isSafeInteger(number));
  return numbers.sort((a, b) => a - b);
}

/** One that cannot be read is of a process that has just made it, or of another machine: it is not ours to take. */
async function isHeld(path: string): Promise<boolean> {
  try {
    const { host, pid, began }: Holder = JSON.parse(await readFile(path, "utf8"));
    if (host !== hostname()) return true;
    process.kill(pid, 0);
    return began === "" || began === (await beginningOf(pid));
  } catch (error) {
    return !(isError(error) && (error.code === "ESRCH" || error.code === "ENOENT"));
  }
}

/** Tells a process from a later one that was given its number. */
async function beginningOf(pid: number): Promise<string> {
  try {
    const status = await readFile(join("/proc", String(pid), "stat"), "latin1");
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "latin1");
    // The name of the program, in brackets, may hold anything.
    return `${boot.trim()}:${status.slice(status.lastIndexOf(")") + 2).split(" ")[19] ?? ""}`;
  } catch {
    return "";
  }
}

function held(path: string, number: number): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    `Another process is at work on the upload of ${path}. If there is none, also not on another machine, delete ${lockAt(path, number)}.`,
  );
}
