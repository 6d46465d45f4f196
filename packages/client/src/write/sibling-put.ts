import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { SiblingFile } from "@s3ec/materials";

/**
 * Who may see the object, who owns it, and how S3 keeps it: what a file beside it shares with it (H28). A lock among
 * them: without its key a locked object would be lost; and S3 takes a lock with a checksum only.
 */
const SHARED = [
  "ACL",
  "BucketKeyEnabled",
  "ChecksumAlgorithm",
  "ExpectedBucketOwner",
  "GrantFullControl",
  "GrantRead",
  "GrantReadACP",
  "GrantWriteACP",
  "ObjectLockEventHold",
  "ObjectLockEventHoldDurationDays",
  "ObjectLockEventHoldDurationYears",
  "ObjectLockLegalHoldStatus",
  "ObjectLockMode",
  "ObjectLockRetainUntilDate",
  "RequestPayer",
  "SSECustomerAlgorithm",
  "SSECustomerKey",
  "SSECustomerKeyMD5",
  "SSEKMSEncryptionContext",
  "SSEKMSKeyId",
  "ServerSideEncryption",
  "StorageClass",
  "Tagging",
] as const satisfies readonly (keyof PutObjectCommandInput)[];

/** The put of a file beside an object: without the object's metadata, and without what describes or conditions its content. */
export function siblingPut(object: PutObjectCommandInput, file: SiblingFile): PutObjectCommandInput {
  const shared = Object.fromEntries(SHARED.map((name) => [name, object[name]]));
  return {
    ...shared,
    Bucket: object.Bucket,
    Key: `${object.Key}${file.suffix}`,
    Body: file.body,
    ContentType: "application/json",
    Metadata: { ...file.metadata },
  };
}
