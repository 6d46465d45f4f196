import type { Headers } from "./request-target.js";

/** One request as it arrived, whatever became of it. */
export interface RecordedRequest {
  readonly service: "s3" | "kms";
  /** The API's name of it, for example `PutObject` or `Decrypt`; `Unknown` for S3 requests that are not implemented. */
  readonly operation: string;
  readonly bucket?: string;
  readonly key?: string;
  /** Names in lower case. */
  readonly headers: Headers;
  readonly query?: Readonly<Record<string, string>>;
  /** The JSON text of a KMS request. */
  readonly body?: string;
}

const most = 10_000;

/** The latest 10,000 requests, oldest first. */
export class RecordedRequests {
  readonly list: RecordedRequest[] = [];

  add(request: RecordedRequest): void {
    if (this.list.length >= most) this.list.shift();
    this.list.push(request);
  }

  clear(): void {
    this.list.length = 0;
  }
}
