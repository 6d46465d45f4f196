import type { S3Client } from "@aws-sdk/client-s3";
import { recipientOfAnnotation } from "@s3ec/envelope";
import { type AnnotatedObject, AnnotationStore } from "../annotations/annotation-store.js";
import { plainClientOf } from "../plain-client.js";
import { seenAnnotations } from "./moving.js";

/** A wrapped key that is annotated to an object, as it says of itself. */
export interface AnnotatedWrap {
  /** Whose it is. */
  readonly recipient: string;
  /** The annotation's. */
  readonly name: string;
  /** JSON text: wrap, description, and what an audit asks for. */
  readonly text: string;
}

/** Wrapped keys in annotations, or why they are not known. */
export type AnnotatedWraps =
  | {
      readonly state: "listed";
      /** In the order of their names. */
      readonly wraps: readonly AnnotatedWrap[];
    }
  /** The store has not shown that it knows annotations: it has none, if that is so of all its objects. */
  | { readonly state: "none" }
  /** They may not be listed, or this release of the SDK cannot. */
  | { readonly state: "unknown" };

/**
 * The wrapped keys that are annotated to an object, or to a version of it. Uses no key; the client may be one that encrypts,
 * or not.
 *
 * @throws S3EncryptionError `content-mismatch` while they are being moved; S3's own errors
 */
export async function annotatedWraps(
  client: S3Client,
  { abortSignal, ...object }: AnnotatedObject & { readonly abortSignal?: AbortSignal },
): Promise<AnnotatedWraps> {
  const annotations = new AnnotationStore(plainClientOf(client), object, abortSignal);
  const seen = await seenAnnotations(annotations);
  if (seen.state !== "listed") return { state: seen.state };
  const wraps: AnnotatedWrap[] = [];
  for (const { name } of seen.annotations) {
    const recipient = recipientOfAnnotation(name);
    const text = recipient === undefined ? undefined : await annotations.read(name);
    if (recipient !== undefined && text !== undefined) wraps.push({ recipient, name, text });
  }
  return { state: "listed", wraps };
}
