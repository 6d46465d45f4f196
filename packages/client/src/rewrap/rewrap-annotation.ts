import { randomUUID } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import { annotationName, recipientOfAnnotation } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { refuseNotAnnotatable } from "../annotations/annotatable.js";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { requireAtRest } from "../moving/at-rest.js";
import { listedAnnotations, seenAnnotations } from "../moving/seen-annotations.js";
import type { AnnotatedWrap } from "../recipients/annotated-wraps.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { storeBeside } from "./file-beside.js";
import { DOES_NOT_OPEN, makeNewWrap, type NewWrap } from "./new-wrap.js";
import type { Rewrap } from "./rewrap-options.js";
import { markOf, type StandingObject } from "./standing-object.js";

/** Wraps of one recipient that are tried: more than one only after a re-wrap that broke off, or where two clients added it. */
const MAX_TRIED = 8;

/** What says that an annotation is no wrap that the old keyring opens. */
const IS_NOT_ITS: ReadonlySet<string> = new Set([...DOES_NOT_OPEN, "key-unavailable", "malformed-envelope"]);

/** A wrap in an annotation, as it was read. */
export type ReadWrap = Pick<AnnotatedWrap, "name" | "text">;

/**
 * Puts a recipient's new wrap into an annotation, then removes all that the old keyring opens: none is overwritten, since the only
 * condition that S3 knows for one is the object's tag. Between the two both open the object. Undefined where the object that stands is
 * another by then: to be begun anew.
 *
 * @param client one that does not encrypt
 */
export async function rewrapAnnotation(
  client: S3Client,
  rewrap: Rewrap,
  object: StandingObject,
  recipient: string,
): Promise<NewWrap | undefined> {
  const { version, from } = rewrap;
  const { beforeWrite, dryRun = false } = rewrap.writing;
  refuseNotAnnotatable(version);
  const etag = object.head.ETag ?? "";
  const store = new AnnotationStore(client, version, from.abortSignal);
  await store.prove();
  if (rewrap.VersionId === undefined) {
    await requireAtRest(client, version, object.head, markOf(object.format), from.abortSignal, dryRun);
  }
  const name = annotationName(recipient);
  const standing = await wrapsOfRecipient(store, name);
  const added = `${name}/${randomUUID()}`;
  const { old, made } = await openedWraps(client, rewrap, object, standing, added);
  const text = made.laid.text ?? "";
  if (dryRun) return made;
  await beforeWrite?.({ place: made.laid.place, metadata: object.head.Metadata ?? {}, text });
  if (!(await store.put(added, text, etag))) return undefined;
  // While they are moved, the new one may be left behind, and the old one come back.
  await listedAnnotations(store);
  let isAsRead = (await store.read(added)) === text;
  for (const wrap of old) isAsRead &&= (await store.read(wrap.name)) === wrap.text;
  if (!isAsRead) {
    // With the object that is gone, the new wrap is, too.
    if (!(await store.remove(added, etag))) return undefined;
    throw new S3EncryptionError(
      "content-mismatch",
      "The recipient was removed or re-wrapped by somebody else meanwhile, and the new wrap was taken back: look at the object's recipients, and do it again if that is still wanted.",
    );
  }
  if (!(await removed(store, { old, added, text, key: version.Key }, etag))) return undefined;
  await listedAnnotations(store);
  return made;
}

/**
 * The recipient whom a call names by the suffix of a file, as readers may, where there is no file and an annotation. Throws what S3
 * said of annotations that may not be listed.
 */
export async function recipientWithoutFile(
  client: S3Client,
  rewrap: Rewrap,
  { format }: StandingObject,
): Promise<string | undefined> {
  const { from, to, object } = rewrap;
  const named = from.instructionFileSuffix;
  if (named === undefined || to.instructionFileSuffix !== undefined || format.siblings === undefined) return undefined;
  const files = await storeBeside(client, rewrap, format.siblings).readAll(format.siblings.suffixesOf(named));
  if ([...files.values()].some(({ state }) => state !== "missing")) return undefined;
  const recipient = named.replace(/^\.+/, "");
  const seen = await seenAnnotations(new AnnotationStore(client, object, from.abortSignal));
  // The wrap may be in one of them: whoever took it for missing would leave it to the old key.
  if (seen.state === "unknown") throw seen.reason;
  const annotations = seen.state === "listed" ? seen.annotations : [];
  return annotations.some(({ name }) => recipientOfAnnotation(name) === recipient) ? recipient : undefined;
}

