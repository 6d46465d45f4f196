import type { S3Client } from "@aws-sdk/client-s3";
import { describingAnew } from "@s3ec/envelope";
import { S3EncryptionError, type SiblingAnnotation, type WrapPlace } from "@s3ec/materials";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { readKept } from "../restate/kept-object.js";
import { type RestatedObject, restateObject } from "../restate/restate-object.js";
import { refuseOversizedMetadata } from "../write/metadata-limits.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { makeNewWrap, type NewWrap } from "./new-wrap.js";
import type { Rewrap } from "./rewrap-options.js";
import { markOf, type StandingObject } from "./standing-object.js";

/** An object that now holds the new wrap. */
export interface RewrappedMetadata extends NewWrap, RestatedObject {
  readonly replacedVersionId: string | undefined;
}

const IN_METADATA: WrapPlace = { in: "metadata" };

/**
 * Puts the new wrap into the object's own metadata, by a copy of the object onto itself that keeps everything else. What
 * may be refused is refused before anything is written. Undefined where the object is another by then: to be begun anew.
 *
 * @param client one that does not encrypt
 */
export async function rewrapMetadata(
  client: S3Client,
  rewrap: Rewrap,
  object: StandingObject,
): Promise<RewrappedMetadata | undefined> {
  const { head, rules, format } = object;
  const made = await makeNewWrap(client, rules, rewrap, { head, place: IN_METADATA, text: undefined }, IN_METADATA);
  const { metadata: own, replaces } = made.laid;
  const gone = new Set(replaces.map((name) => name.toLowerCase()));
  const withEnvelope = (metadata: Readonly<Record<string, string>>): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(metadata).filter(([name]) => !gone.has(name.toLowerCase()))),
    ...own,
  });
  refuseOversized(withEnvelope(head.Metadata ?? {}), own);
  const kept = await readKept(client, rewrap.object, rewrap.keep);
  const { seen } = kept;
  // The envelope was made for what was seen first; the copy is bound to what was seen last.
  const isSame = seen.head.ETag === head.ETag && isSameMetadata(seen.head.Metadata, head.Metadata);
  if (!isSame) return undefined;
  const metadata = withEnvelope(kept.metadata);
  const { beforeWrite, dryRun } = rewrap.writing;
  if (dryRun === true) return { ...made, head: seen.head, changed: kept.losses.lost, replacedVersionId: undefined };
  await beforeWrite?.({ place: IN_METADATA, metadata });
  const restated = await restateObject(client, kept, { metadata, own, markOf: markOf(format) }, rewrap.keep);
  if (made.laid.describes !== undefined)
    await describeAgain(client, rewrap, restated.head.ETag ?? "", made.laid.describes);
  return { ...made, ...restated, replacedVersionId: seen.head.VersionId };
}

/**
 * The copy has taken the old one along, which says the old wrap, and whose others there are, which stay. Whoever puts another
 * object meanwhile describes that.
 */
async function describeAgain(
  client: S3Client,
  { object, from }: Rewrap,
  etag: string,
  { name, text }: SiblingAnnotation,
): Promise<void> {
  let written = text;
  try {
    const annotations = new AnnotationStore(client, object, from.abortSignal);
    // One that knows no annotations would answer the object in its place.
    await annotations.prove();
    written = describingAnew(text, (await annotations.read(name)) ?? "");
    await annotations.put(name, written, etag);
  } catch (error) {
    throw new InstructionFileError(
      "instruction-file-failed",
      "The object is re-wrapped, but what describes it for audits (describeInAnnotation) may say the old wrap still: allow s3:ListObjectAnnotations, s3:GetObjectAnnotation and s3:PutObjectAnnotation, or leave describeInAnnotation out.",
      [{ key: object.Key, annotation: name, written }],
      error,
    );
  }
}

function isSameMetadata(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Says where there is more room. */
function refuseOversized(metadata: Readonly<Record<string, string>>, own: Readonly<Record<string, string>>): void {
  try {
    refuseOversizedMetadata(metadata, own);
  } catch (error) {
    if (!(error instanceof S3EncryptionError)) throw error;
    throw new S3EncryptionError(
      error.code,
      `Nothing was changed: the new envelope does not fit. ${error.message} Add the new key beside it, as an annotation, which has room for it (addRecipient).`,
      { cause: error },
    );
  }
}
