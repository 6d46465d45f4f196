import { fsync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { promisify } from "node:util";

/** Resolves once what was written to a file is on the disk. `FileHandle.sync` is not there under Yarn's Plug'n'Play. */
export async function synced({ fd }: FileHandle): Promise<void> {
  await promisify(fsync)(fd);
}

/** The same of the names in a folder: a new one is on the disk when its folder is. Windows syncs none by itself. */
export async function syncedFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path);
  try {
    await synced(folder);
  } finally {
    await folder.close();
  }
}
