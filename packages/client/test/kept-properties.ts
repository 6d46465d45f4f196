import { createHash, randomBytes } from "node:crypto";
import {
  CreateBucketCommand,
  GetObjectAclCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  type PutObjectCommandInput,
  PutObjectLockConfigurationCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { KeepOptions } from "@s3ec/client";

/** A bucket that keeps locks. */
const LOCKED = "locked";

export async function createLocked(s3: S3Client): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: LOCKED }));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: LOCKED, VersioningConfiguration }));
  const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled" } as const;
  await s3.send(new PutObjectLockConfigurationCommand({ Bucket: LOCKED, ObjectLockConfiguration }));
}

const customerKey = randomBytes(32);
const withKey = {
  SSECustomerAlgorithm: "AES256",
  SSECustomerKey: customerKey.toString("base64"),
  SSECustomerKeyMD5: createHash("md5").update(customerKey).digest("base64"),
};
const until = new Date(Date.now() + 3_600_000);
until.setMilliseconds(0);
const everyone = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"';
/** What of an object has to survive whatever writes it again: how it is put, what that takes, and where. */
export const PROPERTIES: readonly [string, Partial<PutObjectCommandInput>, KeepOptions?, object?][] = [
  ["user metadata", { Metadata: { owner: "me", empty: "", "with-dash_1": "a, b;  c" } }],
  ["Cache-Control", { CacheControl: "no-store" }],
  ["Content-Disposition", { ContentDisposition: 'attachment; filename="a.txt"' }],
  ["Content-Encoding", { ContentEncoding: "gzip" }],
  ["Content-Language", { ContentLanguage: "de" }],
  ["Content-Type", { ContentType: "text/plain; charset=utf-8" }],
  ["Expires", { Expires: new Date(1_900_000_000_000) }],
  ["the storage class", { StorageClass: "STANDARD_IA" }],
  ["the website redirect", { WebsiteRedirectLocation: "/elsewhere" }],
  ["SSE-S3", { ServerSideEncryption: "AES256" }],
  [
    "SSE-KMS with key and bucket key",
    { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "key-1", BucketKeyEnabled: true },
    { allowLoss: ["kms-context"] },
  ],
  [
    "DSSE with the context that the caller gives",
    { ServerSideEncryption: "aws:kms:dsse", SSEKMSKeyId: "key-1", SSEKMSEncryptionContext: "e30=" },
    { SSEKMSEncryptionContext: "e30=" },
  ],
  ["SSE-C", withKey, {}, withKey],
  ["tags", { Tagging: "a=1&b=x%20y" }],
  ["the access control list", { GrantFullControl: 'id="s3ec-dev-server"', GrantRead: `${everyone}, id="p"` }],
  ["the checksum's algorithm", { ChecksumAlgorithm: "SHA256" }],
  [
    "retention and legal hold",
    {
      Bucket: LOCKED,
      ObjectLockMode: "GOVERNANCE",
      ObjectLockRetainUntilDate: until,
      ObjectLockLegalHoldStatus: "ON",
      ChecksumAlgorithm: "CRC32",
    },
    {},
    { Bucket: LOCKED },
  ],
];

/** What S3 says of an object, but for what is another for every object and version, and for its envelope. */
export async function described(
  s3: S3Client,
  at: { Bucket: string; Key: string },
  more: object,
): Promise<Record<string, unknown>> {
  const head = await s3.send(new HeadObjectCommand({ ...at, ...more, ChecksumMode: "ENABLED" }));
  const { $metadata, LastModified, VersionId, Metadata = {}, ...rest } = head;
  const { TagSet } = await s3.send(new GetObjectTaggingCommand(at));
  const { Grants, Owner } = await s3.send(new GetObjectAclCommand(at));
  const mine = Object.fromEntries(Object.entries(Metadata).filter(([name]) => !name.startsWith("x-amz-")));
  return { ...rest, mine, TagSet, Grants, Owner };
}
