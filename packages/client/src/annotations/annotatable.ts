import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { S3EncryptionError, type SiblingAnnotation } from "@s3ec/materials";

/** Where S3 keeps no annotations: directory buckets, by their names or access points, and S3 on Outposts. */
const WITHOUT = /--x-s3$|--xa-s3$|^arn:[^:]*:s3express:|--op-s3$|^arn:[^:]*:s3-outposts:/;

/** What a request names of a key of the customer's. */
export type CustomersKey = Pick<PutObjectCommandInput, "SSECustomerAlgorithm" | "SSECustomerKey">;

/** Why S3 keeps no annotations of an object; undefined where it may. */
export function whyNotAnnotatable({
  Bucket = "",
  SSECustomerAlgorithm,
  SSECustomerKey,
}: CustomersKey & Pick<PutObjectCommandInput, "Bucket">): string | undefined {
  if (SSECustomerAlgorithm !== undefined || SSECustomerKey !== undefined) {
    return "S3 keeps no annotations of objects that it encrypts with a key of the customer's (SSE-C)";
  }
  return WITHOUT.test(Bucket) ? "S3 keeps no annotations in directory buckets and on Outposts" : undefined;
}

/** Refuses, before anything is stored, an object that S3 will let have no annotations. */
export function refuseNotAnnotatable(
  object: CustomersKey & Pick<PutObjectCommandInput, "Bucket">,
  remedy = 'put the wrapped keys into instruction files (wrapPlacement "metadata" or "instruction-files")',
): void {
  const what = whyNotAnnotatable(object);
  if (what === undefined) return;
  throw new S3EncryptionError("unsupported-operation", `${what}: ${remedy}.`);
}

/** The same for what is annotated to it as it is stored. */
export function refuseAnnotations(
  annotations: readonly SiblingAnnotation[],
  object: CustomersKey & Pick<PutObjectCommandInput, "Bucket">,
): void {
  const holdsKeys = annotations.some(({ recipient }) => recipient !== undefined);
  if (annotations.length > 0) refuseNotAnnotatable(object, holdsKeys ? undefined : "leave out describeInAnnotation");
}
