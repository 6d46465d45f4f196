import type { SiblingFile } from "@s3ec/materials";
import { type CallOptions, requestOf } from "../call-options.js";
import { siblingRules } from "../files-beside.js";
import type { ResolvedOptions } from "../options.js";
import { unlessAborted } from "../request-aborted.js";

/**
 * Whose a file beside an object is. `none`: it is no instruction file for such an object at all. `unverified`: nothing
 * speaks against it, and nothing proves it: it has no mark, and no key here opens it.
 */
export type Owner = "its" | "another" | "unverified" | "none";

interface Copied {
  readonly bucket: string | undefined;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** By the file's mark; of other writers' files, which have none, by what a key of ours proves. */
export async function ownerOf(
  options: ResolvedOptions,
  call: CallOptions,
  { bucket, key, metadata }: Copied,
  { suffix, body, metadata: ofFile }: SiblingFile,
): Promise<Owner> {
  const rules = siblingRules(options);
  const mark = rules.fileMarkOf(ofFile);
  if (mark !== undefined) return mark === rules.kindOf(metadata).mark ? "its" : "another";
  const file = { suffix, text: body };
  if (!rules.isFileFor(metadata, file, options.materialsManager)) return "none";
  const object = { ...requestOf(options, call, { Bucket: bucket, Key: key }), metadata };
  const isProven = await unlessAborted(() => rules.isProven(object, file), call.abortSignal);
  return isProven ? "its" : "unverified";
}
