import { statfs } from "node:fs/promises";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { inFolder } from "./file-errors.js";

/** Of Linux's `statfs`: file systems that store less than what is written, so that more fits than is free. */
const COMPRESSING: ReadonlySet<number> = new Set([0x9123683e, 0x2fc12fc1, 0xf2f52010]);

/**
 * Refuses what cannot fit, where the file system tells: before anything is fetched.
 * @throws S3EncryptionError `content-too-large`; `invalid-argument` where there is no such folder
 */
export async function assertRoom(folder: string, length: number): Promise<void> {
  const { type, bsize, blocks, bfree } = await inFolder(folder, () => statfs(folder));
  // Some that are not on a disk of their own, such as those of networks, know nothing and say 0.
  if (blocks === 0 || COMPRESSING.has(type)) return;
  const free = bsize * bfree;
  if (length <= free) return;
  throw new S3EncryptionError(
    "content-too-large",
    `The object's ${length} bytes do not fit into the file system of ${folder}, where ${free} are free: make room, or name another folder.`,
    { cause: Object.assign(new Error("statfs says so."), { code: "ENOSPC" }) },
  );
}

/** Says of a disk that gets full meanwhile which one it is. */
export async function withFullDiskNamed<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isError(error) || (error.code !== "ENOSPC" && error.code !== "EDQUOT")) throw error;
    throw new S3EncryptionError(
      "content-too-large",
      `The object does not fit into the file system of ${folder}, which is full: make room, or name another folder.`,
      { cause: error },
    );
  }
}
