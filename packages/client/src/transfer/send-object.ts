import type { CompleteMultipartUploadCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { abortsMany, outcomeOf } from "../request-aborted.js";
import { UnconfirmedAnswer } from "../write/confirmed.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { nextPart, PartSender } from "./part-sender.js";
import { MAX_PARTS, type ObjectToSend, type Part } from "./parts-to-send.js";
import { putWhole } from "./put-whole.js";
import { SIZES_OF_PARTS } from "./transfer-options.js";
import { UploadCounter, type UploadProgress, type UploadResumption } from "./upload-progress.js";

export interface UploadSettings {
  /** Parts in flight at once. Default 4. */
  readonly queueSize?: number | undefined;
  /** Bytes; S3 allows 5 MiB at least and 10,000 parts. */
  readonly partSize?: number | undefined;
  /** Leave the parts of a failed upload in place. Default false. */
  readonly leavePartsOnError?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is kept of the upload for another process, should this one end. Default: nothing. */
  readonly journal?: SendingJournal | undefined;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Told of an upload with a journal, before anything of it is sent. */
  readonly onResume?: ((resumption: UploadResumption) => void) | undefined;
  readonly onUploadId?: ((uploadId: string) => void) | undefined;
}

/** What is told of an upload while it goes on, so that it can be gone on with. */
export interface SendingJournal {
  /** The upload that another process has begun. */
  readonly begun: { readonly uploadId: string; readonly partSize: number } | undefined;
  /** One has begun: to be awaited before anything is sent. */
  begin(uploadId: string, partSize: number): Promise<void>;
  /** Whether a part of that number and length was made before. */
  has(part: number, length: number): boolean;
  /** To be awaited before a part is sent: whether it was sent before, perhaps, and is what it was then. */
  record(part: Part): Promise<{ readonly isKnown: boolean; readonly crc32: string }>;
  /** There is nothing to go on with any more. */
  end(): void;
}

/** Default of `queueSize`. */
export const QUEUE_SIZE = 4;

/** What is not held in memory is sent in fewer parts, since each costs a request. */
const LARGEST_DEFAULT_PART = 16 * 1024 * 1024;
/** Parts that each connection sends: enough that none is idle for long while others still have one. */
const PARTS_EACH = 4;
/** Enough for 2^36 bytes, the most that one object can be encrypted to, in 10,000 parts. */
const UNKNOWN_LENGTH_PART_SIZE = 7 * 1024 * 1024;

/**
 * Stores an object: in one request if one part holds it, else in several at once, each sent again when S3 fails. What is
 * stored beside it is put after the object appears, or right before (H29) where it cannot be read without.
 *
 * Ends, well or not, only once nothing of it is going on any more: no request, no open multipart upload.
 *
 * @param client one that does not encrypt
 */
export async function sendObject(
  client: S3Client,
  object: ObjectToSend,
  settings: UploadSettings,
): Promise<CompleteMultipartUploadCommandOutput> {
  const stop = abortsMany();
  const onAbort = (): void => {
    stop.abort(uploadAborted());
    // A source that is being waited for need not give anything any more.
    object.destroy();
  };
  settings.signal?.addEventListener("abort", onAbort, { once: true });
  let sender: PartSender | undefined;
  let uploadId: string | undefined;
  const onUploadId = (id: string): void => {
    uploadId = id;
    settings.onUploadId?.(id);
  };
  try {
    if (settings.signal?.aborted === true) throw uploadAborted();
    const partSize = settings.journal?.begun?.partSize ?? partSizeFor(object, settings);
    const parts = object.parts(partSize);
    const first = await nextPart(parts, stop.signal);
    if (first === undefined) throw new Error("An object has one part at least.");
    if (first.isLast) {
      if (settings.journal !== undefined) settings.onResume?.({ kept: 0 });
      const counter = new UploadCounter(object);
      const output = await putWhole(client, object, first, stop.signal);
      settings.onProgress?.(counter.add(first, true));
      return output;
    }
    sender = new PartSender(client, object, { ...settings, onUploadId }, stop);
    return await sender.send(first, parts, partSize);
  } catch (error) {
    if (isDead(error)) object.abandon();
    // What is stored by then is said, whatever else has happened.
    if (!stop.signal.aborted || error instanceof InstructionFileError) throw error;
    if (settings.signal?.aborted !== true) throw stop.signal.reason;
    throw uploadAborted(sender?.isLeft === true ? uploadId : undefined, outcomeOf(error));
  } finally {
    settings.signal?.removeEventListener("abort", onAbort);
    object.destroy();
  }
}

/** A file that changed, or content that has ended otherwise: nothing can be put into its place any more. */
export function isDead(error: unknown): boolean {
  if (!(error instanceof S3EncryptionError) || error.code !== "content-mismatch") return false;
  // The content is what it was; somebody else has answered for S3.
  return !(error.cause instanceof UnconfirmedAnswer);
}

function partSizeFor(
  { length, holdsParts }: Pick<ObjectToSend, "length" | "holdsParts">,
  { partSize: asked, queueSize = QUEUE_SIZE }: UploadSettings,
): number {
  if (length === undefined) return asked ?? UNKNOWN_LENGTH_PART_SIZE;
  if (asked !== undefined && length > asked * MAX_PARTS) {
    throw invalid(
      `${length} bytes do not fit into ${MAX_PARTS} parts of ${asked} bytes; choose a larger partSize, or none.`,
    );
  }
  if (asked !== undefined) return asked;
  const even = holdsParts ? 0 : Math.min(LARGEST_DEFAULT_PART, Math.ceil(length / (queueSize * PARTS_EACH)));
  return Math.max(SIZES_OF_PARTS.least, even, Math.ceil(length / MAX_PARTS));
}

/** @param left the multipart upload that may still be open */
function uploadAborted(left?: string, cause?: Error): Error {
  const open = left === undefined ? "" : ` The multipart upload ${left} may still be open: abort it.`;
  const options = cause === undefined ? undefined : { cause };
  return Object.assign(new Error(`Upload aborted.${open}`, options), { name: "AbortError" });
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
