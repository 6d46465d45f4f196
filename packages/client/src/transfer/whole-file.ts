import type { Stats } from "node:fs";
import { mkdtemp, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { S3EncryptionError } from "@s3ec/materials";
import { GatheringWriter } from "./gathering-writer.js";

/**
 * Writes a file that appears under its name only when all of it is there: it grows in a private folder beside it, is
 * synced, and is renamed; of a link, the file that it points at is replaced. Whatever the chunks end in, an error leaves
 * the name as it was and nothing else behind. It gets the permissions that any new file would have.
 */
export async function writeWholeFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const target = await targetOf(path);
  // 0700, whatever the umask is.
  const folder = await mkdtemp(join(dirname(target), ".s3ec-"));
  try {
    const partial = join(folder, "partial");
    const file = await open(partial, "wx");
    try {
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
async function targetOf(path: string): Promise<string> {
  const there = await statsOf(path);
  if (there === undefined) return path;
  if (there.isFile()) return await realpath(path);
  throw new S3EncryptionError("invalid-argument", `${path} is a folder, a device or a pipe: name a file.`);
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
