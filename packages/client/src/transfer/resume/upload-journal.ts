import { createHmac, type KeyObject } from "node:crypto";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf } from "../../call-options.js";
import { NOTHING } from "../../streams.js";
import type { KeptObject } from "../../write/seal-object.js";
import type { Part } from "../parts-to-send.js";
import type { SendingJournal } from "../send-object.js";
import { type FileIdentity, isSameFile, type SourceFile } from "../source-file.js";
import { digestOf, isSameDigest } from "./part-digest.js";
import { StateFile } from "./state-file.js";

/** What has begun: all that it takes to go on, but for the keys. */
export interface BegunUpload extends KeptObject {
  readonly version: 1;
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  /** Bytes. */
  readonly partSize: number;
  readonly source: FileIdentity;
  /** What else the caller says of the object, as a keyed digest: it may hold keys of SSE-C. */
  readonly call: string;
}

/** That a part was encrypted, on the disk before its first byte leaves. */
interface PartRecord {
  readonly part: number;
  readonly offset: number;
  readonly length: number;
  readonly digest: string;
}

/** What is kept of an upload for a later process (G7, G8). */
export class UploadJournal implements SendingJournal {
  readonly #file: StateFile;
  readonly #source: SourceFile;
  readonly #records = new Map<number, PartRecord>();
  /** What the state says, proven or not; undefined where there is none. */
  readonly begun: BegunUpload | undefined;
  #bound: { readonly key: KeyObject; readonly of: Omit<BegunUpload, "uploadId" | "partSize"> } | undefined;
  #isOver = false;

  private constructor(file: StateFile, source: SourceFile, begun: BegunUpload | undefined) {
    this.#file = file;
    this.#source = source;
    this.begun = begun;
  }

  /**
   * Takes up the state of an upload of this file to this object, or begins one.
   * @throws S3EncryptionError `transfer-in-use`, `unsupported-operation`, `content-mismatch` as `StateFile`; `invalid-argument` for a state of
   *   another object
   */
  static async open(
    path: string,
    source: SourceFile,
    params: Pick<PutObjectCommandInput, "Bucket" | "Key">,
  ): Promise<UploadJournal> {
    const { Bucket, Key } = params;
    const file = await StateFile.open(path, callOptionsOf(params).abortSignal);
    try {
      const begun = begunUpload(path, file.first);
      if (begun !== undefined && (begun.bucket !== Bucket || begun.key !== Key)) {
        throw new S3EncryptionError(
          "invalid-argument",
          `${path} is the state of an upload to s3://${begun.bucket}/${begun.key}: finish or discard that one, or name another state.`,
        );
      }
      return new UploadJournal(file, source, begun);
    } catch (error) {
      await file.close(false).catch(NOTHING);
      throw error;
    }
  }

  /**
   * Proves what it has, under the key that the format has made of the data key and of the user's secret; what is added is
   * proven by the same.
   *
   * @param params what the caller says of the object, with call options
   * @param partSize bytes, if he says so
   * @throws S3EncryptionError `content-mismatch` for a state that was altered or is another user's; `invalid-argument` for a
   *   call that says other things of the object
   * @throws FileChangedError for a file that is not what it was
   */
  bind(key: KeyObject, params: PutObjectCommandInput, kept: KeptObject, partSize: number | undefined): void {
    const [, ...records] = this.#file.authenticate(key);
    for (const record of records as PartRecord[]) this.#records.set(record.part, record);
    const { Bucket: bucket = "", Key = "" } = params;
    const call = callDigest(key, params);
    this.#bound = { key, of: { version: 1, bucket, key: Key, ...kept, source: this.#source.identity, call } };
    if (this.begun === undefined) return;
    if (!isSameFile(this.begun.source, this.#source.identity)) throw this.#source.changed();
    if (!isSameDigest(this.begun.call, call)) {
      throw new S3EncryptionError(
        "invalid-argument",
        "The upload was begun with other params or call options: resume it with the same ones. If they are, an earlier release began it, which did not note them: discard it.",
      );
    }
    if (partSize !== undefined && partSize !== this.begun.partSize) {
      throw new S3EncryptionError(
        "invalid-argument",
        `The upload was begun in parts of ${this.begun.partSize} bytes: resume it with this partSize or none, or discard it.`,
      );
    }
  }

  async begin(uploadId: string, partSize: number): Promise<void> {
    const { key, of } = this.#state;
    await this.#file.add(key, { ...of, uploadId, partSize } satisfies BegunUpload);
  }

  /**
   * What the part is, is then on the disk, or was found to be what it was (G8).
   * @throws FileChangedError for a part that is not what it was
   */
  async record(part: Part): Promise<{ readonly isKnown: boolean; readonly crc32: string }> {
    const { key } = this.#state;
    const { digest, crc32 } = await digestOf(key, part);
    const { number, offset, length } = part;
    const before = this.#records.get(number);
    if (before === undefined) {
      await this.#file.add(key, { part: number, offset, length, digest } satisfies PartRecord);
      return { isKnown: false, crc32 };
    }
    const isSame = before.offset === offset && before.length === length && isSameDigest(before.digest, digest);
    if (!isSame) throw this.#source.changed();
    return { isKnown: true, crc32 };
  }

  has(part: number, length: number): boolean {
    return this.#records.get(part)?.length === length;
  }

  /** There is nothing to go on with any more: the object is there, or never will be (G11). */
  end(): void {
    this.#isOver = true;
  }

  async close(): Promise<void> {
    await this.#file.close(this.#isOver);
  }

  get #state(): { readonly key: KeyObject; readonly of: Omit<BegunUpload, "uploadId" | "partSize"> } {
    if (this.#bound === undefined) throw new Error("A state is bound to its object before it is used.");
    return this.#bound;
  }
}

/** Not the source of authority: what is used of it is proven by `authenticate`, or by the keyring. */
export function begunUpload(path: string, value: unknown): BegunUpload | undefined {
  if (value === undefined) return undefined;
  const begun = value as BegunUpload;
  const texts = [begun?.bucket, begun?.key, begun?.uploadId, begun?.format, begun?.call];
  const isRight =
    begun?.version === 1 &&
    texts.every((text) => typeof text === "string" && text !== "") &&
    isStrings(begun.metadata) &&
    Array.isArray(begun.files) &&
    begun.files.every((file) => isStrings({ suffix: file?.suffix, body: file?.body }) && isStrings(file.metadata)) &&
    Number.isSafeInteger(begun.partSize) &&
    begun.partSize > 0 &&
    typeof begun.source === "object" &&
    begun.source !== null;
  if (isRight) return begun;
  throw new S3EncryptionError(
    "content-mismatch",
    `${path} is not the state of an upload by this release. Name another one, or delete it to upload from the beginning.`,
  );
}

function isStrings(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");
}

/** Of everything that the caller says of the object, in the params or beside them, in whatever order. */
function callDigest(key: KeyObject, params: PutObjectCommandInput): string {
  const { abortSignal: _, ...call } = callOptionsOf(params);
  const { abortSignal: _none, ...nothing } = callOptionsOf({});
  const beside = sorted(call) === sorted(nothing) ? {} : { "beside the params": call };
  const text = sorted({ ...params, ...beside, Body: undefined });
  return createHmac("sha256", key).update("s3ec upload state call").update(text).digest("base64");
}

function sorted(value: object): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
