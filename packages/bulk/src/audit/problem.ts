import { httpStatusOf } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";

/** Why something could not be told, in a sentence. */
export function problemOf(error: unknown, what: string): string {
  if (error instanceof S3EncryptionError) return error.message;
  const status = httpStatusOf(error);
  const name = error instanceof Error ? error.name : "an unknown error";
  if (name === "InvalidObjectState") return `${what} is archived: restore it to have it looked at.`;
  if (status === 403) return `${what} may not be read: allow s3:GetObject, and s3:ListBucket to tell what is missing.`;
  return `${what} could not be read (${name}${status === undefined ? "" : `, HTTP ${status}`}): try again.`;
}
