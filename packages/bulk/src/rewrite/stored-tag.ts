import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { httpStatusOf, plainClientOf } from "@s3ec/client";

/** Where objects are, and whose the requests are. */
interface Asked {
  readonly Bucket: string;
  readonly abortSignal?: AbortSignal | undefined;
}

/** The entity tag of what is stored at a key; undefined where there is nothing. */
export async function tagOf(
  client: S3Client,
  { Bucket, abortSignal }: Asked,
  Key: string,
): Promise<string | undefined> {
  const request = abortSignal === undefined ? {} : { abortSignal };
  try {
    return (await plainClientOf(client).send(new HeadObjectCommand({ Bucket, Key }), request)).ETag;
  } catch (error) {
    // Without s3:ListBucket, S3 answers 403 where there is none.
    if ([403, 404].includes(httpStatusOf(error) ?? 0)) return undefined;
    throw error;
  }
}
