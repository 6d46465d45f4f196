import { fsync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";

/** Resolves once what was written to a file is on the disk. `FileHandle.sync` is not there under Yarn's Plug'n'Play. */
export async function synced({ fd }: FileHandle): Promise<void> {
  await promisify(fsync)(fd);
}
