import { EncryptedDownload, type EncryptionCallOptions, type S3EncryptionClient } from "@s3ec/client";
import type { ByteTarget } from "./byte-target.js";
import type { ObjectAddress } from "./object-address.js";

export interface TransferOptions {
  readonly call: EncryptionCallOptions;
  readonly signal: AbortSignal;
  /** Told the bytes so far, and all of them where known. */
  readonly onProgress: (done: number, total: number | undefined) => void;
}

/**
 * Decrypts an object into a file that has its name only once it is whole, authenticated and on the disk; when anything
 * fails, nothing is left. A stream gets nothing before all of it is authenticated. Returns the plaintext's bytes.
 */
export async function download(
  client: S3EncryptionClient,
  address: ObjectAddress,
  target: ByteTarget,
  { call, signal, onProgress }: TransferOptions,
): Promise<number> {
  const to = "file" in target ? target.file : target.stream;
  const transfer = new EncryptedDownload({ client, params: address, to, ...call });
  const abort = (): void => void transfer.abort();
  signal.throwIfAborted();
  signal.addEventListener("abort", abort, { once: true });
  transfer.on("httpDownloadProgress", ({ loaded, total }) => onProgress(loaded, total));
  try {
    const { ContentLength = 0 } = await transfer.done();
    return ContentLength;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
    if ("stream" in target) target.stream.destroy();
  }
}
