import { EventEmitter } from "node:events";
import type { Writable } from "node:stream";
import type { GetObjectCommandInput, GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import type { OptionNames } from "@s3ec/materials";
import { type CallOptions, callOptionsOf, type EncryptionCallOptions, withCallOptions } from "../call-options.js";
import type { ResolvedOptions, S3EncryptionOptions } from "../options.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { quiet } from "../streams.js";
import type { RangeSettings } from "./ciphertext-ranges.js";
import type { DownloadProgress } from "./download-progress.js";
import type { DownloadResumption } from "./resumed-download.js";
import { told } from "./told.js";
import { assertTransferOptions, invalid, pathOf, SIZES_OF_RANGES, wholeBlocks } from "./transfer-options.js";

/** What to download, to where, and how much of it at once; and what the call says about the object. */
export interface EncryptedDownloadOptions extends EncryptionCallOptions {
  /** An `S3EncryptionClient`, or any `S3Client` together with `encryption`. */
  readonly client: S3Client;
  /** How a plain `client` decrypts; left out with one that does. Default: the client's own. */
  readonly encryption?: S3EncryptionOptions;
  /** As of a `GetObjectCommand` for a whole object. */
  readonly params: GetObjectCommandInput;
  /** Path of the file to make or replace, or the stream to write to and end. */
  readonly to: string | URL | Writable;
  /** Ranges fetched at once, 10,000 at most. Default 8. */
  readonly queueSize?: number;
  /**
   * Bytes of one range, 1 GiB at most, rounded up to whole blocks of 16. To a file they are written in their place as they arrive; to a
   * stream, and where nothing but decrypting in order proves them, `queueSize` of them are held in memory. Default: 3 MiB, and
   * up to 16 MiB of a large object where they are not held.
   */
  readonly partSize?: number;
  /**
   * Goes on with what an earlier download to this file left, where it is of the same object, version, key and envelope, and
   * leaves what has arrived when this one breaks off: **unproven** plaintext in a folder `.s3ec-resume-...` beside the
   * target, which only its owner can enter. Default false: nothing is left.
   */
  readonly resume?: boolean;
  /** Aborts the download, as `abort()` does. Default: one of its own. */
  readonly abortController?: AbortController;
}

const OPTIONS: OptionNames<EncryptedDownloadOptions> = {
  client: true,
  encryption: true,
  params: true,
  to: true,
  queueSize: true,
  partSize: true,
  resume: true,
  abortController: true,
  encryptionContext: true,
  materialDescription: true,
  instructionFileSuffix: true,
  instructionFileVersionId: true,
  preferInstructionFile: true,
  format: true,
};

const MEANT = { file: "to", path: "to", target: "to", output: "to", destination: "to", filename: "to" };

const DEFAULT_QUEUE_SIZE = 8;
const DEFAULT_PART_SIZE = 3 * 1024 * 1024;
const LARGEST_DEFAULT_PART = 16 * 1024 * 1024;

/**
 * Downloads and decrypts an object of any size through several connections, in bounded memory. Nothing is given out
 * before all of it is authenticated: a file gets its name only then, and what is written to a stream is held back as
 * by `GetObjectCommand` (`bufferSize`, `spool`, `enableDelayedAuthenticationMode`).
 */
export class EncryptedDownload extends EventEmitter<{
  httpDownloadProgress: [DownloadProgress];
  resume: [DownloadResumption];
}> {
  readonly #options: EncryptedDownloadOptions;
  readonly #encryption: ResolvedOptions;
  readonly #call: CallOptions;
  readonly #to: string | Writable;
  readonly #abortController: AbortController;
  #started = false;
  #kept: string | undefined;

  /**
   * Checks the options; nothing is sent or made before `done()`.
   *
   * @throws S3EncryptionError `invalid-argument` for wrong options, `invalid-configuration` for wrong `encryption`
   */
  constructor(options: EncryptedDownloadOptions) {
    super();
    assertTransferOptions(options, OPTIONS, "EncryptedDownload", MEANT, SIZES_OF_RANGES);
    const { params, to, resume } = options;
    if (params.Range !== undefined || params.PartNumber !== undefined) {
      throw invalid("EncryptedDownload reads whole objects; send a GetObjectCommand for a range.");
    }
    this.#to = targetOf(to);
    if (resume !== undefined && typeof resume !== "boolean") throw invalid("resume must be true or false.");
    if (resume === true && typeof this.#to !== "string") {
      throw invalid("Only a download to a file can be resumed: leave resume out.");
    }
    this.#options = options;
    this.#call = callOptionsOf(withCallOptions({}, options));
    const encryption = encryptionOf(options.client, options.encryption);
    this.#encryption = { ...encryption, telemetry: encryption.telemetry.of("EncryptedDownload", params) };
    this.#abortController = options.abortController ?? new AbortController();
  }

  /**
   * With `resume`, after `done()` rejected: path of the folder that what has arrived was left in. To go on, start another
   * download with `resume`; to clean up, delete the folder. Undefined where nothing was left.
   */
  get kept(): string | undefined {
    return this.#kept;
  }

  /** Makes `done()` reject with an `AbortError`, once nothing of the download is going on any more. */
  async abort(): Promise<void> {
    this.#abortController.abort();
  }

  /**
   * Resolves with what S3 answered, once the file or the stream has everything. An error leaves a file as it was; it
   * destroys a stream that something was already written to, and leaves it alone before that.
   *
   * @throws S3EncryptionError what a `GetObjectCommand` throws, such as `decryption-failed`; `content-mismatch` where the object
   *   was replaced meanwhile; `content-too-large` where the disk has no room for it; `transfer-in-use` where another process
   *   resumes it; `unsupported-operation` where it cannot be resumed; `invalid-argument` where it was started already
   * @throws Error named `AbortError` once it was aborted; S3's own errors, and those of the file or stream
   */
  async done(): Promise<Omit<GetObjectCommandOutput, "Body">> {
    if (this.#started) throw invalid("This EncryptedDownload was started already; create a new one.");
    this.#started = true;
    return await this.#encryption.telemetry.refusing(() => this.#download());
  }

  async #download(): Promise<Omit<GetObjectCommandOutput, "Body">> {
    const { signal } = this.#abortController;
    const to = this.#to;
    const { client, params, resume } = this.#options;
    const { queueSize = DEFAULT_QUEUE_SIZE } = this.#options;
    // A target may fail while the object is asked for; writing to it then tells.
    quiet(to);
    try {
      signal.throwIfAborted();
      // Loaded when it is needed, so that importing the client costs less.
      const { downloadObject } = await import("./download-object.js");
      return await downloadObject({
        client: plainClientOf(client),
        encryption: this.#encryption,
        call: this.#call,
        params,
        to,
        ranges: { queueSize, signal, ...partSizes(this.#options) },
        onProgress: (progress) => told(() => this.emit("httpDownloadProgress", progress)),
        ...(resume
          ? {
              resume: {
                onResume: (resumption) => told(() => this.emit("resume", resumption)),
                onKept: (folder) => {
                  this.#kept = folder;
                },
              },
            }
          : {}),
      });
    } catch (error) {
      throw signal.aborted ? Object.assign(new Error("Download aborted."), { name: "AbortError" }) : error;
    }
  }
}

function partSizes({ partSize }: EncryptedDownloadOptions): Pick<RangeSettings, "partSize" | "largestPart"> {
  if (partSize === undefined) return { partSize: DEFAULT_PART_SIZE, largestPart: LARGEST_DEFAULT_PART };
  return { partSize: wholeBlocks(partSize) };
}

function targetOf(to: EncryptedDownloadOptions["to"]): string | Writable {
  const path = pathOf(to);
  if (path !== undefined) return path;
  if (isWritable(to)) return to;
  throw invalid("Say where to download to: { to }, the path or file: URL of a file, or a writable stream.");
}

function isWritable(to: unknown): to is Writable {
  const methods = ["on", "write", "end"];
  return typeof to === "object" && to !== null && methods.every((name) => typeof Reflect.get(to, name) === "function");
}
