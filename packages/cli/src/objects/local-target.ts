import { mkdir, realpath } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";
import type { LocalFile } from "./local-tree.js";

/**
 * The path below a folder that a key's name stands for. A key is whatever its writer chose: one that would lead out of the
 * folder, or to no file of its own, is refused.
 *
 * @param folder with a separator at its end
 * @throws S3EncryptionError `unsupported-operation`
 */
export function pathBelow(folder: string, name: string, platform: NodeJS.Platform = process.platform): string {
  const parts = name.split("/");
  const isNamed = parts.every((part) => part !== "" && part !== "." && part !== ".." && !part.includes("\0"));
  if (!isNamed || (platform === "win32" && !parts.every(isWindowsName))) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "Its key leads out of the folder, or to no file: get it by itself, under a name of yours.",
    );
  }
  return `${folder}${parts.join(platform === "win32" ? "\\" : "/")}`;
}

/** Neither a drive, a stream of a file or a device, nor what Windows would write differently. */
function isWindowsName(part: string): boolean {
  if (/[<>:"|?*\\]/.test(part) || /[ .]$/.test(part)) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what no name may hold
  if (/[\x01-\x1f]/.test(part)) return false;
  return !/^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i.test(part);
}

/**
 * Makes the folders that a file below `folder` is in; gives where it is, all links followed. A link on the way that leads out of it
 * is refused.
 *
 * @throws S3EncryptionError `unsupported-operation`
 */
export async function makeRoomFor(folder: string, path: string): Promise<string> {
  const parent = dirname(path);
  // All that is asked of the file system for most of many files.
  const [root = await madeFolder(folder), inside, there] = await Promise.all([folder, parent, path].map(placeOf));
  if (inside === undefined) assertInside(root, await nearestExisting(parent), path);
  const made = inside ?? (await madeFolder(parent));
  assertInside(root, made, path);
  if (there === undefined) return join(made, basename(path));
  assertInside(root, there, path);
  return there;
}

/**
 * For what is deleted below `folder`: a link on the way, wherever it leads, may lead to what is nobody's to delete.
 *
 * @throws S3EncryptionError `unsupported-operation`
 */
export async function assertBehindNoLink(
  folder: string,
  { name, path }: Pick<LocalFile, "name" | "path">,
): Promise<void> {
  const root = await realpath(folder);
  if ((await realpath(dirname(path))) === join(root, dirname(name))) return;
  throw new S3EncryptionError("unsupported-operation", "It is behind a link to a folder: delete it there.");
}

/** Undefined for what is not there, or cannot be looked at, as whoever makes or opens it is told. */
function placeOf(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}

async function madeFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return await realpath(folder);
}

async function nearestExisting(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    if (!isError(error) || error.code !== "ENOENT" || dirname(folder) === folder) throw error;
    return await nearestExisting(dirname(folder));
  }
}

function assertInside(root: string, place: string, path: string): void {
  const isInside = place === root || `${place}${sep}`.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
  if (isInside) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `A link on the way to ${JSON.stringify(path)} leads out of the folder: nothing was written through it.`,
  );
}
