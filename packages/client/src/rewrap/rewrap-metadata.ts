import type { S3Client } from "@aws-sdk/client-s3";
import { describingAnew } from "@s3ec/envelope";
import { S3EncryptionError, type SiblingAnnotation, type WrapPlace } from "@s3ec/materials";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { notDescribed, putDescription } from "../annotations/description.js";
import { readKept } from "../restate/kept-object.js";
import { type RestatedObject, restateObject } from "../restate/restate-object.js";
import { refuseOversizedMetadata } from "../write/metadata-limits.js";
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
  const { describes } = made.laid;
  // What cannot be read now is said once the object is written: it keeps nobody from the new wrap.
  const text = describes && (await describingText(client, rewrap, describes).catch(() => undefined));
  const place = { in: "annotation", name: describes?.name ?? "" } as const;
  const beside = text === undefined ? {} : { beside: [{ place, text }] };
  await beforeWrite?.({ place: IN_METADATA, metadata, ...beside });
  const restated = await restateObject(client, kept, { metadata, own, markOf: markOf(format) }, rewrap.keep);
  if (describes !== undefined) await describeAgain(client, rewrap, restated.head.ETag ?? "", describes, text);
  return { ...made, ...restated, replacedVersionId: seen.head.VersionId };
}

/** The new description: of the one before it keeps whose others there are, who stay. */
async function describingText(
  client: S3Client,
  { object, from }: Rewrap,
  { name, text }: SiblingAnnotation,
): Promise<string> {
  const annotations = new AnnotationStore(client, object, from.abortSignal);
  // One that knows no annotations would answer the object in its place.
  await annotations.prove();
  return describingAnew(text, (await annotations.read(name)) ?? "");
}

/**
 * The copy has taken the old one along, which says the old wrap. Whoever puts another object meanwhile describes that.
 *
 * @param known the text, where it could be told before
 */
async function describeAgain(
  client: S3Client,
  rewrap: Rewrap,
  ETag: string,
  describes: SiblingAnnotation,
  known: string | undefined,
): Promise<void> {
  const { object, from } = rewrap;
  const request = from.abortSignal === undefined ? {} : { abortSignal: from.abortSignal };
  const text =
    known ??
    (await describingText(client, rewrap, describes).catch((error: unknown) => {
      throw notDescribed(object.Key, describes.text, error);
    }));
  await putDescription(client, { ...object, ETag, text, ...request });
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
