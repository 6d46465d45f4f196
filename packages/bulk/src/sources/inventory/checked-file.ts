import { createHash } from "node:crypto";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { writeAll } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import type { InventoryFile } from "./manifest.js";

/**
 * Gets one file of an inventory into a temporary one, which only its owner can read, and lends that once it has the checksum
 * of the manifest: no line of an altered file is ever acted on, and memory holds none of them.
 *
 * @throws S3EncryptionError `invalid-argument` where it is another file than the manifest says; S3's own errors
 */
export async function* checkedFile<T>(
  client: S3Client,
  Bucket: string,
  { key: Key, size, md5 }: InventoryFile,
  request: { readonly abortSignal?: AbortSignal },
  read: (file: FileHandle, size: number) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const folder = await mkdtemp(join(tmpdir(), "s3ec-inventory-"));
  let file: FileHandle | undefined;
  try {
    file = await open(join(folder, "file"), "wx+", 0o600);
    // Where a file that is open can be removed, nothing is left by a process that is killed.
    await rm(folder, { recursive: true, force: true }).catch(() => {});
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }), request);
    const hash = createHash("md5");
    let length = 0;
    for await (const chunk of Body as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      await writeAll(file, [chunk], length);
      length += chunk.length;
    }
    if (length !== size || hash.digest("hex") !== md5) {
      throw new S3EncryptionError(
        "invalid-argument",
        `The inventory's file ${JSON.stringify(Key)} does not have the size and checksum that its manifest says: get it anew.`,
      );
    }
    yield* read(file, size);
  } finally {
    await file?.close();
    await rm(folder, { recursive: true, force: true });
  }
}