/** All of a recipient's, in the order in which they are listed. */
export async function wrapsOfRecipient(store: AnnotationStore, name: string): Promise<readonly ReadWrap[]> {
  const recipient = recipientOfAnnotation(name);
  const names = (await listedAnnotations(store))
    .map((each) => each.name)
    .filter((each) => recipientOfAnnotation(each) === recipient);
  if (names.length > MAX_TRIED) {
    throw new S3EncryptionError(
      "unsupported-operation",
      `Nothing was changed: "${recipient}" has ${names.length} annotations, more than the ${MAX_TRIED} whose keys are tried, and each may hold the old one. Remove the recipient and add it anew (removeRecipient, addRecipient).`,
    );
  }
  const wraps: ReadWrap[] = [];
  for (const each of names) {
    const text = await store.read(each);
    if (text !== undefined) wraps.push({ name: each, text });
  }
  if (wraps.length > 0) return wraps;
  throw new S3EncryptionError(
    "not-encrypted",
    `There is no wrapped key to replace: the object has no annotation of "${recipient}". Name another recipient (listRecipients tells which there are), or add this one (addRecipient).`,
  );
}

/**
 * Those that the old keyring opens, and the new wrap, made of the first of them: what a re-wrap that broke off has left is the
 * new one's.
 */
async function openedWraps(
  client: S3Client,
  rewrap: Rewrap,
  { head, rules }: StandingObject,
  standing: readonly ReadWrap[],
  added: string,
): Promise<{ readonly old: readonly ReadWrap[]; readonly made: NewWrap }> {
  const old: ReadWrap[] = [];
  let made: NewWrap | undefined;
  let first: unknown;
  for (const read of standing) {
    const place = { in: "annotation", name: read.name } as const;
    const from = { head, place, text: read.text };
    try {
      const wrap = await makeNewWrap(client, rules, rewrap, from, { in: "annotation", name: added });
      made ??= wrap;
      old.push(read);
      if (old.length > 1 && !isOfSameDataKey(made, wrap)) throw severalDataKeys(recipientOfAnnotation(added), old);
    } catch (error) {
      if (!(error instanceof S3EncryptionError) || !IS_NOT_ITS.has(error.code)) throw error;
      first ??= error;
    }
  }
  if (made === undefined) throw first;
  return { old, made };
}

function isOfSameDataKey({ dataKey }: NewWrap, other: NewWrap): boolean {
  return dataKey !== undefined && other.dataKey !== undefined && dataKey.equals(other.dataKey);
}

/** Whoever may put annotations puts one of another data key before the genuine one, which would go. */
function severalDataKeys(recipient: string | undefined, wraps: readonly ReadWrap[]): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    `Nothing was changed: "${recipient}" has several annotations that the old keyring opens, ${wraps.map(({ name }) => name).join(", ")}, and they are not known to hold the same data key. Have the content tell which is right (verify: "content", and decryptHere where KMS would wrap it anew), or remove the others.`,
  );
}

/** Whether the old ones are gone: false where another object stands by then. */
async function removed(
  store: AnnotationStore,
  {
    old,
    added,
    text,
    key,
  }: { readonly old: readonly ReadWrap[]; readonly added: string; readonly text: string; readonly key: string },
  etag: string,
): Promise<boolean> {
  const left = [...old];
  try {
    for (const { name } of old) {
      if (!(await store.remove(name, etag))) return false;
      left.shift();
    }
    return true;
  } catch (error) {
    throw new InstructionFileError(
      "instruction-file-failed",
      `The new wrap is stored, in the annotation ${added}, and the old key's may still be there, in ${left.map(({ name }) => name).join(", ")}: both keys open the object. Remove the old one's (s3:DeleteObjectAnnotation; under a lock, once that is over).`,
      [
        ...left.map(({ name, text: previous }) => ({ key, annotation: name, previous })),
        { key, annotation: added, written: text },
      ],
      error,
    );
  }
}
