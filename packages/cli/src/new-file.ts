import { access, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";

/** Never over another file: the key in it may be the only one that opens some objects. */
export async function writeNew(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  // Loaded for this: what writes no file starts without the client.
  const { synced } = await import("@s3ec/client");
  try {
    await using handle = await open(file, "wx", mode);
    try {
      await handle.writeFile(content);
      await synced(handle);
    } catch (error) {
      await unlink(file);
      throw error;
    }
  } catch (error) {
    if (isError(error) && error.code === "EEXIST") throw isThere(file);
    if (!isError(error) || error.code !== "ENOENT") throw error;
    throw new S3EncryptionError("invalid-argument", `There is no folder ${dirname(file)} for ${file}: make it first.`);
  }
}

/** For what is made before the file is written. */
export async function assertNew(file: string): Promise<void> {
  if (await exists(file)) throw isThere(file);
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function isThere(file: string): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    `${file} is there already, and nothing is ever written over another file. Name one that is not there.`,
  );
}
