import { Readable } from "node:stream";
import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { quiet } from "../streams.js";

/** The stream of what S3 answered, which may fail while nobody reads it. Refuses the answer to a presigned request. */
export function answeredBody(output: GetObjectCommandOutput): Readable {
  if ("presigned" in output) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A presigned URL of this client would give out ciphertext: presign with a plain S3Client, and decrypt with the encryption client.",
    );
  }
  const { Body } = output;
  if (!(Body instanceof Readable)) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "The S3 client must answer with Node streams to be decrypted.",
    );
  }
  quiet(Body);
  return Body;
}

/**
 * The same request of the content that was answered with, or S3's refusal: never the content of another version. By its
 * tag: naming the version would take a permission that a caller who named none need not have (`s3:GetObjectVersion`).
 */
export function pinnedTo(input: GetObjectCommandInput, { ETag }: GetObjectCommandOutput): GetObjectCommandInput {
  // What the caller asked of the object was answered already; of the same content it cannot change.
  const { IfModifiedSince, IfNoneMatch, IfUnmodifiedSince, ...rest } = input;
  return { ...rest, ...(ETag === undefined ? {} : { IfMatch: ETag }) };
}
