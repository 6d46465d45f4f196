import { annotationName, recipientOfAnnotation } from "@s3ec/envelope";
import type { WrapPlace } from "@s3ec/materials";
import { formatAddress, type ObjectAddress } from "./object-address.js";

/** Where a wrapped key of an object stands, in words. */
export function placeOf(address: ObjectAddress, place: WrapPlace): string {
  if (place.in === "annotation") return `the annotation ${place.name}`;
  if (place.in === "metadata") return "its metadata";
  return formatAddress({ ...address, Key: `${address.Key}${place.suffix}` });
}

/** The same for a table: `metadata`, `file:.escrow`, `annotation:x-s3ec/escrow`. */
export function placeText(place: WrapPlace): string {
  if (place.in === "metadata") return "metadata";
  return place.in === "annotation" ? `annotation:${place.name}` : `file:${place.suffix}`;
}

/** The same without what only one object has: a recipient's annotations have names of their own on each. */
export function placeKind(place: WrapPlace): string {
  const recipient = place.in === "annotation" ? recipientOfAnnotation(place.name) : undefined;
  return placeText(recipient === undefined ? place : { in: "annotation", name: annotationName(recipient) });
}
