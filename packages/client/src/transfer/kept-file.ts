import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { S3EncryptionError } from "@s3ec/materials";
import { assertRoom, withFullDiskNamed } from "./free-space.js";
import { KeptFolder } from "./kept-folder.js";
import { synced } from "./synced.js";
import { keepPermissions, statsOf, targetOf } from "./whole-file.js";

/** What writes a file that may wait half written. */
export interface KeptContent {
  readonly length: number;
  /**
   * Resolves once everything is written and proven, and settles when nothing of it goes on any more. `isWorthKeeping` says
   * then whether another process could go on with it.
   */
  readonly writeTo: (folder: KeptFolder) => Promise<void>;
  readonly isWorthKeeping: () => boolean;
}

/**
 * As `writeWholeFile`, but for what an error leaves: what has been written stays in its private folder, without its name,
 * until it is resumed, unless it turned out to be altered.
 *
 * @param onKept told which folder that is
 * @throws S3EncryptionError `transfer-in-use` while another process writes it, `content-too-large` where there is no room
 */
export async function writeKeptFile(
  path: string,
  content: KeptContent,
  onKept: (folder: string) => void,
): Promise<void> {
  const replaced = await statsOf(path);
  const target = await targetOf(path, replaced);
  const beside = dirname(target);
  const folder = await KeptFolder.open(target);
  const { plaintext } = folder;
  try {
    const { blocks } = await plaintext.stat();
    await assertRoom(beside, content.length - blocks * 512);
    await withFullDiskNamed(beside, async () => {
      await content.writeTo(folder);
      await synced(plaintext);
    });
    if (replaced === undefined) await plaintext.chmod(await modeOfNewFile(folder.path));
    else await keepPermissions(plaintext, replaced);
    await rename(folder.plaintextPath, target);
  } catch (error) {
    const isAltered = error instanceof S3EncryptionError && error.code === "decryption-failed";
    if (isAltered || !content.isWorthKeeping()) {
      await folder.remove();
    } else {
      onKept(folder.path);
      await folder.leave();
    }
    throw error;
  }
  await folder.remove();
}

/** What any new file would have, by the umask and what the folder hands down. */
async function modeOfNewFile(folder: string): Promise<number> {
  const path = join(folder, "new");
  await rm(path, { force: true });
  const file = await open(path, "wx");
  try {
    return (await file.stat()).mode & 0o777;
  } finally {
    await file.close();
    await rm(path);
  }
}
