import { EventEmitter } from "node:events";
import { resolve } from "node:path";
import { isUint8Array } from "node:util/types";
import type { CompleteMultipartUploadCommandOutput, PutObjectCommandInput, S3Client, Tag } from "@aws-sdk/client-s3";
import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf, type EncryptionCallOptions, withCallOptions } from "../call-options.js";
import type { ResolvedOptions, S3EncryptionOptions } from "../options.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { NOTHING, quiet } from "../streams.js";
import { FileBody } from "../write/file-body.js";
import type { ObjectToSend } from "./parts-to-send.js";
import type { UploadJournal } from "./resume/upload-journal.js";
import { SourceFile } from "./source-file.js";
import { told } from "./told.js";
import { assertTransferOptions, invalid, pathOf, SIZES_OF_PARTS } from "./transfer-options.js";
import type { UploadProgress, UploadResumption } from "./upload-progress.js";

/** What to upload, and how much of it at once; and what the call says about the object. */
export interface EncryptedUploadOptions
  extends Omit<EncryptionCallOptions, "instructionFileVersionId" | "preferInstructionFile"> {
  /** An `S3EncryptionClient`, or any `S3Client` together with `encryption`. */
  readonly client: S3Client;
  /** How a plain `client` encrypts; left out with one that does. Default: the client's own. */
  readonly encryption?: S3EncryptionOptions;
  /** As of a `PutObjectCommand`; without `Body` when there is a `file`. */
  readonly params: PutObjectCommandInput;
  /** Path, or `file:` URL, of a file to upload. Default: `params.Body` is uploaded. */
  readonly file?: string | URL;
  /** Parts in flight at once, 10,000 at most, each of a stream held in memory. Default 4. */
  readonly queueSize?: number;
  /** Bytes, from 5 MiB to 5 GiB. Default: 5 MiB, up to 16 MiB of a large file, or what it takes to stay within 10,000 parts. */
  readonly partSize?: number;
  /** Leave the parts of a failed upload in place. Default false. */
  readonly leavePartsOnError?: boolean;
  /**
   * Keep what it takes to go on with the upload of a `file` after this process has ended, however it did; and go on with what
   * is there. Default false: an upload that failed leaves nothing.
   */
  readonly resume?: boolean | ResumeOptions;
  /** Stored with the object as it appears, instead of `params.Tagging`. Default: none. */
  readonly tags?: readonly Tag[];
  /** Aborts the upload, as `abort()` does. Default: one of its own. */
  readonly abortController?: AbortController;
}

/** Where the state of an upload is, and by what it is known to be ours. */
export interface ResumeOptions {
  /** Path of the state, of mode 0600. Default: that of the file with `.s3ec-upload` behind it. */
  readonly state?: string;
  /**
   * 32 bytes that are this user's only, and the same in each process. Default: made once, and kept in the user's configuration
   * folder as `s3ec/resume-secret`.
   */
  readonly secret?: Uint8Array;
}

const RESUME_OPTIONS: OptionNames<ResumeOptions> = { state: true, secret: true };

const OPTIONS: OptionNames<EncryptedUploadOptions> = {
  client: true,
  encryption: true,
  params: true,
  file: true,
  queueSize: true,
  partSize: true,
  leavePartsOnError: true,
  resume: true,
  tags: true,
  abortController: true,
  encryptionContext: true,
  materialDescription: true,
  instructionFileSuffix: true,
  format: true,
};

const MEANT = {
  path: "file",
  from: "file",
  source: "file",
  filename: "file",
  Body: "params.Body",
  body: "params.Body",
  stream: "params.Body",
};

/**
 * Uploads a body of any size, encrypted: used like `Upload` of `@aws-sdk/lib-storage`. A file is read, encrypted and sent in
 * several places at once, and read again where a part has to be sent again.
 */
