import type { S3Client } from "@aws-sdk/client-s3";
import { instructionFileSuffix } from "@s3ec/envelope";
import { S3EncryptionError, type SiblingFile, type SiblingRules, type WrapPlace } from "@s3ec/materials";
import { AllowedLosses, type Loss } from "../restate/losses.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { type FoundFile, type FoundObject, isUnchanged } from "../write/sibling-files.js";
import { type SiblingStore, UnansweredPut } from "../write/sibling-store.js";
import { type FileBeside, fileToRewrap, seenFile, storageOf, storeBeside } from "./file-beside.js";
import { makeNewWrap, type NewWrap } from "./new-wrap.js";
import { invalid, type Rewrap } from "./rewrap-options.js";
import type { StandingObject } from "./standing-object.js";

/** A file that now holds the new wrap. */
export interface RewrappedFile extends NewWrap {
  readonly etag: string;
  /** Of the file that was replaced, in a bucket that keeps versions: it holds the old wrap. */
  readonly replacedVersionId: string | undefined;
  /** What of the file got lost, as the caller allows. */
  readonly changed: readonly Loss[];
}

/**
 * Puts the new wrap into an instruction file: only what was read is replaced (`If-Match`), and only while the object that
 * the wrap is for is seen to stand, before and after. Undefined where something changed meanwhile: to be begun anew.
 *
 * @param client one that does not encrypt
 * @param isInMetadata whether the wrap that is opened stands in the object's own metadata, and a further file is written
 */
export async function rewrapFile(
  client: S3Client,
  rewrap: Rewrap,
  object: StandingObject,
  isInMetadata: boolean,
): Promise<RewrappedFile | undefined> {
  const { head, format } = object;
  const { Metadata: metadata = {} } = head;
  const rules = format.siblings;
  if (rules === undefined) throw invalid(`Objects of the format "${format.name}" have no instruction files.`);
  const source = isInMetadata ? undefined : await fileToRewrap(client, rewrap, rules, metadata);
  const suffix = suffixToWrite(rewrap, source);
  const looking = storeBeside(client, rewrap, rules);
  const replaced = suffix === source?.suffix ? source.found : await looking.read(suffix);
  const ofFile = replaced.state === "read" ? await seenFile(client, rewrap, suffix) : undefined;
  // It was changed between the two.
  if (replaced.state === "read" && ofFile?.head.ETag !== replaced.etag) return undefined;
  const { mark } = rules.kindOf(metadata);
  const before: FoundObject = { state: "read", mark, head };
  if (!isUnchanged(before, await looking.standing())) return undefined;
  if (source !== undefined) refuseAnothers(looking, rules, mark, source);
  if (suffix !== source?.suffix) refuseUnknown(looking, rules, mark, suffix, replaced);

  const standing: WrapPlace =
    source === undefined ? { in: "metadata" } : { in: "instruction-file", suffix: source.suffix };
  const place: WrapPlace = { in: "instruction-file", suffix };
  // Refused before a key is used.
  const losses = new AllowedLosses(rewrap.keep.allowLoss);
  const shared = await storageOf(client, rewrap, ofFile ?? object, ofFile === undefined ? "" : suffix, losses);
  const made = await makeNewWrap(
    client,
    object.rules,
    rewrap,
    { head, place: standing, text: source?.found.body },
    place,
  );
  const kept = replaced.state === "read" ? replaced.metadata : {};
  const described = { ...made.laid.metadata, ...kept };
  // What is replaced may say that it is of an object that is gone.
  const marked = mark === undefined ? described : rules.marked(described, mark);
  const file = { suffix, body: made.laid.text ?? "", metadata: marked };
  const { beforeWrite, dryRun } = rewrap.writing;
  if (dryRun === true) {
    const etag = replaced.state === "read" ? replaced.etag : "";
    return { ...made, etag, replacedVersionId: undefined, changed: losses.lost };
  }
  await beforeWrite?.({ place, metadata, text: file.body });
  const etag = await write(storeBeside(client, rewrap, rules, shared), file, replaced);
  if (etag === undefined) return undefined;
  await assertStands(looking, file, replaced, before);
  return { ...made, etag, replacedVersionId: ofFile?.head.VersionId, changed: losses.lost };
}

/** The file that holds the wrap, unless another one is named. */
function suffixToWrite({ to }: Rewrap, source: FileBeside | undefined): string {
  const named = to.instructionFileSuffix;
  if (named === undefined) {
    if (source !== undefined) return source.suffix;
    throw invalid("Name the further instruction file (to.instructionFileSuffix).");
  }
  const suffix = instructionFileSuffix(named);
  return source !== undefined && [named, suffix].includes(source.suffix) ? source.suffix : suffix;
}

/** Without a mark it is what its key opens: the commitment or the content tells. */
function refuseAnothers(
  store: SiblingStore,
  rules: SiblingRules,
  mark: string | undefined,
  { suffix, found }: FileBeside,
): void {
  const of = rules.fileMarkOf(found.metadata);
  if (of === undefined || mark === undefined || of === mark) return;
  throw new S3EncryptionError(
    "content-mismatch",
    `${JSON.stringify(store.keyOf(suffix))} is of another object than the one beside it: a put is under way, or one has broken off. Nothing was changed; try again later.`,
  );
}

/** What a further file would replace may be anybody's, unless it says that it is of this object, or of one that is gone. */
function refuseUnknown(
  store: SiblingStore,
  rules: SiblingRules,
  mark: string | undefined,
  suffix: string,
  replaced: FoundFile,
): void {
  const isTold = replaced.state === "read" && mark !== undefined && rules.fileMarkOf(replaced.metadata) !== undefined;
  if (replaced.state === "missing" || isTold || rules.replaceUnknown) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `Nothing was changed: ${JSON.stringify(store.keyOf(suffix))} is there, and whose it is cannot be told. Re-wrap that file (instructionFileSuffix), choose another suffix, or set instructionFileConfig.replaceUnknownFiles.`,
  );
}

async function write(store: SiblingStore, file: SiblingFile, replaced: FoundFile): Promise<string | undefined> {
  try {
    return await store.write(file, replaced);
  } catch (error) {
    if (!(error instanceof UnansweredPut)) throw error;
    throw new InstructionFileError(
      "outcome-unknown",
      "Whether the new wrap is stored cannot be told: the put of the file was not answered, and may still arrive. The object is readable by the old key or the new one: look, and do it again.",
      [affected(store, file, replaced)],
      error,
    );
  }
}

/** The text as it was sent, and the object that it is for. */
async function assertStands(
  store: SiblingStore,
  file: SiblingFile,
  replaced: FoundFile,
  before: FoundObject,
): Promise<void> {
  const now = await store.read(file.suffix);
  const isText = now.state === "read" && now.body === file.body;
  if (isText && isUnchanged(before, await store.standing())) return;
  throw new InstructionFileError(
    "content-mismatch",
    `The new wrap was stored, and ${isText ? "the object" : "its file"} was replaced or deleted meanwhile: do it again if that still needs it.`,
    [affected(store, file, replaced)],
  );
}

function affected(store: SiblingStore, { suffix, body }: SiblingFile, replaced: FoundFile) {
  const previous = replaced.state === "read" ? { previous: replaced.body } : {};
  return { key: store.keyOf(suffix), written: body, ...previous };
}
