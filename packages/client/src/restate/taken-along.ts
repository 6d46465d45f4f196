import type { CopyObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { hasAnnotationCommands } from "../annotations/annotation-commands.js";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { tagsOfSource } from "../commands/copy-source.js";
import { httpStatusOf } from "../s3-errors.js";
import type { AllowedLosses } from "./losses.js";
import type { StoredVersion } from "./seen-object.js";

interface Request {
  readonly abortSignal?: AbortSignal;
}

/**
 * What S3 takes along by itself in a copy of one request, and not in one of parts: tags, which are said again, and annotations,
 * which cannot be set there, so that an object that has some is refused.
 */
export async function takenAlong(
  client: S3Client,
  object: StoredVersion,
  losses: AllowedLosses,
  request: Request,
  counts: (name: string) => boolean = () => true,
): Promise<Pick<CopyObjectCommandInput, "Tagging">> {
  await refuseAnnotated(client, object, losses, request, counts);
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

async function refuseAnnotated(
  client: S3Client,
  object: StoredVersion,
  losses: AllowedLosses,
  { abortSignal }: Request,
  counts: (name: string) => boolean,
): Promise<void> {
  // S3 keeps none of such an object.
  if (object.SSECustomerAlgorithm !== undefined) return;
  const found = await annotationsOf(new AnnotationStore(client, object, abortSignal), counts);
  if (found === "none") return;
  losses.accept(
    "annotations",
    found === "some"
      ? "The object has annotations, which S3 does not take along when an object is copied in parts or put anew."
      : "Whether the object has annotations may not be read, and what is written in parts or anew would have none: allow s3:ListObjectAnnotations, and use a release of @aws-sdk/client-s3 that knows them.",
  );
}

async function annotationsOf(
  annotations: AnnotationStore,
  counts: (name: string) => boolean,
): Promise<"none" | "some" | "unknown"> {
  if (!(await hasAnnotationCommands())) return "unknown";
  try {
    return (await annotations.list("")).some(({ name }) => counts(name)) ? "some" : "none";
  } catch (error) {
    // A store that does not know them answers with the object, or refuses.
    if (error instanceof S3EncryptionError || httpStatusOf(error) === 404) return "none";
    if (httpStatusOf(error) === 403) return "unknown";
    throw error;
  }
}
