import { Readable } from "node:stream";
import { type CopyObjectCommandInput, ListObjectAnnotationsCommand, type S3Client } from "@aws-sdk/client-s3";
import { readAtMost } from "@s3ec/envelope";
import { isError } from "@s3ec/materials";
import { tagsOfSource } from "../commands/copy-source.js";
import { answeredBody } from "../read/answered-body.js";
import { httpStatusOf } from "../s3-errors.js";
import { destroyStream } from "../streams.js";
import type { AllowedLosses } from "./losses.js";
import type { StoredAddress } from "./seen-object.js";
import { whereOf } from "./stored-lock.js";

/** Bytes of an answer that may be a list of annotations; a store that knows none may answer with the object. */
const MAX_LIST_LENGTH = 64 * 1024;

interface Request {
  readonly abortSignal?: AbortSignal;
}

/** An object, or a version of one. */
type Version = StoredAddress & { readonly VersionId?: string | undefined };

/**
 * What S3 takes along by itself in a copy of one request, and not in one of parts: tags, which are said again, and annotations,
 * which cannot be set there, so that an object that has some is refused.
 */
export async function takenAlong(
  client: S3Client,
  object: Version,
  losses: AllowedLosses,
  request: Request,
): Promise<Pick<CopyObjectCommandInput, "Tagging">> {
  await refuseAnnotated(client, object, losses, request);
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
  object: Version,
  losses: AllowedLosses,
  request: Request,
): Promise<void> {
  // S3 keeps none of such an object.
  if (object.SSECustomerAlgorithm !== undefined) return;
  const found = await annotationsOf(client, object, request);
  if (found === "none") return;
  losses.accept(
    "annotations",
    found === "some"
      ? "The object has annotations, which S3 does not take along when an object is copied in parts."
      : "Whether the object has annotations may not be read, and a copy in parts would have none: allow s3:ListObjectAnnotations.",
  );
}

/**
 * A store that does not know the parameter answers with the object itself: only what repeats bucket and key is such a list, and
 * no more than that is read.
 */
async function annotationsOf(
  client: S3Client,
  object: Version,
  request: Request,
): Promise<"none" | "some" | "unknown"> {
  const { VersionId } = object;
  const command = new ListObjectAnnotationsCommand({ ...whereOf(object), VersionId, MaxAnnotationResults: 1 });
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      await shorten(result.response);
      return result;
    },
    { step: "deserialize", priority: "low", name: "s3EncryptionShortAnswer", override: true },
  );
  try {
    const { Bucket, Key, Annotations = [] } = await client.send(command, request);
    if (Bucket === undefined || Key !== object.Key) return "none";
    return Annotations.length > 0 ? "some" : "none";
  } catch (error) {
    if (request.abortSignal?.aborted === true) throw error;
    const status = httpStatusOf(error) ?? 0;
    if (status === 403) return "unknown";
    // The object in place of a list, or no such operation.
    const isNoList = error === NO_LIST || (isError(error) && status === 200);
    if (isNoList || [400, 404, 405, 501].includes(status)) return "none";
    throw error;
  }
}

const NO_LIST: Error = new Error(`An answer of more than ${MAX_LIST_LENGTH} bytes is no list of annotations.`);

/** The SDK would take all of an object into memory that stands in place of a list, which says its length only by its end. */
async function shorten(response: unknown): Promise<void> {
  if (typeof response !== "object" || response === null) return;
  const body = answeredBody({ Body: Reflect.get(response, "body") });
  const bytes = await readAtMost(body, MAX_LIST_LENGTH + 1);
  destroyStream(body);
  if (bytes.length > MAX_LIST_LENGTH) throw NO_LIST;
  Reflect.set(response, "body", Readable.from([bytes]));
}
