import type {
  CompletedPart,
  CompleteMultipartUploadCommandOutput,
  HeadObjectCommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { unlessAborted } from "../request-aborted.js";
import { Attempts, watched } from "../write/attempts.js";
import { patient } from "../write/patience.js";
import { publish } from "../write/publish.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { SiblingStore } from "../write/sibling-store.js";
import { MultipartUpload, withReadableLocation } from "./multipart-upload.js";
import type { ObjectToSend, Part } from "./parts-to-send.js";
import { putWhole } from "./put-whole.js";

/** How far an upload is, in bytes of the caller's body. */
export interface UploadProgress {
  /** Bytes of the body that S3 has. */
  readonly loaded?: number;
  /** Absent while it is not known. */
  readonly total?: number;
  /** Number of the part that has just been stored, from 1 on. */
  readonly part?: number;
  /** Of the object, as the upload's `params` name it. */
  readonly Key?: string;
  /** Of the object, as the upload's `params` name it. */
  readonly Bucket?: string;
}

export interface UploadSettings {
  /** Parts in flight at once. Default 4. */
  readonly queueSize?: number | undefined;
  /** Bytes; S3 allows 5 MiB at least and 10,000 parts. */
  readonly partSize?: number | undefined;
  /** Leave the parts of a failed upload in place. Default false. */
  readonly leavePartsOnError?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  readonly onUploadId?: ((uploadId: string) => void) | undefined;
}

const MAX_PARTS = 10_000;
const MIN_PART_SIZE = 5 * 1024 * 1024;
/** Enough for 2^36 bytes, the most that one object can be encrypted to, in 10,000 parts. */
const UNKNOWN_LENGTH_PART_SIZE = 7 * 1024 * 1024;
const QUEUE_SIZE = 4;

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
  const stop = new AbortController();
  const onAbort = (): void => {
    stop.abort(uploadAborted());
    // A source that is being waited for need not give anything any more.
    object.destroy();
  };
  settings.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    if (settings.signal?.aborted === true) throw uploadAborted();
    const parts = object.parts(partSizeFor(object.length, settings));
    const first = await nextPart(parts, stop.signal);
    if (first === undefined) throw new Error("An object has one part at least.");
    if (first.isLast) {
      const output = await putWhole(client, object, first, stop.signal);
      settings.onProgress?.(progressOf(object, first, first.length));
      return output;
    }
    return await new PartSender(client, object, settings, stop).send(first, parts);
  } catch (error) {
    // What is stored by then is said, whatever else has happened.
    throw stop.signal.aborted && !(error instanceof InstructionFileError) ? stop.signal.reason : error;
  } finally {
    settings.signal?.removeEventListener("abort", onAbort);
    object.destroy();
  }
}

/** Sends the parts of one object, several at once. */
class PartSender {
  readonly #client: S3Client;
  readonly #object: ObjectToSend;
  readonly #settings: UploadSettings;
  /** Stops whatever carries content, with the first failure for its reason. */
  readonly #stop: AbortController;
  readonly #sent: CompletedPart[] = [];
  #loaded = 0;

  constructor(client: S3Client, object: ObjectToSend, settings: UploadSettings, stop: AbortController) {
    this.#client = client;
    this.#object = object;
    this.#settings = settings;
    this.#stop = stop;
  }

