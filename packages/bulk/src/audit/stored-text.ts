import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { isError, MAX_INSTRUCTION_FILE_LENGTH, readAtMost } from "@s3ec/envelope";

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
  try {
    const Range = `bytes=0-${MAX_INSTRUCTION_FILE_LENGTH}`;
    const { Body } = await client.send(new GetObjectCommand({ ...address, Range }), request);
    const bytes = await readAtMost(Body as AsyncIterable<Uint8Array>, MAX_INSTRUCTION_FILE_LENGTH + 1);
    return Buffer.from(bytes).toString("utf8");
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    // An empty one has no such range.
    if (statusOf(error) === 416) return "";
    throw error;
  }
}

/** The status of S3's answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  const metadata: unknown = isError(error) ? Reflect.get(error, "$metadata") : undefined;
  const status: unknown =
    typeof metadata === "object" && metadata !== null ? Reflect.get(metadata, "httpStatusCode") : undefined;
  return typeof status === "number" ? status : undefined;
}
