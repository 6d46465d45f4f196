import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedUpload, type S3EncryptionClient } from "@s3ec/client";
import type { ByteSource } from "./byte-source.js";
import type { TransferOptions } from "./download.js";
import type { ObjectAddress } from "./object-address.js";

/** Bytes above which a file goes up in parts, each of which is retried on its own; a stream is sent only once. */
const SINGLE_PUT = 64 * 1024 * 1024;

/** Encrypts a file or a stream into an object, in one pass. Returns the plaintext's bytes. */
export async function upload(
  client: S3EncryptionClient,
  source: ByteSource,
  address: ObjectAddress,
  { call, signal, onProgress }: TransferOptions,
): Promise<number> {
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
