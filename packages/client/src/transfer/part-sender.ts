import type {
  CompletedPart,
  CompleteMultipartUploadCommandOutput,
  HeadObjectCommandOutput,
  Part as ListedPart,
  S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { unlessAborted } from "../request-aborted.js";
import { httpStatusOf } from "../s3-errors.js";
import { Attempts, watched } from "../write/attempts.js";
import { requireCompleted } from "../write/confirmed.js";
import { patient } from "../write/patience.js";
import { publish } from "../write/publish.js";
import { settleFiles } from "../write/settle-files.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { isOf } from "../write/sibling-files.js";
import { SiblingStore } from "../write/sibling-store.js";
import { completedPart, MultipartUpload, withReadableLocation } from "./multipart-upload.js";
import { MAX_PARTS, type ObjectToSend, type Part } from "./parts-to-send.js";
import { isDead, QUEUE_SIZE, type SendingJournal, type UploadSettings } from "./send-object.js";
import { UploadCounter } from "./upload-progress.js";

/** Sends the parts of one object, several at once. */
export class PartSender {
  readonly #client: S3Client;
  readonly #object: ObjectToSend;
  readonly #settings: UploadSettings;
  /** Stops whatever carries content, with the first failure for its reason. */
  readonly #stop: AbortController;
  readonly #sent: CompletedPart[] = [];
  /** What S3 has of an upload that another process began. */
  #listed: ReadonlyMap<number, ListedPart> = new Map();
  readonly #counter: UploadCounter;
  #isLeft = false;

  constructor(client: S3Client, object: ObjectToSend, settings: UploadSettings, stop: AbortController) {
    this.#client = client;
    this.#object = object;
    this.#settings = settings;
    this.#stop = stop;
    this.#counter = new UploadCounter(object);
  }

  /** Whether the parts could not be removed after a failure, or not for certain. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  async send(
    first: Part,
    parts: AsyncGenerator<Part>,
    partSize: number,
  ): Promise<CompleteMultipartUploadCommandOutput> {
    const { queueSize = QUEUE_SIZE, journal } = this.#settings;
    const upload = await this.#begin(partSize);
    if (!(upload instanceof MultipartUpload)) return upload;
    try {
      const waiting = [first];
      const senders = Array.from({ length: queueSize }, () => this.#sendParts(upload, waiting, parts));
      await Promise.all(senders);
      this.#stop.signal.throwIfAborted();
      await this.#object.assertUnchanged();
      await this.#object.beforeComplete();
    } catch (error) {
      await this.#giveUp(upload, error);
      throw error;
    }
    const output = await this.#complete(upload);
    journal?.end();
    return output;
  }

  /** An upload to send the parts of; or the object, where another process had completed it already. */
  async #begin(partSize: number): Promise<MultipartUpload | CompleteMultipartUploadCommandOutput> {
    const { journal, onUploadId, onResume } = this.#settings;
    if (journal?.begun !== undefined) {
      const upload = new MultipartUpload(this.#client, this.#object, journal.begun.uploadId);
      onUploadId?.(upload.id);
      const listed = await upload.list(this.#stop.signal);
      if (listed !== undefined) {
        this.#listed = listed;
        onResume?.({ kept: this.#counter.bodyOf(this.#keptOf(listed, journal)) });
        return upload;
      }
      const output = await this.#standing();
      journal.end();
      if (output !== undefined) return output;
      throw new S3EncryptionError(
        "content-mismatch",
        "The upload is not there any more: it was aborted, expired, or completed and replaced since. Upload the file again.",
      );
    }
    const upload = await MultipartUpload.create(this.#client, this.#object, this.#stop.signal);
    onUploadId?.(upload.id);
    try {
      await journal?.begin(upload.id, partSize);
    } catch (error) {
      await upload.abort();
      throw error;
    }
    if (journal !== undefined) onResume?.({ kept: 0 });
    return upload;
  }

  /** Stored bytes of the parts that were ours, as far as S3 tells. */
  #keptOf(listed: ReadonlyMap<number, ListedPart>, journal: SendingJournal): number {
    const kept = [...listed].filter(([number, { Size = 0 }]) => journal.has(number, Size));
    return kept.reduce((sum, [, { Size = 0 }]) => sum + Size, 0);
  }

  /** What can be gone on with stays; not what another content would be put into (G11). */
  async #giveUp(upload: MultipartUpload, error: unknown): Promise<void> {
    const { journal, leavePartsOnError = false } = this.#settings;
    if (journal === undefined ? leavePartsOnError : !isDead(error)) return;
    await this.#remove(upload);
    journal?.end();
  }

  /** Rejects for nothing: a failure stops all senders, which end once their requests have. */
  async #sendParts(upload: MultipartUpload, waiting: Part[], parts: AsyncGenerator<Part>): Promise<void> {
    const { signal } = this.#stop;
    try {
      while (!signal.aborted) {
        const part = waiting.pop() ?? (await nextPart(parts, signal));
        if (part === undefined) return;
        if (part.number > MAX_PARTS) throw tooManyParts();
        await part.ready();
        const before = await this.#sentBefore(part);
        this.#sent.push(before ?? (await upload.send(part, signal)));
        this.#settings.onProgress?.(this.#counter.add(part, before === undefined));
      }
    } catch (error) {
      this.#stop.abort(error);
      this.#object.destroy();
    }
  }

  /** A part that S3 has, as we sent it. What S3 lists only says what need not be sent again (G8). */
  async #sentBefore(part: Part): Promise<CompletedPart | undefined> {
    const { journal } = this.#settings;
    if (journal === undefined) return undefined;
    const { isKnown, crc32 } = await journal.record(part);
    const listed = this.#listed.get(part.number);
    if (!isKnown || listed?.ETag === undefined || listed.Size !== part.length) return undefined;
    if (listed.ChecksumCRC32 !== undefined && listed.ChecksumCRC32 !== crc32) return undefined;
    return completedPart(part.number, listed);
  }

  async #complete(upload: MultipartUpload): Promise<CompleteMultipartUploadCommandOutput> {
    const { siblings } = this.#object;
    const { signal } = this.#stop;
    const attempts = new Attempts();
    const command = upload.completion(this.#sent);
    Object.assign(command.input, watched({}, attempts));
    try {
      return await publish({
        siblings,
        store: this.#store(),
        attempts,
        // Cut off, a completion may still be carried out, behind all that is then looked at.
        send: async () => {
          const output = await this.#client.send(command, { abortSignal: patient(signal) });
          requireCompleted(output, command.input);
          return withReadableLocation(output);
        },
        answerOf: (head: HeadObjectCommandOutput) => answerOfUpload(this.#object, head),
      });
    } catch (error) {
      const { journal, leavePartsOnError = false } = this.#settings;
      // The object stands, or stood: what is wrong is beside it.
      if (error instanceof InstructionFileError && error.code !== "outcome-unknown") {
        journal?.end();
        throw error;
      }
      const isRefused = httpStatusOf(error) === 412;
      if (isRefused) journal?.end();
      if ((journal !== undefined && !isRefused) || leavePartsOnError) throw error;
      // It may have been completed behind the look at what stands: then there is nothing to abort.
      const output =
        (await this.#remove(upload)) === "gone" && !attempts.wereRefused ? await this.#standing() : undefined;
      if (output === undefined) throw error;
      return output;
    }
  }

  async #remove(upload: MultipartUpload): Promise<"removed" | "gone" | "unknown"> {
    const outcome = await upload.abort();
    this.#isLeft = outcome === "unknown";
    return outcome;
  }

  /** What a completion would have answered, if our object stands; what is stored beside it is put then, too. */
  async #standing(): Promise<CompleteMultipartUploadCommandOutput | undefined> {
    const { siblings } = this.#object;
    const standing = await this.#store()
      .afterFailure()
      .standing()
      .catch(() => ({ state: "unknown" }) as const);
    if (!isOf(siblings.mark, standing) || standing.state !== "read") return undefined;
    if (siblings.suffixes.length > 0) await settleFiles(this.#store(), siblings, undefined);
    return answerOfUpload(this.#object, standing.head);
  }

  #store(): SiblingStore {
    const { input, siblings } = this.#object;
    return new SiblingStore(this.#client, input, siblings, { signal: this.#stop.signal });
  }
}

/** Reading a body has no end of its own when its source stalls. */
export async function nextPart(parts: AsyncGenerator<Part>, signal: AbortSignal): Promise<Part | undefined> {
  const { value, done } = await unlessAborted(() => parts.next(), signal);
  return done === true ? undefined : value;
}

function tooManyParts(): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    `The body does not fit into ${MAX_PARTS} parts; choose a larger partSize.`,
  );
}

/** What the completion would have answered, from what S3 says of the object that it made. */
export function answerOfUpload(
  { input }: Pick<ObjectToSend, "input">,
  head: HeadObjectCommandOutput,
): CompleteMultipartUploadCommandOutput {
  const { ETag, VersionId, Expiration, ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, $metadata } = head;
  const encrypted = { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled };
  return { Bucket: input.Bucket, Key: input.Key, ETag, VersionId, Expiration, ...encrypted, $metadata };
}
