import { HeadBucketCommand, NoSuchBucket, type S3Client } from "@aws-sdk/client-s3";
import { httpStatusOf } from "@s3ec/client";

/**
 * Makes sure that a bucket is there: of an object that is not, a HEAD says the same as of one without its bucket.
 *
 * @param client one that does not encrypt
 * @throws `NoSuchBucket` of `@aws-sdk/client-s3`; S3's own errors where that cannot be told
 */
export async function requireBucket(
  client: S3Client,
  Bucket: string,
  request: { readonly abortSignal?: AbortSignal },
): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket }), request);
  } catch (error) {
    // It is there, and not to be listed.
    if (httpStatusOf(error) === 403) return;
    if (httpStatusOf(error) !== 404) throw error;
    throw new NoSuchBucket({
      message: `There is no bucket ${JSON.stringify(Bucket)}.`,
      $metadata: { httpStatusCode: 404 },
    });
  }
}
