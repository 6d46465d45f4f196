import { lstat, mkdtemp, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { NOTHING } from "../streams.js";
import { ProcessLock } from "./process-lock.js";

/** As `mkdtemp` makes it: those of resumed downloads have other names. */
const NAME = /^\.s3ec-[a-z0-9]{6}$/i;
const PREFIX = ".s3ec-";
const PARTIAL = "partial";

/** Folders whose leftovers were looked for. */
const swept = new Set<string>();

/** A folder that only its owner can enter, in which a file grows that nothing proves yet; it goes with its process. */
export class PrivateFolder {
  /** Of the file that grows. */
  readonly partial: string;
  readonly #path: string;
  readonly #lock: ProcessLock | undefined;

  private constructor(path: string, lock: ProcessLock | undefined) {
    this.#path = path;
    this.#lock = lock;
    this.partial = join(path, PARTIAL);
  }

  /**
   * Removes those first that processes have left here which were killed.
   * @throws the file system's own errors
   */
  static async make(beside: string): Promise<PrivateFolder> {
    if (!swept.has(beside)) {
      swept.add(beside);
      // Nobody who downloads has to wait for it, nor for a disk that fails.
      await sweep(beside).catch(NOTHING);
    }
    // 0700, whatever the umask is.
    const path = await mkdtemp(join(beside, PREFIX));
    // Where no lock can be made, as without hard links, it is left to whoever finds it.
    return new PrivateFolder(path, await ProcessLock.acquire(path).catch(() => undefined));
  }

  /** As far as that can be. */
  async remove(): Promise<void> {
    await removeAll(this.#path, this.#lock);
  }
}

/** Only what is in such a folder by name: whoever may rename folders around it could put another one in its place. */
async function removeAll(path: string, lock: ProcessLock | undefined): Promise<void> {
  await rm(join(path, PARTIAL), { force: true }).catch(NOTHING);
  // Last, so that nobody takes it for left behind while there is something in it.
  await lock?.release();
  await rmdir(path).catch(NOTHING);
}

/** Those that are ours alone and have a lock, whose process is proven to have ended; what has none may just be made. */
async function sweep(beside: string): Promise<void> {
  const uid = process.geteuid?.();
  if (uid === undefined) return;
  for (const name of await readdir(beside)) {
    if (!NAME.test(name)) continue;
    const path = join(beside, name);
    await sweepOne(path, uid).catch(NOTHING);
  }
}

async function sweepOne(path: string, uid: number): Promise<void> {
  const stats = await lstat(path);
  if (!stats.isDirectory() || stats.uid !== uid || (stats.mode & 0o777) !== 0o700) return;
  if (!(await readdir(path)).some((file) => /^lock-\d+$/.test(file))) return;
  // It is not to be had while its process may run.
  await removeAll(path, await ProcessLock.acquire(path));
}
