import type { CopyObjectCommandOutput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";

/** What a copy would have answered, from what S3 says of the object that it stored. */
export function answerOfCopy(head: HeadObjectCommandOutput): CopyObjectCommandOutput {
  const { ETag, LastModified, VersionId, Expiration, ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled } = head;
  const { SSECustomerAlgorithm, SSECustomerKeyMD5, RequestCharged, $metadata } = head;
  const encrypted = { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, SSECustomerAlgorithm, SSECustomerKeyMD5 };
  return { CopyObjectResult: { ETag, LastModified }, VersionId, Expiration, RequestCharged, ...encrypted, $metadata };
}
