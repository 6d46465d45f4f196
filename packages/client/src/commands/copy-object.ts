import type { CopyObjectCommandInput, CopyObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { isMissing, knownSuffixes } from "../instruction-files.js";
import type { ResolvedOptions } from "../options.js";

type Result = { output: CopyObjectCommandOutput; response: unknown };

/** Copies an encrypted object with its metadata, which is its envelope, and with its instruction files. */
export async function copyObject(
  options: ResolvedOptions,
  input: CopyObjectCommandInput,
  next: (input: CopyObjectCommandInput) => Promise<Result>,
): Promise<Result> {
  if (input.MetadataDirective === "REPLACE") {
    throw new S3EncryptionError(
      "unsupported-operation",
      "Replacing an object's metadata would destroy its envelope, and the object with it: copy with MetadataDirective COPY.",
    );
  }
  const suffixes = knownSuffixes(options, input);
  const result = await next(input);
  for (const suffix of suffixes) await copyFile(input, suffix, next);
  return result;
}

async function copyFile(
  input: CopyObjectCommandInput,
  suffix: string,
  next: (input: CopyObjectCommandInput) => Promise<Result>,
): Promise<void> {
  const {
    CopySourceIfMatch,
    CopySourceIfModifiedSince,
    CopySourceIfNoneMatch,
    CopySourceIfUnmodifiedSince,
    IfMatch,
    IfNoneMatch,
    ...rest
  } = input;
  const [source = ""] = (input.CopySource ?? "").split("?versionId=");
  try {
    await next({ ...rest, CopySource: `${source}${encodeURIComponent(suffix)}`, Key: `${input.Key}${suffix}` });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
