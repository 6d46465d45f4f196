import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { httpStatusOf } from "@s3ec/client";
import { MAX_INSTRUCTION_FILE_LENGTH, readAtMost } from "@s3ec/envelope";

/** How one object or version is named in requests. */
export interface Address {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string;
}

export interface Request {
  readonly abortSignal?: AbortSignal;
}

/** What may be an instruction file, as text; undefined where there is nothing. At most one byte more than a file may have (S14). */
export async function storedText(client: S3Client, address: Address, request: Request): Promise<string | undefined> {
  const bytes = await storedBytes(client, address, MAX_INSTRUCTION_FILE_LENGTH + 1, request);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}

/** So many bytes of what is stored, or all of it; undefined where there is nothing. */
export async function storedBytes(
  client: S3Client,
  address: Address,
  length: number,
  request: Request,
): Promise<Uint8Array | undefined> {
  try {
    const Range = `bytes=0-${length - 1}`;
    const { Body } = await client.send(new GetObjectCommand({ ...address, Range }), request);
    return await readAtMost(Body as AsyncIterable<Uint8Array>, length);
  } catch (error) {
    if (httpStatusOf(error) === 404) return undefined;
    // An empty one has no such range.
    if (httpStatusOf(error) === 416) return new Uint8Array(0);
    throw error;
  }
}
