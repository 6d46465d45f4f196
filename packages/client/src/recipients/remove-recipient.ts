import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { recipientOfAnnotation } from "@s3ec/envelope";
import { S3EncryptionError, type WrapPlace } from "@s3ec/materials";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { callOptionsOf, requestOf } from "../call-options.js";
import { lookingStore } from "../commands/looking-store.js";
import { siblingRules } from "../files-beside.js";
import { requireAtRest } from "../moving/at-rest.js";
import { seenAnnotations } from "../moving/seen-annotations.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { listRecipients } from "./list-recipients.js";
import { checkRecipients, placesOf, RECIPIENTS, type RecipientOptions } from "./recipient-options.js";
import { RecipientStateError } from "./recipient-state-error.js";

/** Which recipient of which object. */
export interface RemoveRecipientOptions extends RecipientOptions {
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
  /** What no removal does, in a sentence. */
  readonly limits: string;
}

const LIMITS =
  "Whoever has opened the object may keep its data key, and whoever kept the wrap can put it back; older versions, copies and backups keep theirs. Only a new data key ends access: migrateObject, or s3ec migrate.";

/**
 * Removes a recipient: every annotation `x-s3ec/NAME` and `x-s3ec/NAME/...`, and the file at the object's key plus `.NAME`,
 * where that is a wrap of this object. Then looks at both again.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `invalid-argument`; `RecipientStateError` where there is no such recipient; `unsupported-operation` where the object could not be read without;
 *   `content-mismatch` where the object was replaced meanwhile, or its annotations are being moved; S3's own errors
 */
export async function removeRecipient(client: S3Client, options: RemoveRecipientOptions): Promise<RemovedRecipient> {
  checkRecipients<RemoveRecipientOptions>(options, { ...RECIPIENTS, recipient: true, dryRun: true }, "removeRecipient");
  if (!["undefined", "boolean"].includes(typeof options.dryRun)) {
    throw new S3EncryptionError("invalid-argument", "dryRun must be true or false.");
  }
  const { annotation, suffix } = placesOf(options);
  const encryption = encryptionOf(client, undefined);
  const { recipient, dryRun = false, abortSignal, ...object } = options;
  const plain = plainClientOf(client);
  const request = abortSignal === undefined ? {} : { abortSignal };
  const head = await plain.send(new HeadObjectCommand(object), request);
  const { Metadata: metadata = {}, ETag = "" } = head;
  const rules = siblingRules(encryption);
  const files = lookingStore(plain, object, encryption, abortSignal);
  const annotations = new AnnotationStore(plain, object, abortSignal);
  const isFileOfThis = (text: string): boolean =>
    rules.isFileFor(metadata, { suffix, text }, encryption.materialsManager);
  const hasFiles = options.VersionId === undefined;
  if (hasFiles) await requireAtRest(plain, object, head, (of = {}) => rules.kindOf(of).mark, abortSignal);
  if (hasFiles && !rules.kindOf(metadata).standsAlone && rules.unnamed.includes(suffix)) {
    throw new S3EncryptionError(
      "unsupported-operation",
      `Nothing was removed: the object's metadata holds no wrapped key, and the file at its key plus "${suffix}" is the generator's.`,
    );
  }
  if (!rules.kindOf(metadata).standsAlone) await requireAnother(client, options, metadata);
  const removed: WrapPlace[] = [];
  for (const name of await namesOf(annotations, annotation)) {
    if (!dryRun && !(await annotations.remove(name, ETag))) throw replaced();
    removed.push({ in: "annotation", name });
  }
  // With a version, no file is touched: nothing says which version of it belongs to that.
  const file = hasFiles ? await files.read(suffix) : NOT_LOOKED_AT;
  const isThere = file.state === "read" && isFileOfThis(file.body);
  if (isThere && (dryRun || (await files.remove(suffix, file.etag)))) {
    removed.push({ in: "instruction-file", suffix });
  }
  const remaining: WrapPlace[] = [];
  const unknown: WrapPlace["in"][] = [];
  const seen = await seenAnnotations(annotations);
  // What has taken its place by then may be given the recipient after this list: by a copy, or a migration that wraps for them.
  const now = await plain.send(new HeadObjectCommand(object), request);
  if (now.ETag !== ETag) throw replaced();
  if (seen.state === "unknown") unknown.push("annotation");
  if (seen.state === "listed" && !dryRun) {
    const names = seen.annotations.filter(({ name }) => isOfRecipient(name, annotation));
    remaining.push(...names.map(({ name }) => ({ in: "annotation", name }) as const));
  }
  const left = hasFiles ? await files.read(suffix) : NOT_LOOKED_AT;
  if (left.state === "unknown") unknown.push("instruction-file");
  if (left.state === "read" && isFileOfThis(left.body) && !dryRun) remaining.push({ in: "instruction-file", suffix });
  const isKnown = !unknown.some((place) => place === "annotation" || hasFiles);
  if (isKnown && removed.length + remaining.length === 0) throw unknownRecipient(recipient);
  return { removed, remaining, unknown, limits: LIMITS };
}

/**
 * Refuses to remove what may be all that an object without a wrapped key on it is read by, under whatever name it is: a file
 * without a mark counts as another way only where a key of ours opens it.
 */
async function requireAnother(
  client: S3Client,
  { recipient, dryRun: _, ...options }: RemoveRecipientOptions,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const resolved = encryptionOf(client, undefined);
  const rules = siblingRules(resolved);
  const name = recipient.replace(/^\.+/, "");
  const { recipients } = await listRecipients(client, options);
  const others = recipients.filter((each) => each.recipient !== name);
  if (others.length === recipients.length) return;
  for (const { place, state, text } of others) {
    // An annotation counts only beside what holds the content to its key (S19).
    if (place.in === "annotation" && state === "of this object" && rules.tells(metadata, resolved.materialsManager))
      return;
    if (place.in !== "instruction-file") continue;
    if (state === "of this object") return;
    const object = { ...requestOf(resolved, callOptionsOf({}), options), metadata };
    if (state === "unproven" && (await rules.isProven(object, { suffix: place.suffix, text }))) return;
  }
  throw new S3EncryptionError(
    "unsupported-operation",
    `Nothing was removed: the object's metadata holds no wrapped key, and beside "${name}" none is known to be its, so that it may be readable by that alone. Add another recipient first (addRecipient), or delete the object.`,
  );
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

function replaced(): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    "The object was replaced or changed meanwhile: look at its recipients, and remove again what is still there.",
  );
}
