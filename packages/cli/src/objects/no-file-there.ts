import type { S3Client } from "@aws-sdk/client-s3";
import { ANNOTATIONS_ASIDE_SUFFIX } from "@s3ec/client";
import { DEFAULT_INSTRUCTION_FILE_SUFFIX } from "@s3ec/envelope";
import type { ObjectAddress } from "../object-address.js";
import type { FilesBesideOptions } from "./files-beside.js";

/** Whether a key ends as that of a file beside an object does, which is all that most keys are asked. */
export function endsAsFile(key: string, suffixes: readonly string[]): boolean {
  return [DEFAULT_INSTRUCTION_FILE_SUFFIX, ANNOTATIONS_ASIDE_SUFFIX, ...suffixes].some(
    (suffix) => key.endsWith(suffix) && key !== suffix,
  );
}

/**
 * Throws for a key where the file of another object stands: what would be put there is lost to whoever reads that by it.
 *
 * @throws S3EncryptionError `unsupported-operation`
 */
export async function assertNoFileThere(
  client: S3Client,
  { Bucket, Key }: ObjectAddress,
  options: FilesBesideOptions,
): Promise<void> {
  if (!endsAsFile(Key, options.suffixes)) return;
  const { FilesBeside, wouldReplaceFile } = await import("./files-beside.js");
  if (await new FilesBeside(client, Bucket, options).isFileThere(Key)) throw wouldReplaceFile();
}