  async send(first: Part, parts: AsyncGenerator<Part>): Promise<CompleteMultipartUploadCommandOutput> {
    const { queueSize = QUEUE_SIZE, leavePartsOnError = false, onUploadId } = this.#settings;
    const upload = await MultipartUpload.create(this.#client, this.#object);
    onUploadId?.(upload.id);
    try {
      const waiting = [first];
      const senders = Array.from({ length: queueSize }, () => this.#sendParts(upload, waiting, parts));
      await Promise.all(senders);
      this.#stop.signal.throwIfAborted();
      await this.#object.assertUnchanged();
    } catch (error) {
      if (!leavePartsOnError) await upload.abort();
      throw error;
    }
    return await this.#complete(upload);
  }

  /** Rejects for nothing: a failure stops all senders, which end once their requests have. */
  async #sendParts(upload: MultipartUpload, waiting: Part[], parts: AsyncGenerator<Part>): Promise<void> {
    const { signal } = this.#stop;
    try {
      while (!signal.aborted) {
        const part = waiting.pop() ?? (await nextPart(parts, signal));
        if (part === undefined) return;
        if (part.number > MAX_PARTS) throw tooManyParts();
        this.#sent.push(await upload.send(part, signal));
        this.#loaded += part.length;
        this.#settings.onProgress?.(progressOf(this.#object, part, this.#loaded));
      }
    } catch (error) {
      this.#stop.abort(error);
      this.#object.destroy();
    }
  }

  async #complete(upload: MultipartUpload): Promise<CompleteMultipartUploadCommandOutput> {
    const { input, siblings } = this.#object;
    const { signal } = this.#stop;
    const attempts = new Attempts();
    const command = upload.completion(this.#sent);
    Object.assign(command.input, watched({}, attempts));
    const publication = {
      siblings,
      store: new SiblingStore(this.#client, input, siblings, { signal }),
      attempts,
      // Cut off, a completion may still be carried out, behind all that is then looked at.
      send: async () => withReadableLocation(await this.#client.send(command, { abortSignal: patient(signal) })),
      answerOf: (head: HeadObjectCommandOutput) => answerOfUpload(this.#object, head),
    };
    try {
      return await publish(publication);
    } catch (error) {
      if (this.#settings.leavePartsOnError === true) throw error;
      const state = await upload.abort();
      if (state !== "gone" || attempts.wereRefused || siblings.first || error instanceof InstructionFileError)
        throw error;
      // It was completed behind the look at what stands, or it is gone for another reason: whoever looks again knows.
      return await publish({ ...publication, send: () => Promise.reject(error) });
    }
  }
}

/** Reading a body has no end of its own when its source stalls. */
async function nextPart(parts: AsyncGenerator<Part>, signal: AbortSignal): Promise<Part | undefined> {
  const { value, done } = await unlessAborted(() => parts.next(), signal);
  return done === true ? undefined : value;
}

function partSizeFor(length: number | undefined, { partSize: asked, queueSize = 1 }: UploadSettings): number {
  if (!Number.isSafeInteger(queueSize) || queueSize < 1) throw invalid("queueSize must be a whole number, 1 or more.");
  if (asked !== undefined && !(Number.isSafeInteger(asked) && asked >= MIN_PART_SIZE)) {
    throw invalid(`partSize must be a whole number of bytes, ${MIN_PART_SIZE} or more.`);
  }
  if (length === undefined) return asked ?? UNKNOWN_LENGTH_PART_SIZE;
  if (asked !== undefined && length > asked * MAX_PARTS) {
    throw invalid(
      `${length} bytes do not fit into ${MAX_PARTS} parts of ${asked} bytes; choose a larger partSize, or none.`,
    );
  }
  return asked ?? Math.max(MIN_PART_SIZE, Math.ceil(length / MAX_PARTS));
}

function tooManyParts(): S3EncryptionError {
  return invalid(`The body does not fit into ${MAX_PARTS} parts; choose a larger partSize.`);
}

/** What the completion would have answered, from what S3 says of the object that it made. */
function answerOfUpload({ input }: ObjectToSend, head: HeadObjectCommandOutput): CompleteMultipartUploadCommandOutput {
  const { ETag, VersionId, Expiration, ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, $metadata } = head;
  const encrypted = { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled };
  return { Bucket: input.Bucket, Key: input.Key, ETag, VersionId, Expiration, ...encrypted, $metadata };
}

/** What stands for no plaintext is counted as if it came last, where the S3 formats have it. */
function progressOf(object: ObjectToSend, { number: part }: Part, stored: number): UploadProgress {
  const { Bucket = "", Key = "" } = object.input;
  if (object.length === undefined) return { loaded: stored, part, Key, Bucket };
  const total = object.length - object.overhead;
  return { loaded: Math.min(stored, total), total, part, Key, Bucket };
}

function uploadAborted(): Error {
  return Object.assign(new Error("Upload aborted."), { name: "AbortError" });
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
