import type { CopyObjectCommandInput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import type { AllowedLosses } from "./losses.js";

/** What a copy says of an object besides its envelope, its owners and its locks. */
type Headers = Pick<
  CopyObjectCommandInput,
  | "BucketKeyEnabled"
  | "CacheControl"
  | "ChecksumAlgorithm"
  | "ContentDisposition"
  | "ContentEncoding"
  | "ContentLanguage"
  | "ContentType"
  | "Expires"
  | "SSEKMSEncryptionContext"
  | "SSEKMSKeyId"
  | "ServerSideEncryption"
  | "StorageClass"
  | "WebsiteRedirectLocation"
>;

const CHECKSUMS = [
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "SHA1",
  "SHA256",
  "SHA512",
  "MD5",
  "XXHASH64",
  "XXHASH3",
  "XXHASH128",
] as const;

/**
 * Everything that HEAD says of an object and a copy of it does not take along by itself when its metadata is replaced.
 *
 * @param kmsContext the object's own encryption context for SSE-KMS, in base64, which S3 does not tell
 */
export function headersOf(
  head: HeadObjectCommandOutput,
  losses: AllowedLosses,
  kmsContext: string | undefined,
): Headers {
  const { StorageClass, WebsiteRedirectLocation } = head;
  const ChecksumAlgorithm = checksumAlgorithmOf(head);
  return {
    ...contentHeadersOf(head, losses),
    ...withoutUndefined({ StorageClass, WebsiteRedirectLocation, ChecksumAlgorithm }),
    ...encryptionOf(head, losses, kmsContext),
  };
}

/** What a copy takes along by itself as long as its metadata is not replaced. */
export function contentHeadersOf(head: HeadObjectCommandOutput, losses: AllowedLosses): Headers {
  const { CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType } = head;
  const { Expires, ExpiresString } = head;
  if (Expires === undefined && ExpiresString !== undefined) {
    losses.accept(
      "expires",
      `The object's Expires, ${JSON.stringify(ExpiresString)}, is no date, and cannot be repeated.`,
    );
  }
  const content = { CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType, Expires };
  return withoutUndefined(content);
}

/** What S3 has a checksum of, where it was asked for. */
export function checksumAlgorithmOf(head: HeadObjectCommandOutput): (typeof CHECKSUMS)[number] | undefined {
  return CHECKSUMS.find((name) => head[`Checksum${name}`] !== undefined);
}

/** Named even where it is the bucket's default, which another client may have changed since. */
export function encryptionOf(
  { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled }: HeadObjectCommandOutput,
  losses: AllowedLosses,
  SSEKMSEncryptionContext: string | undefined,
): Pick<Headers, "BucketKeyEnabled" | "SSEKMSEncryptionContext" | "SSEKMSKeyId" | "ServerSideEncryption"> {
  if (ServerSideEncryption === undefined) return {};
  if (!ServerSideEncryption.startsWith("aws:kms")) return { ServerSideEncryption };
  if (SSEKMSEncryptionContext === undefined) {
    losses.accept(
      "kms-context",
      "S3 keeps the object, or the file that is replaced, with SSE-KMS, and tells nobody whether with an encryption context of its own: pass that (SSEKMSEncryptionContext); or say that there is none.",
    );
  }
  return withoutUndefined({ ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, SSEKMSEncryptionContext });
}

/**
 * An object's user metadata as it can be sent again: what S3 has made encoded words of (RFC 2047) it decodes again.
 */
export function sendableMetadata(
  { Metadata = {}, MissingMeta = 0 }: HeadObjectCommandOutput,
  losses: AllowedLosses,
): Readonly<Record<string, string>> {
  if (MissingMeta > 0) {
    losses.accept(
      "missing-metadata",
      `The object has metadata that S3 cannot give out in headers (${MissingMeta} of it).`,
    );
  }
  const isSendable = ([name, value]: [string, string]): boolean => {
    if (/^[\t\x20-\x7e]*$/.test(value)) return true;
    losses.accept("metadata", `The value of the object's metadata "${name}" cannot be sent again as it came.`);
    return false;
  };
  return Object.fromEntries(Object.entries(Metadata).filter(isSendable));
}

/** Throws `unsupported-operation` for what S3 can describe and not read. */
export function refuseArchived({ StorageClass, ArchiveStatus, Restore }: HeadObjectCommandOutput): void {
  const isArchived = StorageClass === "GLACIER" || StorageClass === "DEEP_ARCHIVE" || ArchiveStatus !== undefined;
  if (!isArchived || /ongoing-request="false"/.test(Restore ?? "")) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `The object is archived (${ArchiveStatus ?? StorageClass}), and cannot be copied: restore it first (RestoreObject). Nothing was written.`,
  );
}

function withoutUndefined<Input extends object>(input: Input): Input {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Input;
}
