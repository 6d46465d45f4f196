import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { syncedFolder } from "@s3ec/client";
import { isError } from "@s3ec/materials";

/** What is said of a folder that may not be read, or by a file system that does not sync folders. */
const CANNOT: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "EROFS", "EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** The names of one run's files, on the disk: without its name, a file that is there is lost when the power fails. */
export class DurableNames {
  /** Folders whose own names are there, or going to be. */
  readonly #folders = new Map<string, Promise<void>>();

  /** Resolves once a file's name is on the disk, and those of the folders around it, which may have been made for it. */
  async sync(path: string): Promise<void> {
    const folder = dirname(await realpath(path));
    await Promise.all([synced(folder), this.#named(folder)]);
  }

  #named(folder: string): Promise<void> {
    const around = dirname(folder);
    if (around === folder) return Promise.resolve();
    const known = this.#folders.get(folder) ?? Promise.all([synced(around), this.#named(around)]).then(() => {});
    this.#folders.set(folder, known);
    return known;
  }
}

async function synced(folder: string): Promise<void> {
  try {
    await syncedFolder(folder);
  } catch (error) {
    if (!isError(error) || !CANNOT.has(error.code)) throw error;
  }
}
