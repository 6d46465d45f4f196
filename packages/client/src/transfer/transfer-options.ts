import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";

/** What uploads and downloads are told alike. */
interface TransferOptions {
  readonly params: { readonly Bucket?: string | undefined; readonly Key?: string | undefined };
  readonly queueSize?: number;
  readonly partSize?: number;
  readonly abortController?: AbortController;
}

/** As many as an upload has parts, at most. */
const MOST_AT_ONCE = 10_000;

/** Bytes of one part or range. */
interface PartSizes {
  readonly least: number;
  readonly most: number;
}

const GiB = 1024 ** 3;
/** What S3 takes. */
export const SIZES_OF_PARTS: PartSizes = { least: 5 * 1024 * 1024, most: 5 * GiB };
/** A range may have to be held in memory. */
export const SIZES_OF_RANGES: PartSizes = { least: 1, most: GiB };

/** What is said of the object is in `params`, as of `Upload` of `@aws-sdk/lib-storage`; other words are those of other tools. */
const MEANT: Readonly<Record<string, string>> = {
  Bucket: "params: { Bucket, Key }",
  Key: "params: { Bucket, Key }",
  bucket: "params: { Bucket, Key }",
  key: "params: { Bucket, Key }",
  concurrency: "queueSize",
  signal: "abortController",
  abortSignal: "abortController",
};

/**
 * Throws `invalid-argument` for what could only fail once the transfer goes on, and with a sentence of its own.
 *
 * @param meant what callers write for options of this transfer
 */
export function assertTransferOptions<Options extends TransferOptions>(
  options: Options,
  names: OptionNames<NoInfer<Options>>,
  what: string,
  meant: Readonly<Record<string, string>>,
  { least, most }: PartSizes,
): void {
  assertKnownOptions(options, names, what, "invalid-argument", { ...MEANT, ...meant });
  const { params, queueSize = 1, partSize = least, abortController } = options;
  for (const name of ["Bucket", "Key"] as const) {
    if (typeof params?.[name] !== "string" || params[name] === "") throw invalid(`params must name a ${name}.`);
  }
  if (!isWithin(queueSize, 1, MOST_AT_ONCE)) {
    throw invalid(`queueSize must be a whole number from 1 to ${MOST_AT_ONCE}.`);
  }
  if (!isWithin(partSize, least, most)) {
    throw invalid(`partSize must be a whole number of bytes from ${least} to ${most}.`);
  }
  if (abortController !== undefined && typeof abortController?.signal?.addEventListener !== "function") {
    throw invalid("abortController must be an AbortController.");
  }
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

/**
 * A path, be it given as a `file:` URL of whatever realm, and absolute: the process may go to another folder meanwhile.
 * Undefined for what is neither.
 */
export function pathOf(file: unknown): string | undefined {
  if (typeof file === "string") return file === "" ? undefined : resolve(file);
  if (typeof file !== "object" || file === null || !("href" in file) || typeof file.href !== "string") return undefined;
  return file.href.startsWith("file:") ? fileURLToPath(file.href) : undefined;
}

/** Where a block is cut nothing can be decrypted by itself. */
export function wholeBlocks(length: number): number {
  return Math.ceil(length / 16) * 16;
}

export function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
