import type { S3Client } from "@aws-sdk/client-s3";
import { type PresignedGet, presignGet } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { INSPECTED_FORMATS } from "../inspect-object.js";
import type { ObjectAddress } from "../object-address.js";

/** What `s3ec presign` is told. */
export interface PresignCommandOptions {
  readonly expiresIn?: number;
  readonly suffix?: string;
  readonly recipient?: string;
  readonly versionId?: string;
  readonly method: string;
}

/** Seconds, as of `aws s3 presign`. */
const EXPIRES_IN = 3600;

/** Throws `unsupported-operation` for what would let the holder of the URL store plaintext. */
export function assertPresignable(method: string): void {
  if (method.toUpperCase() === "GET") return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `Only a GET is presigned, not ${JSON.stringify(method)}: whoever holds the URL of a PUT would store plaintext. Have them encrypt first (s3ec encrypt), and presign the upload of the ciphertext with another tool.`,
  );
}

export async function presignCommand(
  client: S3Client,
  { Bucket, Key }: ObjectAddress,
  { expiresIn = EXPIRES_IN, suffix, recipient, versionId }: PresignCommandOptions,
): Promise<PresignedGet> {
  return await presignGet(
    client,
    { Bucket, Key, ...(versionId === undefined ? {} : { VersionId: versionId }) },
    {
      expiresIn,
      formats: INSPECTED_FORMATS,
      ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
      ...(recipient === undefined ? {} : { recipient }),
    },
  );
}

/** What the URL gives away, and what its holder needs beside it. */
export function aboutPresigned({ expires, instructionFile, annotations }: PresignedGet): string {
  const beside = instructionFile !== undefined || annotations !== undefined;
  return [
    `Until ${expires} whoever has this URL gets the ciphertext and its length, and all of the object's metadata: its wrapped key, and the context or description in the clear. Not the plaintext, without a key.`,
    beside
      ? "The wrapped key is not in the object: give the holder of the key what --json prints, for s3ec decrypt --presigned."
      : "With a key: curl -D head -o FILE URL && s3ec decrypt FILE --head head -o OUT",
  ].join("\n");
}
