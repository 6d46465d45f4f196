import { randomUUID } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import { recipientOfAnnotation } from "@s3ec/envelope";
import { S3EncryptionError, type WrapPlace } from "@s3ec/materials";
import { refuseNotAnnotatable } from "../annotations/annotatable.js";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { requireAtRest } from "../moving/at-rest.js";
import { listedAnnotations, seenAnnotations } from "../moving/seen-annotations.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { fileToRewrap, storeBeside } from "../rewrap/file-beside.js";
import { makeNewWrap, type NewWrap, type StandingWrap } from "../rewrap/new-wrap.js";
import { rewrapFile } from "../rewrap/rewrap-file.js";
import {
  defined,
  type Rewrap,
  type RewrapOptions,
  type RewrapTarget,
  resolveRewrap,
} from "../rewrap/rewrap-options.js";
import { markOf, type StandingObject, standingObject } from "../rewrap/standing-object.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { checkRecipients, placesOf, RECIPIENTS, type RecipientOptions, recipientName } from "./recipient-options.js";
import { RecipientStateError } from "./recipient-state-error.js";

/** Which object gets which further key, and where that goes. */
export interface AddRecipientOptions
  extends RecipientOptions,
    Pick<
      RewrapOptions,
      | "allowLoss"
      | "encryptionContext"
      | "format"
      | "instructionFileSuffix"
      | "materialDescription"
      | "owner"
      | "verify"
    > {
  /** What wraps the data key for the recipient. */
  readonly to: Omit<RewrapTarget, "instructionFileSuffix">;
  /** Where it goes: an annotation of the object (default), or a file at its key plus `.` and the recipient's name. */
  readonly in?: "annotation" | "instruction-file";
  /** Do everything but store the wrap. Default false. */
  readonly dryRun?: boolean;
}

/** A recipient that an object has now. */
export interface AddedRecipient {
  /** Where the wrap stands. */
  readonly place: WrapPlace;
  /** The wrap, as the sibling clients call it. */
  readonly wrapAlgorithm: string;
  /** What was seen to work before success was said: the wrap with the content's tag, the wrap, or nothing. */
  readonly verified: "content" | "envelope" | "unverified";
  /** Whether the key store did it all, and gave no data key out: `ReEncrypt` of KMS. */
  readonly isReencrypted: boolean;
  /** The wrap's text, as it is stored. */
  readonly text: string;
  /** Of the object, or version, whose recipient it is. */
  readonly ETag: string;
  /** Of the same, where the bucket keeps versions. */
  readonly VersionId?: string;
}

const OPTIONS = {
  ...RECIPIENTS,
  recipient: true,
  to: true,
  in: true,
  allowLoss: true,
  encryptionContext: true,
  materialDescription: true,
  instructionFileSuffix: true,
  format: true,
  owner: true,
  verify: true,
  dryRun: true,
} as const;

/** How often what others change at the same time is begun anew. */
const MAX_ROUNDS = 5;

/**
 * Gives an object a further recipient: the client's own keyring opens the data key, the one in `to` wraps it, and its wrap is
 * stored beside the object, which stays as it is. Neither a recipient that is there nor anybody's file is replaced; where two
 * clients add annotations of one name at the same time, both stay and open the object.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError as `rewrapObject`; `RecipientStateError` where there is such a recipient; `unsupported-operation` for an object without key commitment unless
 *   `enableUncommittedChildren`, for CBC, and where the store has no annotations; `content-mismatch` where the object was
 *   replaced meanwhile, or its annotations are being moved
 */
export async function addRecipient(client: S3Client, options: AddRecipientOptions): Promise<AddedRecipient> {
  checkRecipients<AddRecipientOptions>(options, OPTIONS, "addRecipient");
  const { recipient: _, in: place = "annotation", to, ...rest } = options;
  if (place !== "annotation" && place !== "instruction-file") {
    throw new S3EncryptionError("invalid-argument", 'in must be "annotation" or "instruction-file".');
  }
  const { annotation, suffix } = placesOf(options);
  const target = place === "annotation" ? to : { ...to, instructionFileSuffix: suffix };
  const resolved = resolveRewrap(encryptionOf(client, undefined), { ...rest, to: target });
  // A file beside an older version would be the current one's.
  const version = place === "annotation" ? { ...resolved.object, ...defined({ VersionId: options.VersionId }) } : {};
  const rewrap: Rewrap = { ...resolved, version: { ...resolved.version, ...version }, isRecipient: true };
  const plain = plainClientOf(client);
  if (place === "annotation") refuseNotAnnotatable(options);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const object = await standingObject(plain, rewrap);
    if (options.VersionId === undefined) {
      await requireAtRest(
        plain,
        rewrap.object,
        object.head,
        markOf(object.format),
        rewrap.from.abortSignal,
        options.dryRun,
      );
    }
    const done =
      place === "annotation"
        ? await annotate(plain, rewrap, object, annotation)
        : await addFile(plain, rewrap, object, suffix);
    if (done !== undefined) return addedRecipient(done, object);
  }
  throw new S3EncryptionError("content-mismatch", "Others change the object again and again. Try again later.");
}

