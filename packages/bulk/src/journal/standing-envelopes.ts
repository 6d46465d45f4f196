import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { annotatedWraps, descriptionOf, httpStatusOf } from "@s3ec/client";
import { holdsWrappedKey } from "@s3ec/envelope";
import { type Request, storedText } from "../audit/stored-text.js";
import { annotationsOf, DESCRIPTION, envelopeHash, METADATA, textHash } from "./envelope-hash.js";
import type { Looks } from "./journal-lines.js";

/** An object as it stands. */
export interface StandingEnvelopes {
  readonly looks: Looks;
  /** Whether its own metadata holds a wrapped key. */
  readonly standsAlone: boolean;
}

/**
 * Looks at an object, at the files beside it and at its annotations, as far as they are asked for. Undefined where there is none, or
 * its annotations may not be listed: then nothing is known of it.
 *
 * @param client one that does not encrypt
 * @param places whose envelopes are wanted, beside the metadata's
 */
export async function standingEnvelopes(
  client: S3Client,
  { Bucket, Key }: { readonly Bucket: string; readonly Key: string },
  places: Iterable<string>,
  request: Request,
): Promise<StandingEnvelopes | undefined> {
  const head = await client.send(new HeadObjectCommand({ Bucket, Key }), request).catch((error: unknown) => {
    if (httpStatusOf(error) === 404) return undefined;
    throw error;
  });
  if (head === undefined) return undefined;
  const { Metadata = {}, VersionId, ETag = "", LastModified } = head;
  const wraps: Record<string, readonly string[]> = { [METADATA]: [envelopeHash(Metadata)] };
  const wanted = new Set(places);
  if (wanted.delete(DESCRIPTION)) {
    const text = await descriptionOf(client, { Bucket, Key, ...request });
    wraps[DESCRIPTION] = text === undefined ? [] : [textHash(text)];
  }
  const annotations = [...wanted].filter((place) => place.startsWith(annotationsOf("")));
  if (annotations.length > 0) {
    const annotated = await annotatedWraps(client, { Bucket, Key, ...request });
    if (annotated.state === "unknown") return undefined;
    for (const place of annotations) {
      const own = annotated.state === "listed" ? annotated.wraps : [];
      wraps[place] = own
        .filter(({ recipient }) => annotationsOf(recipient) === place)
        .map(({ text }) => textHash(text));
    }
  }
  for (const place of wanted) {
    if (!place.startsWith("file:")) continue;
    const text = await storedText(client, { Bucket, Key: `${Key}${place.slice("file:".length)}` }, request);
    wraps[place] = text === undefined ? [] : [textHash(text)];
  }
  const version = VersionId === undefined ? {} : { version: VersionId };
  const looks = { ...version, etag: ETag, modified: LastModified?.toISOString() ?? "", wraps };
  return { looks, standsAlone: holdsWrappedKey(Metadata) };
}

/** Whether an object looks as it did: key, version, entity tag, time and every envelope. */
export function isAlike(a: Looks, b: Looks): boolean {
  if (a.version !== b.version || a.etag !== b.etag || a.modified !== b.modified) return false;
  // Of either: a recipient whom only one run was told of may have a wrap that was never looked at.
  const places = new Set([...Object.keys(a.wraps), ...Object.keys(b.wraps)]);
  return [...places].every((place) => isSameList(a.wraps[place] ?? [], b.wraps[place] ?? []));
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((hash) => b.includes(hash));
}
