import { CopyObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { ANNOTATIONS_ASIDE_SUFFIX } from "@s3ec/client";
import { holdsEnvelope, objectMark } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { ObjectToGet } from "../download.js";
import { formatAddress, type ObjectAddress } from "../object-address.js";
import { isServiceError } from "../service-message.js";
import { requestDetails } from "./answer-details.js";
import { removeMoved } from "./download-one.js";
import { encryptPlain, stateOf } from "./plain-object.js";
import type { OnBytes, TransferContext, TransferOutcome } from "./transfer-context.js";

/** Copies an object within S3: ciphertext, envelope and the files beside it, as they are. */
export async function copyOne(
  context: TransferContext,
  from: ObjectToGet,
  to: ObjectAddress,
  onBytes: OnBytes,
): Promise<TransferOutcome> {
  const { plain, parameters, signal, plainMode, isMove } = context;
  if (isMove && (await context.filesBeside(from.Bucket, "getSource").hasAnnotationsAside(from.Key))) {
    throw new S3EncryptionError(
      "unsupported-operation",
      `${JSON.stringify(`${from.Key}${ANNOTATIONS_ASIDE_SUFFIX}`)} holds annotations of it since a call broke off that wrote it anew, and would be lost: do that again (s3ec migrate, rewrap or cp), or delete the file.`,
    );
  }
  const head = await plain.send(new HeadObjectCommand({ ...from, ...parameters.getSource }), { abortSignal: signal });
  const isPlain = await isPlainSource(context, from, head);
  if (isPlain && plainMode === "skip") return { state: "skipped", reason: "plain" };
  if (isPlain && plainMode === "refuse") {
    throw new S3EncryptionError(
      "not-encrypted",
      `${formatAddress(from)} was not written by an S3 encryption client: say --plain copy, skip or encrypt.`,
    );
  }
  try {
    const done =
      isPlain && plainMode === "encrypt"
        ? await encryptPlain(context, from, to, onBytes)
        : {
            ...(await copied(context, from, to, head)),
            ...(isPlain && { plain: "copied" as const }),
            sourceTag: head.ETag,
          };
    if (isMove) await removeMoved(context, from, done.sourceTag, "getSource");
    const { sourceTag: _, ...outcome } = done;
    return outcome;
  } catch (error) {
    const isThere =
      !context.overwrite && isServiceError(error) && error.$metadata.httpStatusCode === 412 && !(await isChanged());
    if (isThere) return { state: "skipped", reason: "there" };
    throw error;
  }

  /** The condition on the source is answered alike. */
  async function isChanged(): Promise<boolean> {
    const now = await plain.send(new HeadObjectCommand({ ...from, ...parameters.getSource }), { abortSignal: signal });
    return now.ETag !== head.ETag;
  }
}

/**
 * Whether what is copied is plain; of what is not known to be encrypted nothing is copied, unless plain objects may be.
 *
 * @throws S3EncryptionError `unsupported-operation` where it cannot be told
 */
export async function isPlainSource(
  context: TransferContext,
  from: ObjectToGet,
  { Metadata: metadata = {} }: HeadObjectCommandOutput,
): Promise<boolean> {
  // The mark is of what has its whole envelope in a file, which of an older version need not be there any more.
  if (holdsEnvelope(metadata) || objectMark(metadata) !== undefined) return false;
  const { state, problem = "It was deleted meanwhile." } = await stateOf(context, from, "getSource");
  switch (state) {
    case "plain":
      return true;
    case "encrypted":
    case "instruction-file":
    case "orphaned-file":
      return false;
    default:
      if (context.plainMode === "copy") return false;
      throw new S3EncryptionError(
        "unsupported-operation",
        `Whether ${formatAddress(from)} is encrypted cannot be told, so that it was not copied: ${problem}`,
      );
  }
}

async function copied(
  { client, call, parameters, signal, verbose }: TransferContext,
  from: ObjectToGet,
  to: ObjectAddress,
  { ETag, ContentLength = 0 }: HeadObjectCommandOutput,
): Promise<Extract<TransferOutcome, { state: "done" }>> {
  // What was found to be encrypted, and nothing that came since.
  const pinned = ETag === undefined || ETag.startsWith("W/") ? {} : { CopySourceIfMatch: ETag };
  const answer = await client.send(
    new CopyObjectCommand({ ...parameters.copy, ...pinned, ...to, CopySource: copySource(from) }),
    { ...call, abortSignal: signal },
  );
  const etag = answer.CopyObjectResult?.ETag;
  return {
    state: "done",
    bytes: ContentLength,
    ...(etag === undefined ? {} : { etag }),
    ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
    ...(verbose ? { details: requestDetails(answer) } : {}),
  };
}

function copySource({ Bucket, Key, VersionId }: ObjectToGet): string {
  const key = Key.split("/").map(encodeURIComponent).join("/");
  const version = VersionId === undefined ? "" : `?versionId=${encodeURIComponent(VersionId)}`;
  return `${Bucket.startsWith("arn:") ? `${Bucket}/object` : Bucket}/${key}${version}`;
}
