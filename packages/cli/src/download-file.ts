import { EncryptedDownload, type EncryptionCallOptions, type S3EncryptionClient } from "@s3ec/client";
import type { ObjectAddress } from "./object-address.js";

export interface TransferOptions {
  readonly call: EncryptionCallOptions;
  readonly signal: AbortSignal;
  /** Told the bytes so far, and all of them where known. */
  readonly onProgress: (done: number, total: number | undefined) => void;
}

/**
 * Decrypts an object into a file that has its name only once it is whole, authenticated and on the disk; when anything
 * fails, nothing is left. Returns the plaintext's bytes.
 */
export async function downloadFile(
  client: S3EncryptionClient,
  address: ObjectAddress,
  path: string,
  { call, signal, onProgress }: TransferOptions,
): Promise<number> {
  const download = new EncryptedDownload({ client, params: address, to: path, ...call });
  const abort = (): void => void download.abort();
  signal.addEventListener("abort", abort, { once: true });
  download.on("httpDownloadProgress", ({ loaded, total }) => onProgress(loaded, total));
  try {
    const { ContentLength = 0 } = await download.done();
    return ContentLength;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
