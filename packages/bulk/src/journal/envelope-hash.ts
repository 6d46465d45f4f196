import { createHash } from "node:crypto";
import { DESCRIBING_ANNOTATION, isReservedMetadata, recipientOfAnnotation } from "@s3ec/envelope";
import type { WrapPlace } from "@s3ec/materials";

/**
 * What tells an envelope from every other, from all user metadata of an object: each has a data key or a wrap of its own. Empty
 * where there is none in it, as of a message, which nothing then tells from another.
 */
export function envelopeHash(metadata: Readonly<Record<string, string>>): string {
  const fields = Object.entries(metadata)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => isReservedMetadata(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return fields.length === 0 ? "" : textHash(JSON.stringify(fields));
}

/** The same of a wrapped key in a file or an annotation. */
export function textHash(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** A place in a journal: an annotation's name has an id that each wrap has anew, and counts by its recipient. */
export function placeName(place: WrapPlace | undefined): string {
  if (place === undefined || place.in === "metadata") return METADATA;
  return place.in === "annotation"
    ? annotationsOf(recipientOfAnnotation(place.name) ?? place.name)
    : fileOf(place.suffix);
}

export const METADATA = "metadata";

/** The place of what describes an object. */
export const DESCRIPTION: string = annotationsOf(DESCRIBING_ANNOTATION);

/** The place of a file. */
export function fileOf(suffix: string): string {
  return `file:${suffix}`;
}

/** The place of a recipient's annotations. */
export function annotationsOf(recipient: string): string {
  return `annotation:${recipient.replace(/^\.+/, "")}`;
}