function addedRecipient({ laid, verified, isReencrypted }: NewWrap, { head }: StandingObject): AddedRecipient {
  return {
    place: laid.place,
    wrapAlgorithm: laid.encryptedDataKey.wrapAlgorithm.name,
    verified: verified === "none" ? "unverified" : verified,
    isReencrypted,
    text: laid.text ?? "",
    ETag: head.ETag ?? "",
    ...(head.VersionId === undefined ? {} : { VersionId: head.VersionId }),
  };
}

function hasOwnWrap({ from }: Rewrap, { head, format }: StandingObject): boolean {
  if (from.instructionFileSuffix !== undefined) return false;
  return format.siblings === undefined || format.siblings.kindOf(head.Metadata ?? {}).standsAlone;
}

async function addFile(
  client: S3Client,
  rewrap: Rewrap,
  object: StandingObject,
  suffix: string,
): Promise<NewWrap | undefined> {
  await refuseFileOfThis(client, rewrap, object, suffix);
  const store = new AnnotationStore(client, rewrap.object, rewrap.from.abortSignal);
  const done = await rewrapFile(client, rewrap, object, hasOwnWrap(rewrap, object));
  if (done !== undefined) await seenAnnotations(store);
  return done;
}

/** A file that says whose it is would be replaced by another one's. */
async function refuseFileOfThis(
  client: S3Client,
  rewrap: Rewrap,
  { head, format }: StandingObject,
  suffix: string,
): Promise<void> {
  const rules = format.siblings;
  if (rules === undefined) return;
  const file = await storeBeside(client, rewrap, rules).read(suffix);
  const { mark } = rules.kindOf(head.Metadata ?? {});
  const isOfThis = file.state === "read" && mark !== undefined && rules.fileMarkOf(file.metadata) === mark;
  if (isOfThis) throw isRecipientAlready(recipientName(suffix));
}

function isRecipientAlready(recipient: string): RecipientStateError {
  return new RecipientStateError(
    `"${recipient}" is a recipient of the object already: remove it first (removeRecipient), or choose another name.`,
    true,
  );
}

/** Undefined where the object that stands is another by then. */
async function annotate(
  client: S3Client,
  rewrap: Rewrap,
  object: StandingObject,
  name: string,
): Promise<NewWrap | undefined> {
  const { version, from } = rewrap;
  const store = new AnnotationStore(client, version, from.abortSignal);
  await store.prove();
  // One under a name that somebody else may choose at the same time would be overwritten: S3 has no condition for that.
  const added = `${name}/${randomUUID()}`;
  const before = await listedAnnotations(store);
  const recipient = recipientOfAnnotation(name);
  if (before.some((each) => recipientOfAnnotation(each.name) === recipient)) {
    throw isRecipientAlready(recipient ?? name);
  }
  const made = await makeNewWrap(client, object.rules, rewrap, await standingWrap(client, rewrap, object), {
    in: "annotation",
    name: added,
  });
  if (rewrap.writing.dryRun === true) return made;
  const text = made.laid.text ?? "";
  if (!(await store.put(added, text, object.head.ETag ?? ""))) return undefined;
  const standing = await readBack(store, added, text, version.Key);
  if (standing === text) return made;
  throw new S3EncryptionError(
    "content-mismatch",
    "The recipient's wrap was stored, and changed or removed meanwhile: look, and add it again if it is still wanted.",
  );
}

/** Throws `instruction-file-failed` where it is stored, and cannot be looked at; `content-mismatch` while it may be left behind. */
async function readBack(
  store: AnnotationStore,
  annotation: string,
  written: string,
  key: string,
): Promise<string | undefined> {
  try {
    await listedAnnotations(store);
    return await store.read(annotation);
  } catch (error) {
    if (error instanceof S3EncryptionError) throw error;
    throw new InstructionFileError(
      "instruction-file-failed",
      `The recipient's wrap is stored, in the annotation ${annotation}, and could not be read back, so that it is not known to stand: allow s3:ListObjectAnnotations and s3:GetObjectAnnotation, and see whether the recipient can read the object, or remove it (removeRecipient) and add it again.`,
      [{ key, annotation, written }],
      error,
    );
  }
}

async function standingWrap(client: S3Client, rewrap: Rewrap, object: StandingObject): Promise<StandingWrap> {
  const { head, format } = object;
  if (hasOwnWrap(rewrap, object) || format.siblings === undefined) {
    return { head, place: { in: "metadata" }, text: undefined };
  }
  const { suffix, found } = await fileToRewrap(client, rewrap, format.siblings, head.Metadata ?? {});
  return { head, place: { in: "instruction-file", suffix }, text: found.body };
}
