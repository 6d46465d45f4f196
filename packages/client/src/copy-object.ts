import type { CopyObjectCommandInput, CopyObjectCommandOutput } from "@aws-sdk/client-s3";
import { DEFAULT_INSTRUCTION_FILE_SUFFIX, instructionFileSuffix } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf } from "./call-options.js";
import { isMissing } from "./instruction-files.js";
import type { ResolvedOptions } from "./options.js";

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
  const suffixes = new Set([
    DEFAULT_INSTRUCTION_FILE_SUFFIX,
    options.instructionFiles.suffix ?? DEFAULT_INSTRUCTION_FILE_SUFFIX,
    callOptionsOf(input).instructionFileSuffix ?? DEFAULT_INSTRUCTION_FILE_SUFFIX,
    ...(options.materialsManager.instructionFileSuffixes ?? []),
  ]);
  const result = await next(input);
  for (const suffix of new Set([...suffixes].map(instructionFileSuffix))) await copyFile(input, suffix, next);
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
