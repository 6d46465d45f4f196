import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { BodyFault, delay, type Fault, type Faults, isAnswered } from "../faults/faults.js";
import type { RecordedRequests } from "../http/recorded-requests.js";
import { flatHeaders, parseTarget } from "../http/request-target.js";
import { type Account, SignatureError, type SignatureFault, verifySignature } from "../http/sigv4.js";
import { KmsError, type KmsErrorType } from "./kms-error.js";
import { KmsInput } from "./kms-input.js";
import { runKmsOperation } from "./kms-operations.js";
import type { KmsService } from "./kms-service.js";

const targetPrefix = "TrentService.";
const largestRequest = 1 << 20;
const typeOf: Readonly<Record<SignatureFault, KmsErrorType>> = {
  missing: "MissingAuthenticationToken",
  unsupported: "IncompleteSignature",
  malformed: "IncompleteSignature",
  "unknown-key": "UnrecognizedClientException",
  "wrong-region": "InvalidSignatureException",
  skewed: "InvalidSignatureException",
  expired: "InvalidSignatureException",
  "unsigned-header": "InvalidSignatureException",
  mismatch: "InvalidSignatureException",
};

/** Whether the request is for KMS; all others are for S3. */
export function isKmsRequest(request: IncomingMessage): boolean {
  return request.headers["x-amz-target"] !== undefined;
}

/** Serves one request, faults included. */
export async function serveKms(
  service: KmsService & { readonly faults: Faults },
  account: Account,
  recorded: RecordedRequests,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader("x-amzn-requestid", randomUUID());
  const headers = flatHeaders(request);
  const operation = (headers["x-amz-target"] ?? "").replace(targetPrefix, "");
  const target = { service: "kms", operation } as const;
  const { faults } = service;
  const fault = faults.take(target);
  const serve = async (): Promise<Reply> => {
    if (headers.expect !== undefined) response.writeContinue();
    const body = await readText(request);
    recorded.add({ service: "kms", operation, headers, body });
    await faults.hold(target, "request");
    if (fault.delayMs !== undefined) await delay(response, fault.delayMs);
    if (!fault.performed && isAnswered(fault)) return faultReply(fault);
    const region = verify(request, account, body);
    return { status: 200, output: await runKmsOperation(service, operation, new KmsInput(body), region) };
  };
  const reply = await serve().catch(errorReply);
  await faults.hold(target, "answer");
  if (response.destroyed) return;
  if (!fault.performed) send(response, reply, reply.status === 200 ? fault : {});
  else if (isAnswered(fault)) send(response, faultReply(fault));
  else request.socket.destroy();
}

/** What is answered: an HTTP status and JSON. */
interface Reply {
  readonly status: number;
  readonly output: object;
}

function errorReply(error: unknown): Reply {
  const { status, type, message } =
    error instanceof KmsError ? error : new KmsError("KMSInternalException", String(error));
  return { status, output: { __type: type, message } };
}

function faultReply({ status, code }: Fault): Reply {
  const type = code ?? (status === 500 ? "KMSInternalException" : "ThrottlingException");
  return { status: status ?? 400, output: { __type: type, message: "A fault was asked for." } };
}

/** KMS of every region is served: the region is the one that the request is signed for. */
function verify(request: IncomingMessage, account: Account, body: string): string {
  const payloadHash = createHash("sha256").update(body).digest("hex");
  const target = parseTarget(request.url ?? "/");
  const signed = { method: request.method ?? "", target, headers: flatHeaders(request), payloadHash };
  try {
    return verifySignature(signed, account, { service: "kms" }).region;
  } catch (error) {
    if (error instanceof SignatureError) throw new KmsError(typeOf[error.reason], error.message);
    throw error;
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request) {
    length += piece.length;
    if (length > largestRequest) throw new KmsError("ValidationException", "The request is too long.");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function send(response: ServerResponse, { status, output }: Reply, fault: Fault = {}): void {
  const json = Buffer.from(JSON.stringify(output));
  const body = new BodyFault(fault);
  const passed = body.pass(json);
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1", "content-length": json.length });
  if (passed.length === json.length) response.end(passed);
  else response.write(passed, () => response.destroy());
}
