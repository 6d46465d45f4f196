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

/**
 * Decrypts an object into a file that has its name only once it is whole, authenticated and on the disk; when anything
 * fails, nothing is left but what `resume` is for. A stream gets nothing before all of it is authenticated. Returns the
 * plaintext's bytes.
 */
export async function download(
  client: S3EncryptionClient,
  address: ObjectAddress,
  target: ByteTarget,
  { call, signal, onProgress, resume, onResume, onLeft }: DownloadOptions,
): Promise<number> {
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
    const { ContentLength = 0 } = await transfer.done();
    return ContentLength;
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
