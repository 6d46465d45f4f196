import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { FaultTarget } from "../faults/fault-match.js";
import type { Fault, Faults } from "../faults/faults.js";
import type { Headers } from "../http/request-target.js";
import type { VerifiedSignature } from "../http/sigv4.js";
import type { MultipartUploads } from "./store/multipart-uploads.js";
import type { ObjectStore } from "./store/object-store.js";

/** What every S3 operation works with. */
export interface S3Service {
  readonly region: string;
  readonly store: ObjectStore;
  readonly uploads: MultipartUploads;
  readonly faults: Faults;
  /** Whether entity tags are random, as those of objects under SSE-KMS, instead of an MD5 that has to be calculated. */
  readonly hasOpaqueTags: boolean;
  readonly annotations: AnnotationSupport;
}

/**
 * Whether the store has annotations: `refused` is one that knows that it has not, and `ignored` one that has never heard of
 * them, and takes a request for that of the object itself.
 */
export type AnnotationSupport = "supported" | "refused" | "ignored";

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
  /** What `x-amz-content-sha256` says: a SHA-256 in hex, `UNSIGNED-PAYLOAD` or the name of a framing. */
  readonly payloadHash: string;
  /** Of the request; the signatures of its chunks continue from it. */
  readonly signature: VerifiedSignature;
  readonly fault: Fault;
  /** What faults see of this request. */
  readonly target: FaultTarget;
  readonly faults: Faults;
  readonly hasOpaqueTags: boolean;
}

export type S3Handler = (service: S3Service, exchange: S3Exchange) => Promise<void>;

/** Thrown instead of an answer when a fault wants another one, or none. */
export class AnswerReplaced extends Error {}

/** Writes the head of the answer to a request that is performed, unless a fault has something to say about that. */
export async function beginAnswer(
  { faults, fault, target, response }: S3Exchange,
  status: number,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  await faults.hold(target, "answer");
  if (fault.performed) throw new AnswerReplaced();
  response.writeHead(status, headers);
}

export async function sendXml(exchange: S3Exchange, document: string, headers: Headers = {}): Promise<void> {
  const body = Buffer.from(document);
  await beginAnswer(exchange, 200, { ...headers, "content-type": "application/xml", "content-length": body.length });
  exchange.response.end(body);
}

export async function sendEmpty(exchange: S3Exchange, status: number, headers: Headers = {}): Promise<void> {
  // 204 and 304 have no length by definition.
  await beginAnswer(exchange, status, status === 200 ? { ...headers, "content-length": 0 } : headers);
  exchange.response.end();
}
