import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { plainClientOf } from "@s3ec/client";
import { statusOf } from "../audit/stored-text.js";

/** What follows an object's key in that of the file which holds its annotations while it is written anew. */
const ASIDE = ".s3ec-annotations";

/** Where objects are, and whose the requests are. */
export interface Asked {
  readonly Bucket: string;
  readonly abortSignal?: AbortSignal | undefined;
}

/** Whether annotations of an object are still where a call has put them aside that broke off. */
export async function hasCarriedFile(client: S3Client, asked: Asked, Key: string): Promise<boolean> {
  return (await tagOf(client, asked, `${Key}${ASIDE}`)) !== undefined;
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
    if ([403, 404].includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}
