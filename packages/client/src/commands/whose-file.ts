import {
  assertMayDecrypt,
  classifyEnvelope,
  fileMark,
  holdsWrappedKey,
  objectMark,
  openContentKey,
} from "@s3ec/envelope";
import type { CallOptions } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import type { SiblingFile } from "../write/sibling-files.js";
import { isFileFor } from "./files-beside.js";

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
  object: Copied,
  file: SiblingFile,
): Promise<Owner> {
  const mark = fileMark(file.metadata);
  if (mark !== undefined) return mark === objectMark(object.metadata) ? "its" : "another";
  if (!isFileFor(object.metadata, { suffix: file.suffix, text: file.body }, options.materialsManager)) return "none";
  return (await isProven(options, call, object, file)) ? "its" : "unverified";
}

/**
 * The IV of an envelope in the metadata, which was compared, or the commitment of V3 (S19). Why it is not proven is not
 * told apart: whoever can write to the bucket would learn which wraps a key of ours opens (S16).
 */
async function isProven(
  options: ResolvedOptions,
  call: CallOptions,
  { bucket, key, metadata }: Copied,
  { suffix, body }: SiblingFile,
): Promise<boolean> {
  const { materialsManager, commitmentPolicy } = options;
  const { wrapAlgorithms } = materialsManager;
  try {
    const beside = classifyEnvelope(metadata, { wrapAlgorithms, preferInstructionFile: true });
    if (beside.placement === "metadata") return false;
    const envelope = beside.complete({ suffix, text: body });
    if (envelope.format !== "V3") return holdsWrappedKey(metadata);
    assertMayDecrypt(envelope, options, wrapAlgorithms);
    const { dataKey } = await materialsManager.getDecryptionMaterials({
      suite: envelope.suite,
      algorithmBinding: envelope.algorithmBinding,
      commitmentPolicy,
      encryptionContext: call.encryptionContext,
      bucket,
      key,
      ...(call.materialDescription === undefined ? {} : { materialDescription: call.materialDescription }),
      encryptedDataKeys: [envelope.encryptedDataKey],
    });
    openContentKey(envelope, dataKey);
    return true;
  } catch {
    return false;
  }
}
