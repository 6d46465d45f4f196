import type { CopyObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { ANNOTATION_PREFIX, MOVING_ANNOTATION } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { whyNotAnnotatable } from "../annotations/annotatable.js";
import { hasAnnotationCommands } from "../annotations/annotation-commands.js";
import { AnnotationStore, isRefusedList, type ListedAnnotation } from "../annotations/annotation-store.js";
import { tagsOfSource } from "../commands/copy-source.js";
import { httpStatusOf } from "../s3-errors.js";
import type { AllowedLosses } from "./losses.js";
import type { StoredVersion } from "./seen-object.js";

interface Request {
  readonly abortSignal?: AbortSignal;
}

/** Bytes of annotations that are carried over to an object that is put anew or copied in parts: they are held in memory meanwhile. */
export const MAX_CARRIED_LENGTH: number = 16 * 1024 ** 2;

/** Tags, as they are said again. */
export async function tagsAlong(
  client: S3Client,
  object: StoredVersion,
  losses: AllowedLosses,
  request: Request,
): Promise<Pick<CopyObjectCommandInput, "Tagging">> {
  try {
    const Tagging = await tagsOfSource(client, object, request);
    return Tagging === "" ? {} : { Tagging };
  } catch (error) {
    const status = httpStatusOf(error) ?? 0;
    if (status === 403) {
      losses.accept(
        "tags",
        "The object's tags may not be read, and a copy would have none: allow s3:GetObjectTagging.",
      );
    } else if (status !== 405 && status !== 501) throw error;
    return {};
  }
}

/**
 * Annotations that are to be carried over to an object that is put anew, or written in parts, which S3 gives none.
 *
 * @param which of a put, only those of others: its recipients are its writer's business
 */
export async function annotationsToCarry(
  client: S3Client,
  object: StoredVersion,
  losses: AllowedLosses,
  request: Request,
  which: "all" | "others",
): Promise<readonly ListedAnnotation[]> {
  const found = await annotationsOf(client, object, losses, request);
  const carried = found.filter(({ name }) => isOthers(name) || (which === "all" && name !== MOVING_ANNOTATION));
  const length = carried.reduce((sum, { size }) => sum + size, 0);
  if (length <= MAX_CARRIED_LENGTH) return carried;
  losses.accept(
    "annotations",
    `The object has ${length} bytes of annotations, and what is put anew or copied in parts gets no more than ${MAX_CARRIED_LENGTH} of them.`,
  );
  return [];
}

/** Whether an annotation is none of ours. */
export function isOthers(name: string): boolean {
  return !name.startsWith(ANNOTATION_PREFIX);
}

/** None where they may not be listed and may get lost. */
async function annotationsOf(
  client: S3Client,
  object: StoredVersion,
  losses: AllowedLosses,
  { abortSignal }: Request,
): Promise<readonly ListedAnnotation[]> {
  if (whyNotAnnotatable(object) !== undefined) return [];
  if (await hasAnnotationCommands()) {
    try {
      return await new AnnotationStore(client, object, abortSignal).list("");
    } catch (error) {
      // A store that does not know them answers with the object, or has no such operation.
      if (error instanceof S3EncryptionError || httpStatusOf(error) === 404) return [];
      if (!isRefusedList(error)) throw error;
    }
  }
  losses.accept(
    "annotations",
    "Whether the object has annotations may not be read, and what is written in parts or anew would have none: allow s3:ListObjectAnnotations, and use a release of @aws-sdk/client-s3 that knows them.",
  );
  return [];
}
