import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";

/** Where S3 keeps no annotations: directory buckets, by their names or access points, and S3 on Outposts. */
const WITHOUT = /--x-s3$|--xa-s3$|^arn:[^:]*:s3express:|--op-s3$|^arn:[^:]*:s3-outposts:/;

/** Refuses, before anything is stored, an object that S3 will let have no annotations. */
export function refuseNotAnnotatable({
  Bucket = "",
  SSECustomerAlgorithm,
  SSECustomerKey,
}: Pick<PutObjectCommandInput, "Bucket" | "SSECustomerAlgorithm" | "SSECustomerKey">): void {
  const what =
    SSECustomerAlgorithm !== undefined || SSECustomerKey !== undefined
      ? "S3 keeps no annotations of objects that it encrypts with a key of the customer's (SSE-C)"
      : WITHOUT.test(Bucket)
        ? "S3 keeps no annotations in directory buckets and on Outposts"
        : undefined;
  if (what === undefined) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `${what}: put the wrapped keys into instruction files (wrapPlacement "metadata" or "instruction-files").`,
  );
}
