import type { CopyObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { ANNOTATION_PREFIX } from "@s3ec/envelope";
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

/** Bytes of others' annotations that are carried over to an object that is put anew: they are held in memory meanwhile. */
export const MAX_CARRIED_LENGTH: number = 16 * 1024 ** 2;

/**
 * What S3 takes along by itself in a copy of one request, and not in one of parts: tags, which are said again, and annotations,
 * which cannot be set there, so that an object that has some is refused.
 */
export async function takenAlong(
  client: S3Client,
  object: StoredVersion,
  losses: AllowedLosses,
  request: Request,
): Promise<Pick<CopyObjectCommandInput, "Tagging">> {
  if ((await annotationsOf(client, object, losses, request)).length > 0) {
    losses.accept(
      "annotations",
      "The object has annotations, which S3 does not take along when an object is copied in parts.",
    );
  }
  return await tagsAlong(client, object, losses, request);
}

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

/** Others' annotations that are to be carried over to an object that is put anew: recipients' are its writer's business. */
export async function annotationsToCarry(
  client: S3Client,
  object: StoredVersion,
  losses: AllowedLosses,
  request: Request,
): Promise<readonly ListedAnnotation[]> {
  const found = await annotationsOf(client, object, losses, request);
  const others = found.filter(({ name }) => isOthers(name));
  const length = others.reduce((sum, { size }) => sum + size, 0);
  if (length <= MAX_CARRIED_LENGTH) return others;
  losses.accept(
    "annotations",
    `The object has ${length} bytes of annotations, and what is put anew gets no more than ${MAX_CARRIED_LENGTH} of them.`,
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
