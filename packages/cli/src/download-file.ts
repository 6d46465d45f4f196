import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { EncryptionCallOptions, S3EncryptionClient } from "@s3ec/client";
import type { ObjectAddress } from "./object-address.js";

export interface TransferOptions {
  readonly call: EncryptionCallOptions;
  readonly signal: AbortSignal;
  /** Told the bytes so far, and all of them where known. */
  readonly onProgress: (done: number, total: number | undefined) => void;
}

/**
 * Decrypts an object into a file that has its name only once it is whole, authenticated and on the disk. Until then it
 * is a temporary file beside it, which only its owner can read and which goes when anything fails. The client may
 * therefore stream before the tag is verified. Returns the plaintext's bytes.
 */
export async function downloadFile(
  client: S3EncryptionClient,
  address: ObjectAddress,
  path: string,
  { call, signal, onProgress }: TransferOptions,
): Promise<number> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.part`);
  const file = await open(temporary, "wx", 0o600);
  try {
    const { Body, ContentLength } = await client.send(new GetObjectCommand({ ...address }), {
      ...call,
      abortSignal: signal,
    });
    if (!(Body instanceof Readable)) throw new Error("S3 answered without a body.");
    const length = await writeAll(addAbortSignal(signal, Body), file, (done) => onProgress(done, ContentLength));
    await file.sync();
    await file.close();
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return length;
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw signal.aborted ? signal.reason : error;
  }
}

async function writeAll(body: Readable, file: FileHandle, onProgress: (done: number) => void): Promise<number> {
  let done = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    await file.writeFile(chunk);
    done += chunk.length;
    onProgress(done);
  }
  return done;
}

/** The new name must survive a crash too; not every system lets a folder be synced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
