import { quotedList } from "@s3ec/envelope";
import { type ObjectKind, S3EncryptionError, type SiblingFile } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import { siblingRules } from "../files-beside.js";
import { formatToWrite, type ResolvedOptions } from "../options.js";
import type { FoundFile } from "../write/sibling-files.js";
import { ownerOf } from "./whose-file.js";

/** The object whose files are asked for, as it was seen. */
export interface SeenObject {
  readonly bucket: string | undefined;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly kind: ObjectKind;
}

/**
 * Those of the files found beside an object that have to be copied with it. Refuses what is of another object, and a copy
 * that could not be read.
 */
export async function filesToCopy(
  options: ResolvedOptions,
  call: CallOptions,
  object: SeenObject,
  found: ReadonlyMap<string, FoundFile>,
): Promise<readonly SiblingFile[]> {
  const rules = siblingRules(options);
  const files: SiblingFile[] = [];
  for (const [suffix, entry] of found) {
    if (entry.state !== "read") continue;
    const file = { suffix, body: entry.body, metadata: entry.metadata };
    const owner = await ownerOf(options, call, object, file);
    if (owner === "another") throw ofAnother(`${object.key}${suffix}`);
    // What could not be proven stays without a mark.
    const { mark } = object.kind;
    if (owner === "its" && mark !== undefined) files.push({ ...file, metadata: rules.marked(entry.metadata, mark) });
    else if (owner !== "none") files.push(file);
  }
  if (files.length === 0) refuseUnreadable(options, call, object, found);
  if (object.kind.standsAlone) return files;
  // Named by the call: that one is its own, whatever else is there.
  const named = files.filter(({ suffix }) => suffix === call.instructionFileSuffix);
  if (object.kind.mark === undefined && named.length > 0) return named;
  const texts = files.map(({ suffix, body }) => ({ suffix, text: body }));
  rules.refuseStale(object.metadata, texts, options.materialsManager);
  return files;
}

function ofAnother(key: string): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    `${JSON.stringify(key)} is of another object than the one beside it: a put is under way, or one has broken off. Copy it again later; or delete that file if it is of an earlier object.`,
  );
}

/** Nothing was found that belongs to the object. */
function refuseUnreadable(
  options: ResolvedOptions,
  call: CallOptions,
  { key, kind }: SeenObject,
  found: ReadonlyMap<string, FoundFile>,
): void {
  if (kind.standsAlone) return;
  const rules = siblingRules(options);
  const ours = [...found].filter(([suffix]) => rules.isOurs(suffix));
  const places = quotedList(ours.map(([suffix]) => suffix));
  const isHidden = ours.some(([, { state }]) => state === "unknown") && !rules.replaceUnknown;
  if (kind.needsFile) {
    throw new S3EncryptionError(
      "unsupported-operation",
      `The copy could not be read: the object's wrapped key is in an instruction file, and none of it ${isHidden ? "may be read" : "is there"} at its key plus ${places}. ${isHidden ? "Allow s3:GetObject on it." : "Pass its suffix (instructionFileSuffix)."}`,
    );
  }
  const hasFiles = formatToWrite(options, call).siblings !== undefined;
  if (!isHidden || !hasFiles || !rules.reads) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `Whether ${JSON.stringify(key)} can be copied alone cannot be told: nothing on it says how it is encrypted, and what is at its key plus ${places} may not be read, or not be known to be missing. Allow s3:GetObject and s3:ListBucket; where it is of a format that has no such files, name that (format); where it is no encrypted object, copy it with a plain S3Client.`,
  );
}
