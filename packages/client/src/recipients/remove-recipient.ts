import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { recipientOfAnnotation } from "@s3ec/envelope";
import { type OptionNames, S3EncryptionError, type WrapPlace } from "@s3ec/materials";
import { AnnotationStore } from "../annotations/annotation-store.js";
import {
  type CallOptions,
  callOptionsOf,
  type EncryptionCallOptions,
  requestOf,
  withCallOptions,
} from "../call-options.js";
import { lookingStore } from "../commands/looking-store.js";
import { siblingRules } from "../files-beside.js";
import { requireAtRest } from "../moving/at-rest.js";
import { seenAnnotations } from "../moving/seen-annotations.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { defined } from "../rewrap/rewrap-options.js";
import { listRecipients, type Recipient } from "./list-recipients.js";
import {
  checkRecipients,
  placesOf,
  RECIPIENTS,
  type RecipientOptions,
  type RecipientsOptions,
  recipientName,
} from "./recipient-options.js";
import { RecipientStateError } from "./recipient-state-error.js";
import { replaced, WrapRemoval } from "./wrap-removal.js";

/** Which recipient of which object. */
export interface RemoveRecipientOptions
  extends RecipientOptions,
    Pick<EncryptionCallOptions, "encryptionContext" | "materialDescription"> {
  /** Look at everything, and delete nothing. Default false. */
  readonly dryRun?: boolean;
}

/** What is left of a recipient. */
export interface RemovedRecipient {
  /** What was deleted, or would be. */
  readonly removed: readonly WrapPlace[];
  /** What is there all the same: somebody put it meanwhile, or it is no wrap of this object. */
  readonly remaining: readonly WrapPlace[];
  /** Places that may not be looked at: not known to be removed. */
  readonly unknown: readonly WrapPlace["in"][];
  /** Of the object, or version, that was looked at. */
  readonly ETag: string;
  /** Of the same, where the bucket keeps versions. */
  readonly VersionId?: string;
  /** What no removal does, in a sentence. */
  readonly limits: string;
}

const OPTIONS: OptionNames<RemoveRecipientOptions> = {
  ...RECIPIENTS,
  recipient: true,
  dryRun: true,
  encryptionContext: true,
  materialDescription: true,
};

const LIMITS =
  "Whoever has opened the object may keep its data key, and whoever kept the wrap can put it back; older versions, copies and backups keep theirs. Only a new data key ends access: migrateObject, or s3ec migrate.";

/**
 * Removes a recipient: every annotation `x-s3ec/NAME` and `x-s3ec/NAME/...`, and the file at the object's key plus `.NAME`,
 * where that is a wrap of this object. Then looks at both again. Of an object whose metadata holds no wrapped key, what was removed is
 * put back where nothing else is left by then: of two removals at once, one fails.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `invalid-argument`; `RecipientStateError` where there is no such recipient; `unsupported-operation` where the object could not be read without;
 *   `content-mismatch` where the object was replaced meanwhile, its annotations are being moved, or another removal
 *   took what else it could be read by; `PartlyRemovedError` where something was removed before one failed; S3's own errors
 */
