import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { NOTHING } from "../streams.js";
import { inFolder } from "./file-errors.js";
import { assertRoom, withFullDiskNamed } from "./free-space.js";
import { GatheringWriter } from "./gathering-writer.js";
import { PrivateFolder } from "./private-folder.js";
import { synced } from "./synced.js";

/** What writes a file, and as far as known how long that gets. */
export interface FileContent {
  /** Bytes, so that what cannot fit is refused before anything is written. Undefined where that is not known. */
  readonly length: number | undefined;
  /** Whether nothing is written that is not proven. */
  readonly isProven: boolean;
  /** Resolves once everything is written and proven, and settles when nothing of it goes on any more. */
  readonly writeTo: (file: FileHandle) => Promise<void>;
}

/**
 * Writes a file that appears under its name only when all of it is there: it grows beside it, is synced, and is renamed; of
 * a link, the file that it points at is replaced. What is not proven yet grows in a private folder. Whatever the content
 * ends in, an error leaves the name as it was and nothing else behind. Whoever could not read the file that was there cannot
 * read the new one; where there was none, it gets the permissions that any new file would have.
 *
 * @throws S3EncryptionError `content-too-large` where there is no room for it; `invalid-argument` where the file cannot be made
 */
export async function writeWholeFile(path: string, content: FileContent): Promise<void> {
  const { target, replaced } = await inFolder(dirname(resolve(path)), () => targetOf(resolve(path)), {
    path: resolve(path),
  });
  const beside = dirname(target);
  if (content.isProven) {
    const partial = join(beside, `.s3ec-${randomUUID()}`);
    try {
      await writePartial(partial, content, { replaced, target });
      await inFolder(beside, () => rename(partial, target), { path: target });
    } catch (error) {
      await rm(partial, { force: true }).catch(NOTHING);
      throw error;
    }
    return;
  }
  if (content.length !== undefined) await assertRoom(beside, content.length);
  const folder = await inFolder(beside, () => PrivateFolder.make(beside), { path: target });
  try {
    await writePartial(folder.partial, content, { replaced, target });
    await inFolder(beside, () => rename(folder.partial, target), { path: target });
  } finally {
    await folder.remove();
  }
}

async function writePartial(
  path: string,
  { writeTo }: FileContent,
  { replaced, target }: { readonly replaced: Stats | undefined; readonly target: string },
): Promise<void> {
  const beside = dirname(target);
  const mode = replaced === undefined ? 0o666 : 0o600;
  const file = await inFolder(beside, () => open(path, "wx", mode), { path: target });
  try {
    if (replaced !== undefined) await keepPermissions(file, replaced);
    await withFullDiskNamed(beside, async () => {
      await writeTo(file);
      await synced(file);
    });
  } finally {
    await file.close();
  }
}

/** Chunks that nobody changes any more, one behind the other. */
export async function appendAll(file: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const writer = new GatheringWriter(file);
  try {
    for await (const chunk of chunks) await writer.write(chunk);
  } finally {
    await writer.end();
  }
}

/** Which file a path is of, and what is there; renaming would put a file in the place of a device, which then is gone for everybody. */
export async function targetOf(
  path: string,
): Promise<{ readonly target: string; readonly replaced: Stats | undefined }> {
  const replaced = await statsOf(path);
  if (replaced === undefined) return { target: path, replaced };
  if (replaced.isFile()) return { target: await realpath(path), replaced };
  throw new S3EncryptionError("invalid-argument", `${path} is a folder, a device or a pipe: name a file.`);
}

/** Those of the file that is replaced, and its owner and group where we may give files away. */
export async function keepPermissions(file: FileHandle, { mode, uid, gid }: Stats): Promise<void> {
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
