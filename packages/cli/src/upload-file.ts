import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedUpload, type S3EncryptionClient } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import type { TransferOptions } from "./download-file.js";
import type { ObjectAddress } from "./object-address.js";

/** Bytes above which a file goes up in parts, each of which is retried on its own; a stream is sent only once. */
const SINGLE_PUT = 64 * 1024 * 1024;

/** Encrypts a file into an object, in one pass. Returns the plaintext's bytes. */
export async function uploadFile(
  client: S3EncryptionClient,
  path: string,
  address: ObjectAddress,
  { call, signal, onProgress }: TransferOptions,
): Promise<number> {
  const file = await open(path, "r");
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new S3EncryptionError("invalid-argument", `${path} is not a file.`);
    const Body = Readable.from(
      piecesOf(file, (done) => onProgress(done, stats.size)),
      { objectMode: false },
    );
    const params = { ...address, Body, ContentLength: stats.size };
    if (stats.size <= SINGLE_PUT) {
      await client.send(new PutObjectCommand(params), { ...call, abortSignal: signal });
    } else {
      const upload = new EncryptedUpload({ client, params, ...call });
      signal.addEventListener("abort", () => void upload.abort(), { once: true });
      await upload.done();
    }
    return stats.size;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await file.close();
  }
}

// Larger than a stream's default, which halves the speed of a put.
const PIECE = 256 * 1024;

async function* piecesOf(file: FileHandle, onProgress: (done: number) => void): AsyncGenerator<Uint8Array> {
  for (let done = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, done);
    if (bytesRead === 0) return;
    done += bytesRead;
    onProgress(done);
    yield buffer.subarray(0, bytesRead);
  }
}