export class EncryptedUpload extends EventEmitter<{
  httpUploadProgress: [UploadProgress];
  resume: [UploadResumption];
}> {
  /** Of the multipart upload, once there is one. */
  uploadId?: string;
  readonly #options: EncryptedUploadOptions;
  readonly #encryption: ResolvedOptions;
  readonly #path: string | undefined;
  readonly #state: string | undefined;
  readonly #abortController: AbortController;
  #started = false;

  /**
   * Checks the options; nothing is read or sent before `done()`.
   *
   * @throws S3EncryptionError `invalid-argument` for wrong options, `invalid-configuration` for wrong `encryption`
   */
  constructor(options: EncryptedUploadOptions) {
    super();
    assertTransferOptions(options, OPTIONS, "EncryptedUpload", MEANT, SIZES_OF_PARTS);
    const { params, file, tags = [], leavePartsOnError = false } = options;
    if ((file === undefined) === (params.Body === undefined)) {
      throw invalid("Give either a file or params.Body, not both and not neither.");
    }
    this.#path = pathOf(file);
    if (file !== undefined && this.#path === undefined) throw invalid("file must be a path or a file: URL.");
    if (!Array.isArray(tags) || tags.some((tag) => typeof tag?.Key !== "string")) {
      throw invalid("tags must be a list of { Key, Value }.");
    }
    if (typeof leavePartsOnError !== "boolean") throw invalid("leavePartsOnError must be true or false.");
    assertResume(options.resume, this.#path);
    const { state } = typeof options.resume === "object" ? options.resume : {};
    this.#state = state === undefined ? undefined : resolve(state);
    callOptionsOf(withCallOptions({}, options));
    this.#options = options;
    const encryption = encryptionOf(options.client, options.encryption);
    this.#encryption = { ...encryption, telemetry: encryption.telemetry.of("EncryptedUpload", params) };
    this.#abortController = options.abortController ?? new AbortController();
  }

  /** Makes `done()` reject with an `AbortError`, once nothing of the upload is going on any more. */
  async abort(): Promise<void> {
    this.#abortController.abort();
  }

  /**
   * Encrypts and stores the body; resolves with what S3 answered, once the object is there.
   *
   * @throws S3EncryptionError what a `PutObjectCommand` throws, such as `content-too-large`, `instruction-file-failed` and
   *   `outcome-unknown`; `invalid-argument` where it was started already
   * @throws FileChangedError `content-mismatch`, for a file that changed meanwhile; nothing is stored then
   * @throws Error named `AbortError` once it was aborted; S3's own errors, and those of the body
   */
  async done(): Promise<CompleteMultipartUploadCommandOutput> {
    if (this.#started) {
      throw new S3EncryptionError("invalid-argument", "This EncryptedUpload was started already; create a new one.");
    }
    this.#started = true;
    quiet(this.#options.params.Body);
    return await this.#encryption.telemetry.refusing(() => this.#upload());
  }

  async #upload(): Promise<CompleteMultipartUploadCommandOutput> {
    const { sendObject, withoutCiphertextChecksums } = await loadUploader();
    const file = this.#path === undefined ? undefined : await SourceFile.open(this.#path);
    let journal: UploadJournal | undefined;
    try {
      const { client, queueSize, partSize, leavePartsOnError } = this.#options;
      const { object, ...kept } = await this.#seal(file);
      journal = kept.journal;
      const output = await sendObject(plainClientOf(client), object, {
        queueSize,
        partSize,
        leavePartsOnError,
        journal,
        signal: this.#abortController.signal,
        onProgress: (progress) => told(() => this.emit("httpUploadProgress", progress)),
        onResume: (resumption) => told(() => this.emit("resume", resumption)),
        onUploadId: (uploadId) => {
          this.uploadId = uploadId;
        },
      });
      return withoutCiphertextChecksums(output);
    } finally {
      // What became of the object is told, whatever becomes of what was kept of it.
      await journal?.close().catch(NOTHING);
      await file?.close().catch(NOTHING);
    }
  }

  /** A file is encrypted where it is being sent, in any order; anything else, and what has to be summed, in one pass. */
  async #seal(file: SourceFile | undefined): Promise<{ object: ObjectToSend; journal?: UploadJournal }> {
    const { sealBody, sealObjectInParts, fileToSend, streamToSend, hasPlaintextChecksums } = await loadUploader();
    const { client, params, tags = [], resume = false, partSize } = this.#options;
    const path = this.#path;
    const input = this.#withCallOptions({ ...params, ...(tags.length === 0 ? {} : { Tagging: tagging(tags) }) });
    // Of no bytes there are no parts.
    if (path !== undefined && file !== undefined && file.length > 0 && !hasPlaintextChecksums(params)) {
      assertLength(params.ContentLength, file.length);
      if (resume !== false) {
        const { resumableFile } = await import("./resume/resumable-file.js");
        const { secret } = resume === true ? {} : resume;
        const state = this.#state ?? `${path}.s3ec-upload`;
        return await resumableFile(plainClientOf(client), this.#encryption, input, file, { state, secret, partSize });
      }
      const object = await sealObjectInParts(this.#encryption, input, file.length);
      if (object !== undefined) return { object: fileToSend(file, object) };
    }
    if (resume !== false) throw invalid("Only a file that is not empty can be resumed, and without checksums of it.");
    const Body = path === undefined ? {} : { Body: new FileBody(path, file) };
    const sealed = await sealBody(this.#encryption, { ...input, ...Body });
    return { object: streamToSend(sealed, { assertUnchanged: async () => await file?.assertUnchanged() }) };
  }

  #withCallOptions(input: PutObjectCommandInput): PutObjectCommandInput {
    const { encryptionContext, materialDescription, instructionFileSuffix, format } = this.#options;
    return withCallOptions(input, {
      ...(encryptionContext === undefined ? {} : { encryptionContext }),
      ...(materialDescription === undefined ? {} : { materialDescription }),
      ...(instructionFileSuffix === undefined ? {} : { instructionFileSuffix }),
      ...(format === undefined ? {} : { format }),
      abortSignal: this.#abortController.signal,
    });
  }
}

/** What only an upload that is being done needs: importing the package must not cost what is not used. */
async function loadUploader(): Promise<
  typeof import("../ciphertext-checksums.js") &
    typeof import("../write/plaintext-checksums.js") &
    typeof import("../write/seal-object.js") &
    typeof import("./file-parts.js") &
    typeof import("./send-object.js") &
    typeof import("./stream-parts.js")
> {
  return {
    ...(await import("../ciphertext-checksums.js")),
    ...(await import("../write/plaintext-checksums.js")),
    ...(await import("../write/seal-object.js")),
    ...(await import("./file-parts.js")),
    ...(await import("./send-object.js")),
    ...(await import("./stream-parts.js")),
  };
}

/** Not whether the secret is the right one, which the state tells. */
function assertResume(resume: EncryptedUploadOptions["resume"], path: string | undefined): void {
  if (resume === undefined || resume === false) return;
  if (path === undefined)
    throw invalid("Only the upload of a file can be resumed: give it as file, not as params.Body.");
  if (resume === true) return;
  if (typeof resume !== "object" || resume === null) throw invalid("resume must be true, false or { state, secret }.");
  assertKnownOptions(resume, RESUME_OPTIONS, "resume");
  const { state, secret } = resume;
  if (state !== undefined && (typeof state !== "string" || state === "")) throw invalid("resume.state must be a path.");
  if (secret !== undefined && (!isUint8Array(secret) || secret.length !== 32)) {
    throw invalid("resume.secret must be 32 bytes.");
  }
}

function assertLength(stated: number | undefined, length: number): void {
  if (stated === undefined || stated === length) return;
  throw new S3EncryptionError("content-mismatch", `ContentLength is ${stated}, but the file has ${length} bytes.`);
}

/** Tags in the header of the request that creates the object: it never exists without them, nor loses them. */
function tagging(tags: readonly Tag[]): string {
  return tags.map(({ Key = "", Value = "" }) => `${encodeURIComponent(Key)}=${encodeURIComponent(Value)}`).join("&");
}
