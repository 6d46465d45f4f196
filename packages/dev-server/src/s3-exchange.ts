import type { IncomingMessage, ServerResponse } from "node:http";
import type { Fault, Faults } from "./faults.js";
import type { MultipartUploads } from "./multipart-uploads.js";
import type { ObjectStore } from "./object-store.js";
import type { Headers } from "./request-target.js";

/** What every S3 operation works with. */
export interface S3Service {
  readonly region: string;
  readonly store: ObjectStore;
  readonly uploads: MultipartUploads;
  readonly faults: Faults;
  /** Whether entity tags are random, as those of objects under SSE-KMS, instead of an MD5 that has to be calculated. */
  readonly hasOpaqueTags: boolean;
}

/** One request whose signature has been verified, and the response to it. */
export interface S3Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** In lower case; of a presigned request with the x-amz- parameters of the query, which S3 takes for headers. */
  readonly headers: Headers;
  readonly payloadHash: string;
  readonly fault: Fault;
  readonly faults: Faults;
  readonly hasOpaqueTags: boolean;
}

export type S3Handler = (service: S3Service, exchange: S3Exchange) => Promise<void>;

export function sendXml(response: ServerResponse, document: string, headers: Headers = {}): void {
  const body = Buffer.from(document);
  response.writeHead(200, { ...headers, "content-type": "application/xml", "content-length": body.length });
  response.end(body);
}

export function sendEmpty(response: ServerResponse, status: number, headers: Headers = {}): void {
  // 204 and 304 have no length by definition.
  response.writeHead(status, status === 200 ? { ...headers, "content-length": 0 } : headers);
  response.end();
}
