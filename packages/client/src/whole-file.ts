import { mkdtemp, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GatheringWriter } from "./gathering-writer.js";

/**
 * Writes a file that appears under its name only when all of it is there: it grows in a private folder beside it, is
 * synced, and is renamed. Whatever the chunks end in, an error leaves the name as it was and nothing else behind. It
 * gets the permissions that any new file would have.
 */
export async function writeWholeFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  // 0700, whatever the umask is.
  const folder = await mkdtemp(join(dirname(path), ".s3ec-"));
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
    await rename(partial, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
