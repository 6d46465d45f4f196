import type {
  DeleteObjectCommandInput,
  DeleteObjectCommandOutput,
  DeleteObjectsCommandInput,
  DeleteObjectsCommandOutput,
} from "@aws-sdk/client-s3";
import { knownSuffixes } from "../instruction-files.js";
import type { ResolvedOptions } from "../options.js";

type Send<Input, Output> = (input: Input) => Promise<{ output: Output; response: unknown }>;

/**
 * Deletes an object, then its instruction files. One version among several is deleted alone: the file serves the
 * current one (H33). What would hold only for the object is not asked of its files.
 */
export async function deleteObject(
  options: ResolvedOptions,
  input: DeleteObjectCommandInput,
  next: Send<DeleteObjectCommandInput, DeleteObjectCommandOutput>,
): Promise<{ output: DeleteObjectCommandOutput; response: unknown }> {
  // What is wrong with the call's options is said before anything is deleted.
  const suffixes = knownSuffixes(options, input);
  const result = await next(input);
  if (input.VersionId !== undefined) return result;
  const { IfMatch, IfMatchLastModifiedTime, IfMatchSize, ...rest } = input;
  for (const suffix of suffixes) await next({ ...rest, Key: `${input.Key}${suffix}` });
  return result;
}

const MAX_KEYS = 1000;

/** Deletes objects, then the instruction files of those that S3 did delete; the answer names the caller's keys only. */
export async function deleteObjects(
  options: ResolvedOptions,
  input: DeleteObjectsCommandInput,
  next: Send<DeleteObjectsCommandInput, DeleteObjectsCommandOutput>,
): Promise<{ output: DeleteObjectsCommandOutput; response: unknown }> {
  const suffixes = knownSuffixes(options, input);
  const result = await next(input);
  const failed = new Set(result.output.Errors?.map((error) => error.Key));
  const files = (input.Delete?.Objects ?? [])
    .filter(({ Key, VersionId }) => VersionId === undefined && !failed.has(Key))
    .flatMap(({ Key }) => suffixes.map((suffix) => ({ Key: `${Key}${suffix}` })));
  const Errors = [...(result.output.Errors ?? [])];
  for (let start = 0; start < files.length; start += MAX_KEYS) {
    const Objects = files.slice(start, start + MAX_KEYS);
    const { output } = await next({ ...input, Delete: { Objects, Quiet: true } });
    Errors.push(...(output.Errors ?? []));
  }
  return Errors.length === 0 ? result : { ...result, output: { ...result.output, Errors } };
}
