import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { S3EncryptionError } from "@s3ec/materials";
import { NOTHING } from "../streams.js";
import { inFolder } from "./file-errors.js";
import { assertRoom, withFullDiskNamed } from "./free-space.js";
import { KeptFolder, NEW } from "./kept-folder.js";
import { synced } from "./synced.js";
import { keepPermissions, targetOf } from "./whole-file.js";

/** What writes a file that may wait half written. */
export interface KeptContent {
  readonly length: number;
  /** Resolves once everything is written and proven, and settles when nothing of it goes on any more. */
  readonly writeTo: (folder: KeptFolder) => Promise<void>;
  /** Whether there is nothing that another process could go on with; undefined while that was not looked at. */
  readonly isEmpty: () => boolean | undefined;
}

/**
 * As `writeWholeFile`, but for what an error leaves: what has been written stays in its private folder, without its name,
 * until it is resumed, unless it turned out to be altered.
 *
 * @param onKept told which folder that is
 * @throws S3EncryptionError `transfer-in-use` while another process writes it, `content-too-large` where there is no room,
 *   `invalid-argument` where the file cannot be made
 */
export async function writeKeptFile(
  path: string,
  content: KeptContent,
  { onKept, signal }: { readonly onKept: (folder: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { target, replaced } = await inFolder(dirname(path), () => targetOf(path), { path });
  const beside = dirname(target);
  const folder = await KeptFolder.open(target, signal);
  const { plaintext } = folder;
  try {
    const { blocks } = await plaintext.stat();
    await assertRoom(beside, content.length - blocks * 512);
    await withFullDiskNamed(beside, async () => {
      await content.writeTo(folder);
      await synced(plaintext);
    });
    if ((await plaintext.stat()).nlink === 0) throw deleted(folder.path);
    const naming = async (): Promise<void> => {
      if (replaced === undefined) await plaintext.chmod(await modeOfNewFile(folder.path));
      else await keepPermissions(plaintext, replaced);
      await rename(folder.plaintextPath, target);
    };
    await inFolder(beside, naming, { path: target });
  } catch (error) {
    if (await isOfNoUse(error, folder, content)) {
      await folder.remove();
    } else {
      onKept(folder.path);
      // It may have the permissions of the target by now, with which nobody would take it up.
      await plaintext.chmod(0o600).catch(NOTHING);
      await folder.leave();
    }
    throw error;
  }
  await folder.remove();
}

/** What was altered, and what is known to be nothing: all else waits for another process. */
async function isOfNoUse(error: unknown, { journal }: KeptFolder, content: KeptContent): Promise<boolean> {
  if (error instanceof S3EncryptionError && error.code === "decryption-failed") return true;
  const { size, nlink } = await journal.stat();
  return nlink === 0 || (content.isEmpty() ?? size === 0);
}

function deleted(folder: string): S3EncryptionError {
  return new S3EncryptionError(
    "transfer-in-use",
    `Somebody has deleted ${folder} while the download went on in it: begin it again.`,
  );
}

/** What any new file would have, by the umask and what the folder hands down. */
async function modeOfNewFile(folder: string): Promise<number> {
  const path = join(folder, NEW);
  await rm(path, { force: true });
  const file = await open(path, "wx");
  try {
    return (await file.stat()).mode & 0o777;
  } finally {
    await file.close();
    await rm(path);
  }
}
