import type { Stats } from "node:fs";
import { type FileHandle, mkdtemp, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { GatheringWriter } from "./gathering-writer.js";

/**
 * Writes a file that appears under its name only when all of it is there: it grows in a private folder beside it, is
 * synced, and is renamed; of a link, the file that it points at is replaced. Whatever the chunks end in, an error leaves
 * the name as it was and nothing else behind. Whoever could not read the file that was there cannot read the new one; where
 * there was none, it gets the permissions that any new file would have.
 */
export async function writeWholeFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const replaced = await statsOf(path);
  const target = await targetOf(path, replaced);
  // 0700, whatever the umask is.
  const folder = await mkdtemp(join(dirname(target), ".s3ec-"));
  try {
    const partial = join(folder, "partial");
    const file = await open(partial, "wx");
    try {
      if (replaced !== undefined) await keepPermissions(file, replaced);
      const writer = new GatheringWriter(file);
      try {
        for await (const chunk of chunks) await writer.write(chunk);
      } finally {
        await writer.end();
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Renaming would put a file in the place of a device, which then is gone for everybody. */
async function targetOf(path: string, there: Stats | undefined): Promise<string> {
  if (there === undefined) return path;
  if (there.isFile()) return await realpath(path);
  throw new S3EncryptionError("invalid-argument", `${path} is a folder, a device or a pipe: name a file.`);
}

/** Those of the file that is replaced, and its owner and group where we may give files away. */
async function keepPermissions(file: FileHandle, { mode, uid, gid }: Stats): Promise<void> {
  const everyone = mode & 0o007;
  const sameGroup = await file.chown(uid, gid).then(
    () => true,
    async () => (await file.stat()).gid === gid,
  );
  // What the group could do says nothing about another group, which is given what everyone has.
  await file.chmod(sameGroup ? mode & 0o777 : (mode & 0o700) | (everyone << 3) | everyone);
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
}
