import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";

/** An object as it is stored. */
export async function stored(
  client: S3Client,
  Bucket: string,
  Key: string,
): Promise<{ readonly Body: string; readonly Metadata: Record<string, string> }> {
  const { Body, Metadata = {} } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return { Body: (await Body?.transformToString()) ?? "", Metadata };
}
