import type {
  CompleteMultipartUploadCommandOutput,
  HeadObjectCommandOutput,
  PutObjectCommandInput,
  S3Client,
  ServiceInputTypes,
  ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import type { S3Command } from "../call-options.js";
import { readableOf } from "../streams.js";
import { Attempts, watched } from "../write/attempts.js";
import { patient } from "../write/patience.js";
import { publish } from "../write/publish.js";
import type { SealedObject } from "../write/seal-object.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { SiblingStore } from "../write/sibling-store.js";

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

/** What is used of `Upload`: its own type, in our declarations, would not be found where it is not installed. */
export type UploadConstructor = new (options: {
  readonly client: S3Client;
  readonly params: PutObjectCommandInput;
  readonly partSize: number;
  readonly queueSize?: number;
  readonly leavePartsOnError?: boolean;
}) => {
  on(event: "httpUploadProgress", listener: (progress: UploadProgress) => void): unknown;
  done(): Promise<CompleteMultipartUploadCommandOutput>;
};

/** Undefined where `@aws-sdk/lib-storage`, an optional peer, is not installed. */
export async function loadUpload(): Promise<UploadConstructor | undefined> {
  try {
    return (await import("@aws-sdk/lib-storage")).Upload;
  } catch (error) {
    if (isError(error) && error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

function uploadAborted(): Error {
  return Object.assign(new Error("Upload aborted."), { name: "AbortError" });
}

/**
 * Stores a sealed object through `Upload`: its ciphertext is produced once and in order (S18), and what is sent in
 * parallel, and sent again when S3 fails, are finished parts of it. What is stored beside it is put after the object
 * appears, or right before (H29) where it cannot be read without.
 *
 * Ends, well or not, only once nothing of it is going on any more: no request, no open multipart upload.
 *
 * @param client one that does not encrypt
 */
export async function uploadSealed(
  Upload: UploadConstructor,
  client: S3Client,
  sealed: SealedObject,
  settings: UploadSettings,
): Promise<CompleteMultipartUploadCommandOutput> {
  const { queueSize, leavePartsOnError, signal, onProgress } = settings;
  const body = readableOf(sealed.ciphertext, sealed.destroy);
  // Destroying it tells Upload, which is reading it; nobody else has to hear.
  body.on("error", () => {});
  const parts = new AbortController();
  let failure: unknown;
  let outcome: InstructionFileError | undefined;
  const fail = (error: unknown): void => {
    failure ??= error;
    parts.abort();
    body.destroy(isError(failure) ? failure : uploadAborted());
  };
  const onAbort = (): void => fail(uploadAborted());
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal?.aborted === true) throw uploadAborted();
    const upload = new Upload({
      client: partSender(client, sealed, {
        abortSignal: parts.signal,
        fail,
        onOutcome: (error) => {
          outcome = error;
        },
        onUploadId: settings.onUploadId,
      }),
      params: { ...sealed.input, Body: body, ...(sealed.length === undefined ? {} : { ContentLength: sealed.length }) },
      partSize: partSizeFor(sealed.length, settings),
      ...(queueSize === undefined ? {} : { queueSize }),
      ...(leavePartsOnError === undefined ? {} : { leavePartsOnError }),
    });
    upload.on("httpUploadProgress", (progress) => onProgress?.(inPlaintext(progress, sealed)));
    return await upload.done();
  } catch (error) {
    // What is stored by then is said, whatever else has happened.
    throw outcome ?? failure ?? error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    body.destroy();
  }
}

function partSizeFor(length: number | undefined, { partSize: asked, queueSize = 1 }: UploadSettings): number {
  // `Upload` would wait for ever for a part that it may not send.
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

/**
 * What `Upload` sends with. It knows neither how to abort a request nor that others have failed, and it must not start
 * what would have to be undone.
 */
function partSender(
  client: S3Client,
  sealed: SealedObject,
  {
    abortSignal,
    fail,
    onOutcome,
    onUploadId,
  }: {
    readonly abortSignal: AbortSignal;
    readonly fail: (error: unknown) => void;
    readonly onOutcome: (error: InstructionFileError) => void;
    readonly onUploadId: UploadSettings["onUploadId"];
  },
): S3Client {
  const appear = async (command: S3Command<ServiceInputTypes, ServiceOutputTypes>): Promise<ServiceOutputTypes> => {
    const attempts = new Attempts();
    Object.assign(command.input, watched({}, attempts));
    return publish<ServiceOutputTypes>({
      siblings: sealed.siblings,
      store: new SiblingStore(client, sealed.input, sealed.siblings, { signal: abortSignal }),
      attempts,
      // Cut off, a completion may still be carried out, behind all that is then looked at.
      send: () =>
        client.send(command, { abortSignal: carriesContent(command.input) ? abortSignal : patient(abortSignal) }),
      answerOf: (head) => answerOfUpload(sealed, head),
    });
  };
  const send = async (command: S3Command<ServiceInputTypes, ServiceOutputTypes>): Promise<ServiceOutputTypes> => {
    const { input } = command;
    const sendsContent = carriesContent(input);
    const publishes = "MultipartUpload" in input || (sendsContent && !("PartNumber" in input));
    try {
      if (publishes || sendsContent) abortSignal.throwIfAborted();
      if (publishes) return await appear(command);
      // Cutting off any other request would leave us not knowing whether there is an upload, or an object.
      const output = await client.send(command, sendsContent ? { abortSignal } : {});
      if ("UploadId" in output && output.UploadId !== undefined) onUploadId?.(output.UploadId);
      return output;
    } catch (error) {
      if (error instanceof InstructionFileError) onOutcome(error);
      if (sendsContent) fail(error);
      throw error;
    }
  };
  return Object.create(client, { send: { value: send } });
}

/** `Upload` names the body, without one, in what completes it too. */
function carriesContent(input: ServiceInputTypes): boolean {
  return "Body" in input && input.Body !== undefined;
}

/** What the completion would have answered, from what S3 says of the object that it made. */
function answerOfUpload({ input }: SealedObject, head: HeadObjectCommandOutput): CompleteMultipartUploadCommandOutput {
  const { ETag, VersionId, Expiration, ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, $metadata } = head;
  const encrypted = { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled };
  return { Bucket: input.Bucket, Key: input.Key, ETag, VersionId, Expiration, ...encrypted, $metadata };
}

/** What stands for no plaintext is counted as if it came last, where the S3 formats have it. */
function inPlaintext(progress: UploadProgress, { length, overhead }: SealedObject): UploadProgress {
  if (length === undefined) return progress;
  const total = length - overhead;
  return { ...progress, loaded: Math.min(progress.loaded ?? 0, total), total };
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