export async function removeRecipient(client: S3Client, options: RemoveRecipientOptions): Promise<RemovedRecipient> {
  checkRecipients<RemoveRecipientOptions>(options, OPTIONS, "removeRecipient");
  if (!["undefined", "boolean"].includes(typeof options.dryRun)) {
    throw new S3EncryptionError("invalid-argument", "dryRun must be true or false.");
  }
  const { annotation, suffix } = placesOf(options);
  // Refused here, before anything is asked.
  callOf(options);
  const encryption = encryptionOf(client, undefined);
  const { recipient, dryRun = false } = options;
  const { abortSignal, ...object } = recipientsOf(options);
  const plain = plainClientOf(client);
  const request = abortSignal === undefined ? {} : { abortSignal };
  const head = await plain.send(new HeadObjectCommand(object), request);
  const { Metadata: metadata = {}, ETag = "" } = head;
  const rules = siblingRules(encryption);
  const files = lookingStore(plain, object, encryption, abortSignal);
  const annotations = new AnnotationStore(plain, object, abortSignal);
  const isFileOfThis = (text: string): boolean =>
    rules.isFileFor(metadata, { suffix, text }, encryption.materialsManager);
  const { standsAlone } = rules.kindOf(metadata);
  const hasFiles = options.VersionId === undefined;
  if (hasFiles) await requireAtRest(plain, object, head, (of = {}) => rules.kindOf(of).mark, abortSignal, dryRun);
  if (hasFiles && !standsAlone && rules.unnamed.includes(suffix)) {
    throw new S3EncryptionError(
      "unsupported-operation",
      `Nothing was removed: the object's metadata holds no wrapped key, and the file at its key plus "${suffix}" is the generator's.`,
    );
  }
  if (!standsAlone) await requireAnother(client, options, metadata);
  // With a version, no file is touched: nothing says which version of it belongs to that.
  const file = hasFiles ? await files.read(suffix) : NOT_LOOKED_AT;
  const names = await namesOf(annotations, annotation);
  const isThere = file.state === "read" && isFileOfThis(file.body);
  const found = { names, ...(isThere ? { file: { ...file, suffix } } : {}) };
  const removing = new WrapRemoval(plain, { encryption, object, etag: ETag, abortSignal }, found);
  if (!dryRun) {
    await removing.removeAll(
      standsAlone ? undefined : async () => await isReadable(client, options, metadata, await beside(client, options)),
    );
  }
  const removed = dryRun ? removing.places : removing.removed;
  const look = async (): Promise<RemovedRecipient> => {
    const remaining: WrapPlace[] = [];
    const unknown: WrapPlace["in"][] = [];
    const seen = await seenAnnotations(annotations);
    // What has taken its place by then may be given the recipient after this list: by a copy, or a migration that wraps for them.
    const now = await plain.send(new HeadObjectCommand(object), request);
    if (now.ETag !== ETag) throw replaced();
    if (seen.state === "unknown") unknown.push("annotation");
    if (seen.state === "listed" && !dryRun) {
      const left = seen.annotations.filter(({ name }) => isOfRecipient(name, annotation));
      remaining.push(...left.map(({ name }) => ({ in: "annotation", name }) as const));
    }
    const left = hasFiles ? await files.read(suffix) : NOT_LOOKED_AT;
    if (left.state === "unknown") unknown.push("instruction-file");
    if (left.state === "read" && isFileOfThis(left.body) && !dryRun) remaining.push({ in: "instruction-file", suffix });
    const isKnown = !unknown.some((place) => place === "annotation" || hasFiles);
    if (isKnown && removed.length + remaining.length === 0) throw unknownRecipient(recipient);
    const version = head.VersionId === undefined ? {} : { VersionId: head.VersionId };
    return { removed, remaining, unknown, ETag, ...version, limits: LIMITS };
  };
  return dryRun ? await look() : await removing.telling(look);
}

/**
 * Refuses to remove what may be all that an object without a wrapped key on it is read by, under whatever name it is: a file
 * without a mark counts as another way only where a key of ours opens it.
 */
async function requireAnother(
  client: S3Client,
  options: RemoveRecipientOptions,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const name = recipientName(options.recipient);
  const recipients = await beside(client, options);
  const others = recipients.filter((each) => each.recipient !== name);
  if (others.length === recipients.length || (await isReadable(client, options, metadata, others))) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `Nothing was removed: the object's metadata holds no wrapped key, and beside "${name}" none is known to be its, so that it may be readable by that alone. Add another recipient first (addRecipient), or delete the object.`,
  );
}

async function beside(client: S3Client, options: RemoveRecipientOptions): Promise<readonly Recipient[]> {
  return (await listRecipients(client, recipientsOf(options))).recipients;
}

/** Of which object; without what is said of one of its recipients. */
function recipientsOf(options: RemoveRecipientOptions): RecipientsOptions {
  const { recipient: _, dryRun: __, encryptionContext: ___, materialDescription: ____, ...object } = options;
  return object;
}

/** What the object's other wraps are opened with. */
function callOf({ encryptionContext, materialDescription }: RemoveRecipientOptions): CallOptions {
  return callOptionsOf(withCallOptions({}, defined({ encryptionContext, materialDescription })));
}

/** Whether one of these is known to be a way to read an object without a wrapped key on it. */
async function isReadable(
  client: S3Client,
  options: RemoveRecipientOptions,
  metadata: Readonly<Record<string, string>>,
  recipients: readonly Recipient[],
): Promise<boolean> {
  const resolved = encryptionOf(client, undefined);
  const rules = siblingRules(resolved);
  for (const { place, state, text } of recipients) {
    // An annotation counts only beside what holds the content to its key (S19).
    if (place.in === "annotation" && state === "of this object" && rules.tells(metadata, resolved.materialsManager))
      return true;
    if (place.in !== "instruction-file") continue;
    if (state === "of this object") return true;
    const object = { ...requestOf(resolved, callOf(options), options), metadata };
    if (state === "unproven" && (await rules.isProven(object, { suffix: place.suffix, text }))) return true;
  }
  return false;
}

const NOT_LOOKED_AT = { state: "unknown" } as const;

/** None where they may not be listed: then they are not known to be removed. */
async function namesOf(store: AnnotationStore, annotation: string): Promise<readonly string[]> {
  const seen = await seenAnnotations(store);
  if (seen.state !== "listed") return [];
  return seen.annotations.map(({ name }) => name).filter((name) => isOfRecipient(name, annotation));
}

function isOfRecipient(name: string, annotation: string): boolean {
  return recipientOfAnnotation(name) === recipientOfAnnotation(annotation);
}

function unknownRecipient(recipient: string): RecipientStateError {
  return new RecipientStateError(
    `Nothing was removed: "${recipient}" is no recipient of the object, neither in an annotation nor in a file. Which there are, listRecipients tells.`,
    false,
  );
}
