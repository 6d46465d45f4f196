import { siblingRules } from "../files-beside.js";
import type { ResolvedOptions } from "../options.js";
import type { FoundFile } from "../write/sibling-files.js";
import type { SiblingStore } from "../write/sibling-store.js";

/** A file to delete with its object, if it is still what was read. */
export interface FileToDelete {
  readonly suffix: string;
  readonly key: string;
  /** `*` for whatever is there. */
  readonly etag: string;
  /** Where it was read. */
  readonly body?: string;
}

/** What is to be deleted with an object. */
export interface FilesToDelete {
  readonly files: readonly FileToDelete[];
  /** Which may not be read, where that is certain to be there, or one of them is. */
  readonly unreadable: readonly FileToDelete[];
}

/**
 * The files beside an object that is about to be deleted, and no other object that is called like one. What may not be read is most often not there: without
 * `s3:ListBucket` S3 does not say. It is left, and only told of when the object cannot be without; what is there under a key of the
 * customer's that was not named is told of always.
 *
 * @param aside the file of its annotations that a migration which broke off has left
 */
export async function filesToDelete(
  store: SiblingStore,
  suffixes: readonly string[],
  options: ResolvedOptions,
  aside: () => Promise<FileToDelete | undefined>,
): Promise<FilesToDelete> {
  const rules = siblingRules(options);
  const [found, left] = await Promise.all([store.readAll(suffixes), aside()]);
  const isHidden = [...found].some(([suffix, file]) => rules.isOurs(suffix) && file.state === "unknown");
  const isForeign = [...found].some(([suffix, file]) => !rules.isOurs(suffix) && file.state === "read");
  const askAlso = isForeign || (isHidden && !rules.replaceUnknown);
  const standing = askAlso ? await store.standing() : undefined;
  const metadata = standing?.state === "read" ? (standing.head.Metadata ?? {}) : undefined;
  const files: FileToDelete[] = [];
  const unreadable: FileToDelete[] = [];
  const held: FileToDelete[] = [];
  for (const [suffix, file] of found) {
    const entry = { suffix, key: store.keyOf(suffix) };
    if (file.state === "read" && isItsOwn(suffix, file)) files.push({ ...entry, etag: file.etag, body: file.body });
    if (file.state !== "unknown" || !rules.isOurs(suffix)) continue;
    const list = rules.replaceUnknown ? files : file.isHeld === true ? held : unreadable;
    list.push({ ...entry, etag: "*" });
  }
  const lacksOne = metadata !== undefined && rules.kindOf(metadata).needsFile && files.length === 0;
  if (left !== undefined) files.push(left);
  return { files, unreadable: lacksOne ? [...held, ...unreadable] : held };

  function isItsOwn(suffix: string, { body, metadata: ofFile }: Extract<FoundFile, { state: "read" }>): boolean {
    // Somebody's object may have such a name.
    if (rules.isOurs(suffix)) return rules.replaceUnknown || rules.isFile({ suffix, text: body }, ofFile);
    return metadata !== undefined && rules.isFileFor(metadata, { suffix, text: body }, options.materialsManager);
  }
}
