import { randomBytes } from "node:crypto";
import type { Headers } from "../../http/request-target.js";
import type { ChecksumAlgorithm, ChecksumType } from "../body/checksums.js";
import { S3Error } from "../s3-error.js";
import type { Bucket } from "./bucket.js";
import type { ObjectAttributes } from "./object-record.js";

/** A part that was received. */
export interface UploadedPart {
  readonly number: number;
  readonly file: string;
  readonly size: number;
  readonly tag: Buffer;
  readonly digest: Buffer | undefined;
  readonly modified: number;
}

/** A multipart upload in progress. Uploads live in memory: those of an earlier run of the server are gone. */
export interface MultipartUpload {
  readonly id: string;
  readonly bucket: Bucket;
  readonly key: string;
  readonly headers: Headers;
  readonly metadata: Headers;
  readonly attributes: ObjectAttributes;
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined;
  readonly parts: Map<number, UploadedPart>;
  /** Milliseconds since 1970. */
  readonly started: number;
}

/** A multipart upload that is neither completed nor aborted. */
export interface OpenUpload {
  /** The name of its bucket. */
  readonly bucket: string;
  /** The key of the object that it is to become. */
  readonly key: string;
  /** What clients know it by. */
  readonly uploadId: string;
}

/** The uploads of all buckets. */
export class MultipartUploads {
  readonly #open = new Map<string, MultipartUpload>();

  /** All uploads. */
  get list(): readonly OpenUpload[] {
    return [...this.#open.values()].map(({ id, bucket, key }) => ({ uploadId: id, bucket: bucket.name, key }));
  }

  /** Those of one bucket, in the order of their keys and, of one key, in that in which they were started. */
  of(bucket: Bucket): readonly MultipartUpload[] {
    return [...this.#open.values()]
      .filter((upload) => upload.bucket === bucket)
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  /** Begins an upload without parts. */
  start(details: Omit<MultipartUpload, "id" | "parts" | "started">): MultipartUpload {
    const upload = { ...details, id: randomBytes(24).toString("base64url"), parts: new Map(), started: Date.now() };
    this.#open.set(upload.id, upload);
    return upload;
  }

  /** @throws S3Error `NoSuchUpload` */
  find(bucket: string, key: string, id: string | undefined): MultipartUpload {
    const upload = this.#open.get(id ?? "");
    if (upload === undefined || upload.bucket.name !== bucket || upload.key !== key)
      throw new S3Error(
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
        { UploadId: id ?? "" },
      );
    return upload;
  }

  /** Adds a part whose file has been written; the upload may have ended meanwhile, and the file goes with it. */
  async addPart(upload: MultipartUpload, part: UploadedPart): Promise<void> {
    if (!this.#open.has(upload.id)) {
      await upload.bucket.deleteDataFiles([part]);
      this.find(upload.bucket.name, upload.key, upload.id);
    }
    const replaced = upload.parts.get(part.number);
    upload.parts.set(part.number, part);
    if (replaced !== undefined) await upload.bucket.deleteDataFiles([replaced]);
  }

  /** Forgets the uploads of a bucket that is gone. */
  endAll(bucket: Bucket): void {
    for (const upload of this.#open.values()) if (upload.bucket === bucket) this.end(upload);
  }

  /** Forgets an upload; its files are left to the caller. */
  end(upload: MultipartUpload): void {
    this.#open.delete(upload.id);
  }
}
