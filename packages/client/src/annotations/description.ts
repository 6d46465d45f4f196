import type { S3Client } from "@aws-sdk/client-s3";
import { DESCRIBING_ANNOTATION } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { plainClientOf } from "../plain-client.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { type AnnotatedObject, AnnotationStore } from "./annotation-store.js";

/** The object whose description is meant. */
export interface DescribedObject extends AnnotatedObject {
  /** Ends the call. */
  readonly abortSignal?: AbortSignal;
}

/**
 * What an object's annotation says of it for audits (`describeInAnnotation`): JSON text, nothing of it authenticated.
 *
 * @param client an `S3Client`, which may be one that encrypts
 * @returns undefined where it has none, or its store knows no annotations
 * @throws S3's own errors
 */
export async function descriptionOf(
  client: S3Client,
  { abortSignal, ...object }: DescribedObject,
): Promise<string | undefined> {
  const store = new AnnotationStore(plainClientOf(client), object, abortSignal);
  try {
    // A store that knows none answers with the object.
    await store.prove();
  } catch (error) {
    if (error instanceof S3EncryptionError) return undefined;
    throw error;
  }
  return await store.read(DESCRIBING_ANNOTATION);
}

/**
 * Gives an object the text that says what it is for audits, in place of the one that it has: as after a rewrap that broke off behind the
 * object.
 *
 * @param client an `S3Client`, which may be one that encrypts
 * @param object with its `ETag`: one with another tag is left as it is; and `text`, as `beforeWrite` was told it of the place `x-s3ec/about`
 * @throws InstructionFileError `instruction-file-failed`, where it could not be put
 */
export async function putDescription(
  client: S3Client,
  { ETag, text, abortSignal, ...object }: DescribedObject & { readonly ETag: string; readonly text: string },
): Promise<void> {
  try {
    await new AnnotationStore(plainClientOf(client), object, abortSignal).put(DESCRIBING_ANNOTATION, text, ETag);
  } catch (error) {
    throw notDescribed(object.Key, text, error);
  }
}

export function notDescribed(key: string | undefined, text: string, cause: unknown): InstructionFileError {
  return new InstructionFileError(
    "instruction-file-failed",
    "The object is re-wrapped, but what describes it for audits (describeInAnnotation) may say the old wrap still: allow s3:ListObjectAnnotations, s3:GetObjectAnnotation and s3:PutObjectAnnotation, or leave describeInAnnotation out.",
    [{ key: key ?? "", annotation: DESCRIBING_ANNOTATION, written: text }],
    cause,
  );
}
