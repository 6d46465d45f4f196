import { ANNOTATION_PREFIX, MOVING_ANNOTATION } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { annotationCommands, hasAnnotationCommands } from "../annotations/annotation-commands.js";
import { type AnnotationStore, isRefusedList, type ListedAnnotation } from "../annotations/annotation-store.js";
import { isOver } from "./moving-mark.js";

/** Annotations of ours, or why they are not known. */
export type SeenAnnotations =
  | { readonly state: "listed"; readonly annotations: readonly ListedAnnotation[] }
  /** The store knows none. */
  | { readonly state: "none" }
  /** They may not be listed, or this release of the SDK cannot. */
  | { readonly state: "unknown"; readonly reason: unknown };

/**
 * Those of ours. Throws `content-mismatch` while somebody carries them over to a copy: what is changed then may get lost. A mark
 * that a process has left which was killed counts for two hours.
 *
 * @param by who looks: what moves the object takes the place of whoever moved it before
 */
export async function seenAnnotations(
  store: AnnotationStore,
  by: "anybody" | "mover" = "anybody",
): Promise<SeenAnnotations> {
  if (!(await hasAnnotationCommands())) {
    return { state: "unknown", reason: await annotationCommands().catch((error: unknown) => error) };
  }
  let annotations: readonly ListedAnnotation[];
  try {
    annotations = await store.list(ANNOTATION_PREFIX);
  } catch (error) {
    if (error instanceof S3EncryptionError) return { state: "none" };
    if (isRefusedList(error)) return { state: "unknown", reason: error };
    throw error;
  }
  const isMarked = by === "anybody" && annotations.some(({ name }) => name === MOVING_ANNOTATION);
  if (isMarked && !isOver(await store.read(MOVING_ANNOTATION).catch(() => undefined))) {
    throw new S3EncryptionError(
      "content-mismatch",
      "The object's annotations are being moved to a copy of it, which may leave this change behind: ask again later. What a process that was killed has left ends with the same call that moved them, made again, or after two hours.",
    );
  }
  return { state: "listed", annotations };
}

/** The same, where they must be known. Throws what S3 said of a list that may not be read, and `unsupported-operation`. */
export async function listedAnnotations(store: AnnotationStore): Promise<readonly ListedAnnotation[]> {
  const seen = await seenAnnotations(store);
  if (seen.state === "listed") return seen.annotations;
  if (seen.state === "unknown") throw seen.reason;
  throw new S3EncryptionError(
    "unsupported-operation",
    'The store has no annotations: recipients of its objects are in files (in: "instruction-file").',
  );
}
