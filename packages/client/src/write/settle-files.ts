import { isError, S3EncryptionError, type SiblingFile } from "@s3ec/materials";
import { type AffectedFile, InstructionFileError, quoted } from "./sibling-error.js";
import { type FoundFile, isForeign, isOf, type SiblingsToPut } from "./sibling-files.js";
import type { SiblingStore } from "./sibling-store.js";

/** How often files that others write at the same time are tried again. */
const MAX_ROUNDS = 5;

/**
 * Once the object is stored: every file beside it becomes this object's, and what an earlier put left is removed. A file is
 * written only while the object that it is for is seen to stand, after the file was read and before it is put, and on
 * the condition that it is still what was read: so the owner of the standing object writes last.
 *
 * @param found what was read of the files before the object was sent; undefined where they were written then, and all have
 * to be looked at again
 */
export async function settleFiles(
  store: SiblingStore,
  siblings: SiblingsToPut,
  found: ReadonlyMap<string, FoundFile> | undefined,
): Promise<void> {
  const { files, suffixes, first } = siblings;
  // What S3 has accepted stays ours for as long as our object stands. Not what was put before the object was there.
  const accepted = new Set<string>();
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const open = files.map(({ suffix }) => suffix).filter((suffix) => !accepted.has(suffix));
      const now = round === 0 ? (found ?? (await store.readAll(suffixes))) : await store.readAll(open);
      await requireStanding(store, siblings);
      const pending = files.filter(({ suffix, body }) => open.includes(suffix) && !isText(now.get(suffix), body));
      const stale = [...now].flatMap(([suffix, file]) => (isStale(siblings, suffix, file) ? [{ suffix, file }] : []));
      if (pending.length === 0 && stale.length === 0) return;
      const put = async (file: SiblingFile): Promise<void> => {
        const etag = await writeKnown(store, file, now.get(file.suffix));
        if (etag !== undefined && !first) accepted.add(file.suffix);
      };
      await Promise.all(pending.map(put));
      await Promise.all(stale.map(({ suffix, file }) => removeStale(store, suffix, file)));
    }
  } catch (error) {
    throw error instanceof InstructionFileError ? error : failed(store, siblings, error);
  }
  throw failed(store, siblings, new Error("Others wrote to the same files again and again."));
}

/** Before anything is written: an object that only has a file's name is somebody's. */
export function refuseForeign(
  store: SiblingStore,
  siblings: SiblingsToPut,
  files: readonly SiblingFile[],
  found: ReadonlyMap<string, FoundFile>,
): void {
  if (siblings.replaceUnknown) return;
  const foreign = files.filter(({ suffix }) => isForeign(siblings, suffix, found.get(suffix)));
  if (foreign.length === 0) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `Nothing was stored: an instruction file is to be put at ${quoted(foreign.map(({ suffix }) => store.keyOf(suffix)))}, and an object that is none stands there. Choose another key or suffix; or set instructionFileConfig.replaceUnknownFiles to replace it for good.`,
  );
}

/** One that changes meanwhile is no longer the one that was stale. */
async function removeStale(store: SiblingStore, suffix: string, file: FoundFile): Promise<void> {
  if (file.state !== "read") return;
  try {
    await store.remove(suffix, file.etag);
  } catch (error) {
    const key = store.keyOf(suffix);
    throw new InstructionFileError(
      "instruction-file-failed",
      `The object is stored with its instruction files, but ${quoted([key])}, which is of an object that was there before, could not be removed. Delete it, and allow s3:DeleteObject.`,
      [{ key, previous: file.body }],
      error,
    );
  }
}

async function requireStanding(store: SiblingStore, siblings: SiblingsToPut): Promise<void> {
  const standing = await store.standing();
  if (isOf(siblings.mark, standing)) return;
  if (standing.state !== "unknown") {
    throw new InstructionFileError(
      "content-mismatch",
      `The object was stored, and replaced or deleted meanwhile: its instruction files may be of the other. ${siblings.verb} it again if it is still wanted.`,
      affected(store, siblings.files),
    );
  }
  if (siblings.replaceUnknown) return;
  throw new Error(
    "The stored object may not be looked at (403): allow s3:GetObject, or set instructionFileConfig.replaceUnknownFiles.",
  );
}

/** One that may not be read is either not there, and is created, or stays what it is. */
async function writeKnown(
  store: SiblingStore,
  file: SiblingFile,
  found: FoundFile = { state: "missing" },
): Promise<string | undefined> {
  const etag = await store.write(file, found);
  if (etag === undefined && found.state === "unknown") throw unreadable(store.keyOf(file.suffix));
  return etag;
}

export function unreadable(key: string): Error {
  return new Error(
    `${JSON.stringify(key)} is there and may not be read, so that it cannot be told whose it is: allow s3:GetObject, or set instructionFileConfig.replaceUnknownFiles.`,
  );
}

function isText(found: FoundFile | undefined, body: string): boolean {
  return found?.state === "read" && found.body === body;
}

/** Says that it is of another object, and nothing that this put wrote. Without a mark it may be anybody's, and stays. */
function isStale(
  { files, mark, fileMarkOf, isOfOtherReaders }: SiblingsToPut,
  suffix: string,
  file: FoundFile,
): boolean {
  if (file.state !== "read" || files.some((other) => other.suffix === suffix)) return false;
  const of = fileMarkOf(file.metadata);
  return of !== undefined && (of !== mark || isOfOtherReaders === true);
}

function failed(store: SiblingStore, siblings: SiblingsToPut, cause: unknown): InstructionFileError {
  const files = affected(store, siblings.files);
  const reason = isError(cause) ? ` ${cause.message}` : "";
  return new InstructionFileError(
    "instruction-file-failed",
    `The object is stored, but instruction files beside it may be missing or of an earlier put: ${quoted(files.map(({ key }) => key))}. ${siblings.verb} it again.${reason}`,
    files,
    cause,
  );
}

function affected(store: SiblingStore, files: readonly SiblingFile[]): readonly AffectedFile[] {
  return files.map(({ suffix, body }) => ({ key: store.keyOf(suffix), written: body }));
}
