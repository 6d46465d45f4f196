import type {
  DeleteObjectCommandInput,
  DeleteObjectCommandOutput,
  DeleteObjectsCommandInput,
  DeleteObjectsCommandOutput,
} from "@aws-sdk/client-s3";
import { DEFAULT_INSTRUCTION_FILE_SUFFIX, instructionFileSuffix } from "@s3ec/envelope";
import { callOptionsOf } from "./call-options.js";
import type { ResolvedOptions } from "./options.js";

type Send<Input, Output> = (input: Input) => Promise<{ output: Output; response: unknown }>;

/** The suffixes that this client knows of: the default one, the configured ones, the children's, and the call's own. */
function suffixesOf(options: ResolvedOptions, input: object): readonly string[] {
  const known = [
    DEFAULT_INSTRUCTION_FILE_SUFFIX,
    options.instructionFiles.suffix,
    callOptionsOf(input).instructionFileSuffix,
    ...(options.materialsManager.instructionFileSuffixes ?? []),
  ];
  // Only as we write them: the object's key with a suffix that has no dot is somebody else's object.
  return [...new Set(known.filter((suffix) => suffix !== undefined).map(instructionFileSuffix))];
}

/**
 * Deletes an object, then its instruction files. One version among several is deleted alone: the file serves the
 * current one (H33). What would hold only for the object is not asked of its files.
 */
export async function deleteObject(
  options: ResolvedOptions,
  input: DeleteObjectCommandInput,
  next: Send<DeleteObjectCommandInput, DeleteObjectCommandOutput>,
): Promise<{ output: DeleteObjectCommandOutput; response: unknown }> {
  const result = await next(input);
  if (input.VersionId !== undefined) return result;
  const { IfMatch, IfMatchLastModifiedTime, IfMatchSize, ...rest } = input;
  for (const suffix of suffixesOf(options, input)) await next({ ...rest, Key: `${input.Key}${suffix}` });
  return result;
}

const MAX_KEYS = 1000;

/** Deletes objects, then the instruction files of those that S3 did delete; the answer names the caller's keys only. */
export async function deleteObjects(
  options: ResolvedOptions,
  input: DeleteObjectsCommandInput,
  next: Send<DeleteObjectsCommandInput, DeleteObjectsCommandOutput>,
): Promise<{ output: DeleteObjectsCommandOutput; response: unknown }> {
  const result = await next(input);
  const failed = new Set(result.output.Errors?.map((error) => error.Key));
  const files = (input.Delete?.Objects ?? [])
    .filter(({ Key, VersionId }) => VersionId === undefined && !failed.has(Key))
    .flatMap(({ Key }) => suffixesOf(options, input).map((suffix) => ({ Key: `${Key}${suffix}` })));
  const Errors = [...(result.output.Errors ?? [])];
  for (let start = 0; start < files.length; start += MAX_KEYS) {
    const Objects = files.slice(start, start + MAX_KEYS);
    const { output } = await next({ ...input, Delete: { Objects, Quiet: true } });
    Errors.push(...(output.Errors ?? []));
  }
  return Errors.length === 0 ? result : { ...result, output: { ...result.output, Errors } };
}
