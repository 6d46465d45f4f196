import {
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  type HeadObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { readAtMost } from "@s3ec/envelope";
import { isServiceError } from "./service-message.js";

/** A HEAD whose refusal says why: its answer has no body that could, and that of a GET has. */
export async function headObject(
  client: S3Client,
  object: HeadObjectCommandInput,
  abortSignal?: AbortSignal,
): Promise<HeadObjectCommandOutput> {
  const request = abortSignal === undefined ? {} : { abortSignal };
  try {
    return await client.send(new HeadObjectCommand(object), request);
  } catch (error) {
    // Of a 404, what is missing may be the bucket.
    if (!isServiceError(error) || (error.$metadata.httpStatusCode ?? 500) >= 500) throw error;
    const { Body } = await client.send(new GetObjectCommand({ ...object, Range: "bytes=0-0" }), request);
    await readAtMost(Body as AsyncIterable<Uint8Array>, 1);
    throw error;
  }
}
