import { EventEmitter } from "node:events";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { readableOf } from "./body.js";
import { callOptionsOf, type EncryptionCallOptions, withCallOptions } from "./call-options.js";
import { openRanges, type RangedObject } from "./ciphertext-ranges.js";
import { decryptionOfMessage, messageFormatFor, openMessage, readStart } from "./open-message.js";
import { openObject } from "./open-object.js";
import type { ResolvedOptions, S3EncryptionOptions } from "./options.js";
import { encryptionOf, plainClientOf } from "./plain-client.js";
import { withoutCiphertextChecksums } from "./put-object.js";
import { type CiphertextBody, type Decryption, decryptionOf, openWhole } from "./whole-content.js";
import { writeWholeFile } from "./whole-file.js";

/** How far a download is, in bytes of plaintext. */
export interface DownloadProgress {
  readonly loaded: number;
  /** Absent for CBC, whose padding hides it. */
  readonly total?: number;
  readonly Key?: string;
  readonly Bucket?: string;
}

export interface EncryptedDownloadOptions extends EncryptionCallOptions {
  /** An `S3EncryptionClient`, or any `S3Client` together with `encryption`. */
  readonly client: S3Client;
  readonly encryption?: S3EncryptionOptions;
  /** As of a `GetObjectCommand` for a whole object. */
  readonly params: GetObjectCommandInput;
  /** Path of the file to make or replace, or the stream to write to and end. */
  readonly to: string | URL | Writable;
  /** Ranges fetched at once, each held in memory until it is its turn. Default 8. */
  readonly queueSize?: number;
  /** Bytes of one range. Default 3 MiB. */
  readonly partSize?: number;
  readonly abortController?: AbortController;
}

const DEFAULT_QUEUE_SIZE = 8;
const DEFAULT_PART_SIZE = 3 * 1024 * 1024;

/**
 * Downloads and decrypts an object of any size through several connections, in bounded memory. Nothing is given out
 * before all of it is authenticated: a file gets its name only then, and what is written to a stream is held back as
 * by `GetObjectCommand` (`bufferSize`, `spool`, `enableDelayedAuthenticationMode`).
 */
export class EncryptedDownload extends EventEmitter<{ httpDownloadProgress: [DownloadProgress] }> {
  readonly #options: EncryptedDownloadOptions;
  readonly #encryption: ResolvedOptions;
  readonly #abortController: AbortController;
  #started = false;
  #loaded = 0;

  /** Throws `invalid-argument` and `invalid-configuration`; nothing is sent or made before `done()`. */
  constructor(options: EncryptedDownloadOptions) {
    super();
    const { params, queueSize = DEFAULT_QUEUE_SIZE, partSize = DEFAULT_PART_SIZE } = options;
    if (params.Range !== undefined || params.PartNumber !== undefined) {
      throw invalid("EncryptedDownload reads whole objects; send a GetObjectCommand for a range.");
    }
    for (const [name, value] of Object.entries({ queueSize, partSize })) {
      if (!Number.isSafeInteger(value) || value < 1) throw invalid(`${name} must be a whole number, 1 or more.`);
    }
    this.#options = options;
    this.#encryption = encryptionOf(options.client, options.encryption);
    this.#abortController = options.abortController ?? new AbortController();
  }

  /** Makes `done()` reject with an `AbortError`, once nothing of the download is going on any more. */
  async abort(): Promise<void> {
    this.#abortController.abort();
  }

  /**
   * Resolves with what S3 answered, once the file or the stream has everything. An error leaves a file as it was; it
   * destroys a stream that something was already written to, and leaves it alone before that.
   */
  async done(): Promise<Omit<GetObjectCommandOutput, "Body">> {
    if (this.#started) throw invalid("This EncryptedDownload was started already; create a new one.");
    this.#started = true;
    const { signal } = this.#abortController;
    const { to } = this.#options;
    // A target may fail while the object is asked for; writing to it then tells.
    if (typeof to !== "string" && !(to instanceof URL)) to.on("error", () => {});
    const { client, params, queueSize = DEFAULT_QUEUE_SIZE, partSize = DEFAULT_PART_SIZE } = this.#options;
    const plain = plainClientOf(client);
    try {
      signal.throwIfAborted();
      const object = await openRanges(plain, params, { queueSize, partSize, signal });
      try {
        return await this.#store(object, plain);
      } finally {
        await object.close();
      }
    } catch (error) {
      throw signal.aborted ? Object.assign(new Error("Download aborted."), { name: "AbortError" }) : error;
    }
  }

  async #store(object: RangedObject, plain: S3Client): Promise<Omit<GetObjectCommandOutput, "Body">> {
    const { to } = this.#options;
    const { signal: abortSignal } = this.#abortController;
    const { decryption, body } = await this.#open(object, plain);
    const { length: total } = decryption;
    if (typeof to === "string" || to instanceof URL) {
      const counted = this.#counted(decryption.decrypt(body.chunks), total);
      // Nobody sees the file before its last chunk, and there is a last chunk only if the content is authentic.
      await writeWholeFile(typeof to === "string" ? to : fileURLToPath(to), counted);
    } else {
      const plaintext = await openWhole(this.#encryption, decryption, body);
      const counted = this.#counted(plaintext.chunks, total);
      if (to.errored) throw to.errored;
      await pipeline(readableOf(counted, plaintext.destroy), to, { signal: abortSignal });
    }
    const { Body, ContentRange, ...output } = withoutCiphertextChecksums(object.output);
    return { ...output, ContentLength: this.#loaded };
  }

  async #open(
    { output, length, body }: RangedObject,
    plain: S3Client,
  ): Promise<{ readonly decryption: Decryption; readonly body: CiphertextBody }> {
    const call = callOptionsOf(withCallOptions({}, this.#options));
    const { signal: abortSignal } = this.#abortController;
    const { destroy } = body;
    let { chunks } = body;
    const format = messageFormatFor(this.#encryption, call, output);
    if (format !== undefined) {
      const start = await readStart(format, chunks);
      chunks = start.chunks;
      if (start.header !== undefined) {
        const message = await openMessage(format, this.#encryption, call, start.header);
        return { decryption: decryptionOfMessage(message, length), body: { chunks, destroy } };
      }
    }
    const content = await openObject(this.#encryption, call, this.#options.params, output, (file) =>
      plain.send(new GetObjectCommand(file), { abortSignal }),
    );
    return { decryption: decryptionOf(content, length), body: { chunks, destroy } };
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>, total: number | undefined): AsyncGenerator<Uint8Array> {
    const { Bucket, Key } = this.#options.params;
    for await (const chunk of chunks) {
      yield chunk;
      this.#loaded += chunk.length;
      this.emit("httpDownloadProgress", {
        loaded: this.#loaded,
        ...(total === undefined ? {} : { total }),
        ...(Key === undefined ? {} : { Key }),
        ...(Bucket === undefined ? {} : { Bucket }),
      });
    }
  }
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
