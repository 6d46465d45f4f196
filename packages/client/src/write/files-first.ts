import { S3EncryptionError, type SiblingFile } from "@s3ec/materials";
import { refuseForeign, unreadable } from "./settle-files.js";
import { type AffectedFile, InstructionFileError, quoted } from "./sibling-error.js";
import { type FoundFile, type FoundObject, isUnchanged, type SiblingsToPut } from "./sibling-files.js";
import { type SiblingStore, UnansweredPut } from "./sibling-store.js";

/** How often files that others write at the same time are tried again. */
const MAX_ROUNDS = 5;

interface Replaced {
  readonly file: SiblingFile;
  readonly found: FoundFile;
  readonly etag: string;
}

/** Files that were written before their object was, and what it takes to undo that. */
export interface FilesFirst {
  /**
   * Puts back what was there, as long as the object stands that it was read beside: another one's owner writes its own.
   * Throws `outcome-unknown` where that fails; `reason` is why the object was not stored.
   */
  putBack(reason: unknown): Promise<void>;
  /** Whether the object stands, or none, that the files were read beside. */
  stillStands(): Promise<boolean>;
  /** What cannot be told, in an error that carries the text of both files. */
  unknown(reason: unknown): InstructionFileError;
}

/**
 * Writes the files without which the object could not be read, each on the condition that it is still what was read.
 * Refuses before that when it is of no object that stands: another put is under way, or one has broken off.
 */
export async function writeFilesFirst(store: SiblingStore, siblings: SiblingsToPut): Promise<FilesFirst> {
  const replaced: Replaced[] = [];
  let standing: FoundObject = { state: "unknown" };
  let open = siblings.files;
  let unanswered: Replaced | undefined;
  const first = (): FilesFirst => undoable(store, replaced, standing, siblings);
  try {
    for (let round = 0; round < MAX_ROUNDS && open.length > 0; round++) {
      const found = await store.readAll(open.map(({ suffix }) => suffix));
      refuseForeign(store, siblings, open, found);
      const now = await store.standing();
      if (round > 0 && now.state !== "unknown" && !isUnchanged(standing, now)) throw interrupted(store, siblings, open);
      standing = now;
      for (const { suffix } of open) requireOfStanding(store, siblings, suffix, found.get(suffix), standing);
      const refused: SiblingFile[] = [];
      // One after another: those that may not be read come first, as the likeliest to end it.
      for (const file of unknownFirst(open, found)) {
        const previous = found.get(file.suffix) ?? { state: "missing" };
        unanswered = { file, found: previous, etag: "" };
        const etag = await store.write(file, previous);
        if (etag !== undefined) replaced.push({ file, found: previous, etag });
        else if (previous.state !== "unknown") refused.push(file);
        else throw notReadable(store, file);
      }
      open = refused;
    }
    if (open.length > 0) throw interrupted(store, siblings, open);
    return first();
  } catch (error) {
    if (error instanceof UnansweredPut && unanswered !== undefined) {
      // It may come behind whatever is put back: then the old object would stand with the new file.
      throw undoable(store, [...replaced, unanswered], standing, siblings).unknown(error.cause);
    }
    if (replaced.length > 0) await first().putBack(error);
    throw error;
  }
}

function unknownFirst(files: readonly SiblingFile[], found: ReadonlyMap<string, FoundFile>): readonly SiblingFile[] {
  const isUnknown = ({ suffix }: SiblingFile): boolean => found.get(suffix)?.state === "unknown";
  return [...files.filter(isUnknown), ...files.filter((file) => !isUnknown(file))];
}

/** A file without a mark, of other writers or of earlier releases, is taken for the standing object's. */
function requireOfStanding(
  store: SiblingStore,
  siblings: SiblingsToPut,
  suffix: string,
  file: FoundFile | undefined,
  standing: FoundObject,
): void {
  if (siblings.replaceUnknown || file?.state !== "read" || standing.state !== "read") return;
  const of = siblings.fileMarkOf(file.metadata);
  if (of === undefined || of === standing.mark || siblings.standsAlone(standing.head.Metadata ?? {})) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `${quoted([store.keyOf(suffix)])} is not of the object that stands: another put is under way, or one has broken off and left the object unreadable. ${siblings.verb} it again later; or set instructionFileConfig.replaceUnknownFiles to replace it for good.`,
  );
}

function notReadable(store: SiblingStore, { suffix }: SiblingFile): S3EncryptionError {
  const cause = unreadable(store.keyOf(suffix));
  return new S3EncryptionError("unsupported-operation", cause.message);
}

function interrupted(store: SiblingStore, { verb }: SiblingsToPut, files: readonly SiblingFile[]): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    `Others put the same object at the same time: ${quoted(files.map(({ suffix }) => store.keyOf(suffix)))} changed meanwhile. Nothing was stored. ${verb} it again.`,
  );
}

function undoable(
  ordinary: SiblingStore,
  replaced: readonly Replaced[],
  standing: FoundObject,
  siblings: SiblingsToPut,
): FilesFirst {
  const fail = (what: string, reason: unknown): InstructionFileError => {
    const files = replaced.map(({ file, found }) => affected(ordinary, file, found));
    const keys = quoted(files.map(({ key }) => key));
    const advice = `Look at the object. If it is the old one: ${siblings.verb} it again, or put back the files as this error has them (files).`;
    return new InstructionFileError("outcome-unknown", `${what}: ${keys}. ${advice}`, files, reason);
  };
  const putBack = async (reason: unknown): Promise<void> => {
    try {
      const store = ordinary.afterFailure();
      const now = await store.standing();
      for (const { file, found, etag } of replaced) {
        // Where S3 does not say whether there is a file, ours was created, unless it was put over whatever there is.
        const wasCreated = found.state === "missing" || (found.state === "unknown" && !siblings.replaceUnknown);
        if (wasCreated) await store.remove(file.suffix, etag);
        if (found.state !== "read" || !isPrevious(siblings, found, standing)) continue;
        if (now.state === "unknown") throw new Error("The object may not be looked at (403).");
        if (!isUnchanged(standing, now)) continue;
        await store.write({ suffix: file.suffix, body: found.body, metadata: found.metadata }, { ...found, etag });
      }
    } catch {
      throw fail("The object was not stored, and what was there before could not be put back", reason);
    }
  };
  const unknown = (reason: unknown): InstructionFileError =>
    fail("Whether the object was stored cannot be told, so its instruction files stay as they were put", reason);
  const stillStands = async (): Promise<boolean> => {
    const now = await ordinary
      .afterFailure()
      .standing()
      .catch(() => ({ state: "unknown" }) as const);
    return now.state !== "unknown" && isUnchanged(standing, now);
  };
  return { putBack, stillStands, unknown };
}

/** Not what another put has left, or has just put: that one puts its own again once its object stands. */
function isPrevious(siblings: SiblingsToPut, found: FoundFile, standing: FoundObject): boolean {
  const of = found.state === "read" ? siblings.fileMarkOf(found.metadata) : undefined;
  return of === undefined || (standing.state === "read" && of === standing.mark);
}

function affected(store: SiblingStore, file: SiblingFile, found: FoundFile): AffectedFile {
  const written = { key: store.keyOf(file.suffix), written: file.body };
  return found.state === "read" ? { ...written, previous: found.body } : written;
}
