import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { EncryptedDownload, type EncryptionCallOptions, type S3EncryptionClient } from "@s3ec/client";
import type { ByteTarget } from "./byte-target.js";
import type { ObjectAddress } from "./object-address.js";

export interface TransferOptions {
  readonly call: EncryptionCallOptions;
  readonly signal: AbortSignal;
  /** Told the bytes so far, and all of them where known. */
  readonly onProgress: (done: number, total: number | undefined) => void;
}

export interface DownloadOptions extends TransferOptions {
  /** Goes on with what an earlier one left, and leaves what has arrived. */
  readonly resume: boolean;
  /** Told a sentence about what is gone on with, or why not. */
  readonly onResume: (sentence: string) => void;
  /** Told a sentence about what is left when it fails. */
  readonly onLeft: (sentence: string) => void;
}

/** Which object, and what S3 is told. */
export type ObjectToGet = ObjectAddress & Partial<GetObjectCommandInput>;

export type Downloaded = Omit<GetObjectCommandOutput, "Body">;

/**
 * Decrypts an object into a file that has its name only once it is whole, authenticated and on the disk; when anything
 * fails, nothing is left but what `resume` is for. A stream gets nothing before all of it is authenticated. Returns what S3
 * answered, with the plaintext's bytes.
 */
export async function download(
  client: S3EncryptionClient,
  address: ObjectToGet,
  target: ByteTarget,
  { call, signal, onProgress, resume, onResume, onLeft }: DownloadOptions,
): Promise<Downloaded> {
  const to = "file" in target ? target.file : target.stream;
  const transfer = new EncryptedDownload({ client, params: address, to, resume, ...call });
  const abort = (): void => void transfer.abort();
  signal.throwIfAborted();
  signal.addEventListener("abort", abort, { once: true });
  transfer.on("httpDownloadProgress", ({ loaded, total }) => onProgress(loaded, total));
  transfer.on("resume", ({ kept, anew }) => {
    if (anew !== undefined) onResume(`What an earlier download left is of no use, and this one begins anew: ${anew}`);
    else if (kept > 0) onResume(`Going on with ${kept} bytes that an earlier download left.`);
  });
  try {
    return await transfer.done();
  } catch (error) {
    if (transfer.kept !== undefined) {
      onLeft(
        `What has arrived is kept, decrypted and unproven, in ${transfer.kept}: run the command again to go on, or delete that folder.`,
      );
    }
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
    if ("stream" in target) target.stream.destroy();
  }
}
