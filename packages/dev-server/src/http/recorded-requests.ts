import type { Headers } from "./request-target.js";

/** One request as it arrived, whatever became of it. */
export interface RecordedRequest {
  /** Which of the two services it was for. */
  readonly service: "s3" | "kms";
  /** The API's name of it, for example `PutObject` or `Decrypt`; `Unknown` for S3 requests that are not implemented. */
  readonly operation: string;
  /** Of an S3 request, empty where it names none. */
  readonly bucket?: string;
  /** Of an S3 request, decoded, empty where it names none. */
  readonly key?: string;
  /** Names in lower case. */
  readonly headers: Headers;
  /** Of an S3 request, decoded. */
  readonly query?: Readonly<Record<string, string>>;
  /** The JSON text of a KMS request. */
  readonly body?: string;
}

const most = 10_000;

/** The latest 10,000 requests, oldest first. */
export class RecordedRequests {
  /** Those that are kept, oldest first. */
  readonly list: RecordedRequest[] = [];

  /** Keeps one more, and forgets the oldest when there are too many. */
  add(request: RecordedRequest): void {
    if (this.list.length >= most) this.list.shift();
    this.list.push(request);
  }

  /** Forgets all. */
  clear(): void {
    this.list.length = 0;
  }
}
