import type { HeadObjectCommandOutput, PutObjectCommandOutput } from "@aws-sdk/client-s3";

/** What a put would have answered, from what S3 says of the object that it stored. */
export function answerOfPut(head: HeadObjectCommandOutput): PutObjectCommandOutput {
  const { ETag, VersionId, Expiration, ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, $metadata } = head;
  const { SSECustomerAlgorithm, SSECustomerKeyMD5, RequestCharged } = head;
  const encrypted = { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, SSECustomerAlgorithm, SSECustomerKeyMD5 };
  return { ETag, VersionId, Expiration, RequestCharged, ...encrypted, $metadata };
}
