import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedUpload, type S3EncryptionClient } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import type { ByteSource } from "./byte-source.js";
import type { TransferOptions } from "./download.js";
import type { ObjectAddress } from "./object-address.js";

/** Bytes above which a file goes up in parts, each of which is retried on its own; a stream is sent only once. */
const SINGLE_PUT = 64 * 1024 * 1024;

/** Encrypts a file or a stream into an object. Returns the plaintext's bytes. */
export async function upload(
  client: S3EncryptionClient,
  source: ByteSource,
  address: ObjectAddress,
  options: TransferOptions & { readonly resume?: boolean },
): Promise<number> {
  const { call, signal, onProgress, resume = false } = options;
  if ("stream" in source && resume) {
    source.stream.destroy();
    throw new S3EncryptionError("invalid-argument", "Only the upload of a file can be resumed, not of a stream.");
  }
  if ("file" in source && (resume || source.size > SINGLE_PUT)) {
    await source.file.close();
    return await uploadFile(client, source, address, options);
  }
  const size = "file" in source ? source.size : undefined;
  let read = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of "file" in source ? piecesOf(source.file) : source.stream) {
      read += piece.length;
      onProgress(read, size);
      yield piece;
    }
  };
  const Body = Readable.from(counted(), { objectMode: false });
  const params = { ...address, Body, ...(size === undefined ? {} : { ContentLength: size }) };
  signal.throwIfAborted();
  try {
    if (size !== undefined && size <= SINGLE_PUT) {
      await client.send(new PutObjectCommand(params), { ...call, abortSignal: signal });
    } else {
      const transfer = new EncryptedUpload({ client, params, ...call });
      signal.addEventListener("abort", () => void transfer.abort(), { once: true });
      await transfer.done();
    }
    return read;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    if ("file" in source) await source.file.close();
    else source.stream.destroy();
  }
}

/** A file in parts: read where it is being sent, and read again where S3 fails. */
async function uploadFile(
  client: S3EncryptionClient,
  { path, size }: { readonly path: string; readonly size: number },
  address: ObjectAddress,
  { call, signal, onProgress, resume = false }: TransferOptions & { readonly resume?: boolean },
): Promise<number> {
  const transfer = new EncryptedUpload({ client, params: address, file: path, resume, ...call });
  transfer.on("httpUploadProgress", ({ loaded = 0 }) => onProgress(loaded, size));
  signal.throwIfAborted();
  signal.addEventListener("abort", () => void transfer.abort(), { once: true });
  try {
    await transfer.done();
    return size;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

// Larger than a stream's default, which halves the speed of a put.
const PIECE = 256 * 1024;

async function* piecesOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let done = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
