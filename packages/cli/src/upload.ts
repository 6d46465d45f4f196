import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { PutObjectCommand, type PutObjectCommandInput, type PutObjectCommandOutput } from "@aws-sdk/client-s3";
import { EncryptedUpload, type S3EncryptionClient } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { type ByteSource, changed, unchangedPieces } from "./byte-source.js";
import type { TransferOptions } from "./download.js";
import type { ObjectAddress } from "./object-address.js";

/** Bytes above which a file goes up in parts, each of which is retried on its own; a stream is sent only once. */
const SINGLE_PUT = 64 * 1024 * 1024;

/** Where an object goes, and what S3 is told of it. */
export type ObjectToPut = ObjectAddress & Partial<Omit<PutObjectCommandInput, "Body">>;

export interface UploadOptions extends TransferOptions {
  readonly resume?: boolean;
  /** Told a sentence about what is gone on with. */
  readonly onResume?: (sentence: string) => void;
  /** Bytes that a stream may have, where that is more than 10,000 parts of 5 MiB. */
  readonly expectedSize?: number;
}

/** What was put. */
export interface Uploaded {
  /** The plaintext's bytes. */
  readonly length: number;
  readonly answer: Pick<PutObjectCommandOutput, "ETag" | "VersionId" | "$metadata">;
}

/** Encrypts a file or a stream into an object. */
export async function upload(
  client: S3EncryptionClient,
  source: ByteSource,
  address: ObjectToPut,
  options: UploadOptions,
): Promise<Uploaded> {
  const { call, signal, onProgress, resume = false } = options;
  if ("stream" in source && resume) {
    source.stream.destroy();
    throw new S3EncryptionError("invalid-argument", "Only the upload of a file can be resumed, not of a stream.");
  }
  if ("file" in source && (resume || source.size > SINGLE_PUT)) {
    await source.file.close();
    return await uploadFile(client, source, address, options);
  }
  if ("file" in source && source.size <= IN_MEMORY) return await uploadSmall(client, source, address, options);
  const size = "file" in source ? source.size : undefined;
  let read = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of "file" in source ? unchangedPieces(source, PIECE) : source.stream) {
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
      const answer = await client.send(new PutObjectCommand(params), { ...call, abortSignal: signal });
      return { length: read, answer };
    }
    const answer = await done(new EncryptedUpload({ client, params, ...partSizeFor(options), ...call }), signal);
    return { length: read, answer };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    if ("file" in source) await source.file.close();
    else source.stream.destroy();
  }
}

/** Bytes of a file that is read at once, which spares most of the time that a small one takes. */
const IN_MEMORY = 1024 * 1024;

async function uploadSmall(
  client: S3EncryptionClient,
  source: Extract<ByteSource, { file: FileHandle }>,
  address: ObjectToPut,
  { call, signal, onProgress }: UploadOptions,
): Promise<Uploaded> {
  const { file, size } = source;
  signal.throwIfAborted();
  try {
    const Body = await wholeFile(source);
    const answer = await client.send(new PutObjectCommand({ ...address, Body }), { ...call, abortSignal: signal });
    onProgress(size, size);
    return { length: size, answer };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await file.close();
  }
}

/** One byte more is asked for, which tells whether the file has grown. */
async function wholeFile({
  file,
  path,
  size,
  assertUnchanged,
}: Extract<ByteSource, { file: FileHandle }>): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(size + 1);
  let done = 0;
  for (let isEnd = false; !isEnd && done <= size; ) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, done);
    done += bytesRead;
    // What gives fewer bytes than asked for has no more, where these are all that it should have.
    isEnd = bytesRead === 0 || done === size;
  }
  if (done !== size) throw changed(path);
  await assertUnchanged();
  return buffer.subarray(0, size);
}

/** A file in parts: read where it is being sent, and read again where S3 fails. */
async function uploadFile(
  client: S3EncryptionClient,
  { path, size }: { readonly path: string; readonly size: number },
  address: ObjectToPut,
  { call, signal, onProgress, resume = false, onResume }: UploadOptions,
): Promise<Uploaded> {
  const transfer = new EncryptedUpload({ client, params: address, file: path, resume, ...call });
  transfer.on("httpUploadProgress", ({ loaded = 0 }) => onProgress(loaded, size));
  transfer.on("resume", ({ kept }) => {
    if (kept > 0) onResume?.(`Going on with ${kept} bytes that an earlier upload has sent.`);
  });
  signal.throwIfAborted();
  try {
    return { length: size, answer: await done(transfer, signal) };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

/** The signal outlives it, where many are uploaded. */
async function done(transfer: EncryptedUpload, signal: AbortSignal): Promise<Uploaded["answer"]> {
  const abort = (): void => void transfer.abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await transfer.done();
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** S3's limit, and one part for what is larger than expected. */
const PARTS = 9_999;
const SMALLEST_PART = 5 * 1024 * 1024;

function partSizeFor({ expectedSize = 0 }: UploadOptions): { readonly partSize?: number } {
  const partSize = Math.ceil(expectedSize / PARTS);
  return partSize > SMALLEST_PART ? { partSize } : {};
}

// Larger than a stream's default, which halves the speed of a put.
const PIECE = 256 * 1024;
