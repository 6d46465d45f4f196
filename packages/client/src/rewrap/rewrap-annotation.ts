import { randomUUID } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import { annotationName, recipientOfAnnotation } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { refuseNotAnnotatable } from "../annotations/annotatable.js";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { listedAnnotations, seenAnnotations } from "../recipients/moving.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { storeBeside } from "./file-beside.js";
import { DOES_NOT_OPEN, makeNewWrap, type NewWrap } from "./new-wrap.js";
import type { Rewrap } from "./rewrap-options.js";
import type { StandingObject } from "./standing-object.js";

/** Wraps of one recipient that are tried: more than one only after a re-wrap that broke off. */
const MAX_TRIED = 8;

/** A wrap in an annotation, as it was read. */
interface AnnotatedWrap {
  readonly name: string;
  readonly text: string;
}

/**
 * Puts a recipient's new wrap into an annotation, then removes the one that it was made from: none is overwritten, since the only
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
  refuseNotAnnotatable(version);
  const etag = object.head.ETag ?? "";
  const store = new AnnotationStore(client, version, from.abortSignal);
  await store.prove();
  const name = annotationName(recipient);
  const standing = await annotatedWraps(store, name);
  const added = `${name}/${randomUUID()}`;
  const { read, made } = await openedWrap(client, rewrap, object, standing, added);
  const text = made.laid.text ?? "";
  if (!(await store.put(added, text, etag))) return undefined;
  // While they are moved, the new one may be left behind, and the old one come back.
  await listedAnnotations(store);
  if ((await store.read(read.name)) !== read.text || (await store.read(added)) !== text) {
    // With the object that is gone, the new wrap is, too.
    if (!(await store.remove(added, etag))) return undefined;
    throw new S3EncryptionError(
      "content-mismatch",
      "The recipient was removed or re-wrapped by somebody else meanwhile, and the new wrap was taken back: look at the object's recipients, and do it again if that is still wanted.",
    );
  }
  if (!(await removed(store, { old: read, added, text, key: version.Key }, etag))) return undefined;
  await listedAnnotations(store);
  return made;
}

/** The recipient whom a call names by the suffix of a file, as readers may, where there is no file and an annotation. */
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
  const annotations = seen.state === "listed" ? seen.annotations : [];
  return annotations.some(({ name }) => recipientOfAnnotation(name) === recipient) ? recipient : undefined;
}

/** All of a recipient's, in the order in which they are listed. */
async function annotatedWraps(store: AnnotationStore, name: string): Promise<readonly AnnotatedWrap[]> {
  const recipient = recipientOfAnnotation(name);
  const names = (await listedAnnotations(store))
    .map((each) => each.name)
    .filter((each) => recipientOfAnnotation(each) === recipient);
  const wraps: AnnotatedWrap[] = [];
  for (const each of names.slice(0, MAX_TRIED)) {
    const text = await store.read(each);
    if (text !== undefined) wraps.push({ name: each, text });
  }
  if (wraps.length > 0) return wraps;
  throw new S3EncryptionError(
    "not-encrypted",
    `There is no wrapped key to replace: the object has no annotation of "${recipient}". Name another recipient (listRecipients tells which there are), or add this one (addRecipient).`,
  );
}

/** The new wrap, made of the first that the old keyring opens: what a re-wrap that broke off has left is the new one's. */
async function openedWrap(
  client: S3Client,
  rewrap: Rewrap,
  { head, rules }: StandingObject,
  standing: readonly AnnotatedWrap[],
  added: string,
): Promise<{ readonly read: AnnotatedWrap; readonly made: NewWrap }> {
  let first: unknown;
  for (const read of standing) {
    const place = { in: "annotation", name: read.name } as const;
    try {
      const made = await makeNewWrap(
        client,
        rules,
        rewrap,
        { head, place, text: read.text },
        { in: "annotation", name: added },
      );
      return { read, made };
    } catch (error) {
      const isOfAnother =
        error instanceof S3EncryptionError && (DOES_NOT_OPEN.has(error.code) || error.code === "key-unavailable");
      if (!isOfAnother) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** Whether the old one is gone: false where another object stands by then. */
async function removed(
  store: AnnotationStore,
  {
    old,
    added,
    text,
    key,
  }: { readonly old: AnnotatedWrap; readonly added: string; readonly text: string; readonly key: string },
  etag: string,
): Promise<boolean> {
  try {
    return await store.remove(old.name, etag);
  } catch (error) {
    throw new InstructionFileError(
      "instruction-file-failed",
      `The new wrap is stored, in the annotation ${added}, and the old one may still be there, in ${old.name}: both open the object. Remove the old one (s3:DeleteObjectAnnotation; under a lock, once that is over).`,
      [
        { key, annotation: old.name, previous: old.text },
        { key, annotation: added, written: text },
      ],
      error,
    );
  }
}
