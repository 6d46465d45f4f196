import type { S3Client } from "@aws-sdk/client-s3";
import { recipientOfAnnotation } from "@s3ec/envelope";
import { hasAnnotationCommands } from "../annotations/annotation-commands.js";
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

/**
 * The wrapped keys that are annotated to an object, or to a version of it; undefined where they may not be listed, or this
 * release of the SDK cannot. None where the store knows no annotations. Uses no key; the client may be one that encrypts, or not.
 *
 * @throws S3EncryptionError `content-mismatch` while they are being moved; S3's own errors
 */
export async function annotatedWraps(
  client: S3Client,
  { abortSignal, ...object }: AnnotatedObject & { readonly abortSignal?: AbortSignal },
): Promise<readonly AnnotatedWrap[] | undefined> {
  if (!(await hasAnnotationCommands())) return undefined;
  const annotations = new AnnotationStore(plainClientOf(client), object, abortSignal);
  const seen = await seenAnnotations(annotations);
  if (seen.state !== "listed") return seen.state === "none" ? [] : undefined;
  const found: AnnotatedWrap[] = [];
  for (const { name } of seen.annotations) {
    const recipient = recipientOfAnnotation(name);
    const text = recipient === undefined ? undefined : await annotations.read(name);
    if (recipient !== undefined && text !== undefined) found.push({ recipient, name, text });
  }
  return found;
}
