import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FaultTarget } from "../faults/fault-match.js";
import { delay, type Fault, isAnswered } from "../faults/faults.js";
import type { RecordedRequests } from "../http/recorded-requests.js";
import { flatHeaders, type Headers, parseTarget, type RequestTarget, TargetError } from "../http/request-target.js";
import {
  type Account,
  isPresigned,
  SignatureError,
  type SignatureFault,
  type VerifiedSignature,
  verifySignature,
} from "../http/sigv4.js";
import { S3Error, type S3ErrorCode } from "./s3-error.js";
import { AnswerReplaced, type S3Exchange, type S3Service } from "./s3-exchange.js";
import { findOperation } from "./s3-operations.js";
import { element, leaf } from "./xml.js";

const codeOf: Readonly<Record<SignatureFault, S3ErrorCode>> = {
  missing: "AccessDenied",
  unsupported: "InvalidRequest",
  malformed: "AuthorizationHeaderMalformed",
  "unknown-key": "InvalidAccessKeyId",
  "wrong-region": "AuthorizationHeaderMalformed",
  skewed: "RequestTimeTooSkewed",
  expired: "AccessDenied",
  "unsigned-header": "AccessDenied",
  mismatch: "SignatureDoesNotMatch",
};
const authorizing = /^x-amz-(?:algorithm|credential|date|expires|signedheaders|signature|security-token)$/;

/** Serves one request, faults included. */
export async function serveS3(
  service: S3Service,
  account: Account,
  recorded: RecordedRequests,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomBytes(8).toString("hex").toUpperCase();
  response.setHeader("x-amz-request-id", requestId);
  try {
    await strike(service, account, recorded, request, response);
  } catch (error) {
    answerError(request, response, requestId, error);
  }
}

/** Records the request and lets the faults have it; what they leave is served. */
async function strike(
  service: S3Service,
  account: Account,
  recorded: RecordedRequests,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = parseTarget(request.url ?? "/");
  const sent = flatHeaders(request);
  const operation = findOperation(request.method ?? "", url, sent, service.annotations);
  const name = operation?.name ?? "Unknown";
  const { bucket, key, query } = url;
  recorded.add({ service: "s3", operation: name, bucket, key, headers: sent, query: Object.fromEntries(query) });
  const part = query.has("partNumber") ? { partNumber: Number(query.get("partNumber")) } : {};
  const target: FaultTarget = { service: "s3", operation: name, bucket, key, ...part };
  const { faults } = service;
  const fault = faults.take(target);
  await faults.hold(target, "request");
  if (fault.delayMs !== undefined) await delay(response, fault.delayMs);
  if (!fault.performed && fault.cutAfterBytes === 0) {
    request.socket.destroy();
    return;
  }
  if (!fault.performed && isAnswered(fault)) {
    answerFault(request, response, fault);
    return;
  }
  try {
    await serve(service, account, { request, response, url, sent, operation, fault, target });
  } catch (error) {
    if (!(error instanceof AnswerReplaced)) await faults.hold(target, "answer");
    if (!fault.performed) throw error;
    if (isAnswered(fault)) answerFault(request, response, fault);
    else request.socket.destroy();
  }
}

interface Arrival extends Pick<S3Exchange, "request" | "response" | "fault" | "target"> {
  readonly url: RequestTarget;
  readonly sent: Headers;
  readonly operation: ReturnType<typeof findOperation>;
}

async function serve(service: S3Service, account: Account, { url, sent, operation, ...rest }: Arrival): Promise<void> {
  const method = rest.request.method ?? "";
  const payloadHash = payloadHashOf(url, sent);
  const signature = verify({ method, target: url, headers: sent, payloadHash }, account, service.region);
  if (operation === undefined)
    throw new S3Error("NotImplemented", `This server does not implement ${method} ${rest.request.url}.`);
  const headers = isPresigned(url) ? { ...queryHeaders(url), ...sent } : sent;
  const { bucket, key, query } = url;
  const { faults, hasOpaqueTags } = service;
  const exchange = { ...rest, operation: operation.name, bucket, key, query, headers, payloadHash, signature };
  await operation.handler(service, { ...exchange, faults, hasOpaqueTags });
}

function verify(request: Parameters<typeof verifySignature>[0], account: Account, region: string): VerifiedSignature {
  try {
    return verifySignature(request, account, { service: "s3", region });
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    const isMalformedQuery = error.reason === "malformed" && isPresigned(request.target);
    const code = isMalformedQuery ? "AuthorizationQueryParametersError" : codeOf[error.reason];
    throw new S3Error(code, error.message, error.reason === "wrong-region" ? { Region: region } : {});
  }
}

function payloadHashOf(target: RequestTarget, headers: Headers): string {
  const presigned = isPresigned(target) ? (target.query.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD") : undefined;
  const hash = headers["x-amz-content-sha256"] ?? presigned;
  if (hash === undefined && headers.authorization !== undefined)
    throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  if (hash !== undefined && !/^(?:[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]+)$/.test(hash))
    throw new S3Error("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, or a valid sha256 value.");
  return hash ?? "";
}

/** Presigners move headers into the query, and S3 obeys them there: a checksum signed into a URL binds the body. */
function queryHeaders({ query }: RequestTarget): Headers {
  const headers: Record<string, string> = {};
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    if (lower.startsWith("x-amz-") && !authorizing.test(lower)) headers[lower] = value;
  }
  return headers;
}

function answerFault(request: IncomingMessage, response: ServerResponse, { status, code }: Fault): void {
  const given = status ?? (code === "InternalError" ? 500 : 503);
  const named = code ?? (given === 503 ? "SlowDown" : given === 500 ? "InternalError" : "InjectedFault");
  answer(request, response, given, element("Error", leaf("Code", named), leaf("Message", "A fault was asked for.")));
}

function answerError(request: IncomingMessage, response: ServerResponse, requestId: string, thrown: unknown): void {
  if (response.headersSent) {
    // The head said 200 already: only a broken connection can tell that the body is not whole.
    response.destroy();
    return;
  }
  const error = s3ErrorOf(thrown);
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  const details = Object.entries(error.details).map(([name, value]) => leaf(name, value));
  const codeAndMessage = [leaf("Code", error.code), leaf("Message", error.message)];
  answer(
    request,
    response,
    error.status,
    element("Error", ...codeAndMessage, ...details, leaf("RequestId", requestId)),
  );
}

function s3ErrorOf(thrown: unknown): S3Error {
  if (thrown instanceof S3Error) return thrown;
  return thrown instanceof TargetError
    ? new S3Error(thrown.code, thrown.message)
    : new S3Error("InternalError", String(thrown));
}

function answer(request: IncomingMessage, response: ServerResponse, status: number, error: string): void {
  if (response.destroyed) return;
  const body = status === 304 || request.method === "HEAD" ? "" : `<?xml version="1.0" encoding="UTF-8"?>\n${error}`;
  // A client that waits for "100 Continue" and gets this answer does not send the body that would end the request.
  if (request.headers.expect !== undefined) response.setHeader("connection", "close");
  if (body !== "") response.setHeader("content-type", "application/xml");
  if (status !== 304) response.setHeader("content-length", Buffer.byteLength(body));
  response.writeHead(status);
  response.end(body);
}
