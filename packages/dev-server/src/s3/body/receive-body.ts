import { createHash, randomBytes } from "node:crypto";
import { BodyFault } from "../../faults/faults.js";
import { ChunkSignatures } from "../../http/chunk-signatures.js";
import { S3Error } from "../s3-error.js";
import type { S3Exchange } from "../s3-exchange.js";
import { AwsChunkedDecoder } from "./aws-chunked.js";
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithm,
  checksumOfHeaders,
  decodeChecksum,
  requireChecksum,
} from "./checksums.js";

export interface BodySink {
  /** False asks to wait for `onDrain`. */
  write(piece: Buffer): boolean;
  onDrain: () => void;
}

export interface ReceivedBody {
  readonly length: number;
  /** What the entity tag is made of: the MD5 of the body, or 16 random bytes when tags are opaque. */
  readonly tag: Buffer;
  /** The checksum that was sent and verified, or the one asked for by `wanted`. */
  readonly checksum: Checksum | undefined;
}

/** What the headers say about the body; making it refuses every body that could not be verified, before reading any. */
interface BodyPlan {
  readonly decoder: AwsChunkedDecoder | undefined;
  readonly length: number;
  readonly md5: Buffer | undefined;
  readonly sha256: string | undefined;
  readonly header: Checksum | undefined;
  readonly trailer: ChecksumAlgorithm | undefined;
}

const largestBody = 5 * 2 ** 30;
const unsigned = "UNSIGNED-PAYLOAD";
/** The aws-chunked framings, and what of each is signed and trails. */
const framings: Readonly<Record<string, { readonly isSigned: boolean; readonly hasTrailers: boolean }>> = {
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { isSigned: false, hasTrailers: true },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { isSigned: true, hasTrailers: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { isSigned: true, hasTrailers: true },
};

/** Reads the body into the sink and verifies every digest that the client sent. `wanted` is calculated when it sent none. */
export async function receiveBody(
  exchange: S3Exchange,
  sink: BodySink,
  wanted?: ChecksumAlgorithm,
): Promise<ReceivedBody> {
  const plan = planBody(exchange);
  const sent = plan.header?.algorithm ?? plan.trailer;
  if (wanted !== undefined && sent !== undefined && sent !== wanted)
    throw new S3Error(
      "InvalidRequest",
      `Checksum Type mismatch occurred, expected checksum Type: ${wanted.name}, actual checksum Type: ${sent.name}`,
    );
  const algorithm = sent ?? wanted;
  const md5 = exchange.hasOpaqueTags && plan.md5 === undefined ? undefined : createHash("md5");
  const sha256 = plan.sha256 === undefined ? undefined : createHash("sha256");
  const state = algorithm?.start();
  let length = 0;
  await readBody(exchange, plan, sink, (piece) => {
    length += piece.length;
    if (length > plan.length) throw wrongLength(plan.length);
    md5?.update(piece);
    sha256?.update(piece);
    state?.update(piece);
  });
  plan.decoder?.end();
  if (length !== plan.length) throw wrongLength(plan.length);
  if (sha256 !== undefined && sha256.digest("hex") !== plan.sha256)
    throw new S3Error(
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  const tag = md5?.digest() ?? randomBytes(16);
  if (plan.md5 !== undefined && !tag.equals(plan.md5))
    throw new S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.");
  const checksum = algorithm && state && { algorithm, digest: state.digest() };
  const expected = plan.header ?? trailingChecksum(plan);
  if (expected !== undefined && checksum !== undefined) requireChecksum(expected, checksum.digest);
  return { length, tag, checksum };
}

/** Reads the short XML body of a request; `requireDigest` refuses one that nothing vouches for. */
export async function receiveText(exchange: S3Exchange, limit: number, requireDigest = false): Promise<string> {
  if (requireDigest && exchange.headers["content-md5"] === undefined && !checksumOfHeaders(exchange.headers))
    throw new S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  const pieces: Buffer[] = [];
  let length = 0;
  await receiveBody(exchange, {
    write(piece) {
      length += piece.length;
      if (length > limit) throw new S3Error("MaxMessageLengthExceeded", "Your request was too big.");
      pieces.push(piece);
      return true;
    },
    onDrain() {},
  });
  return Buffer.concat(pieces).toString("utf8");
}

function planBody({ headers, payloadHash, signature }: S3Exchange): BodyPlan {
  const framing = framings[payloadHash];
  const isChunked = framing !== undefined;
  const hasChunkedEncoding = (headers["content-encoding"] ?? "")
    .split(",")
    .some((word) => word.trim() === "aws-chunked");
  if (payloadHash.startsWith("STREAMING-") ? !isChunked : hasChunkedEncoding)
    throw new S3Error(
      "NotImplemented",
      `This server decodes aws-chunked bodies as ${Object.keys(framings).join(", ")}.`,
    );
  if (!isChunked && headers["transfer-encoding"] !== undefined)
    throw new S3Error(
      "NotImplemented",
      "A header you provided implies functionality that is not implemented: Transfer-Encoding",
    );
  const length = headers[isChunked ? "x-amz-decoded-content-length" : "content-length"] ?? "";
  if (!/^\d{1,15}$/.test(length))
    throw new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.");
  if (Number(length) > largestBody)
    throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
      ProposedSize: length,
    });
  const header = checksumOfHeaders(headers);
  const trailer = trailerAlgorithm(headers["x-amz-trailer"]);
  if (trailer !== undefined && (header !== undefined || !framing?.hasTrailers))
    throw new S3Error("InvalidRequest", "Expecting a single x-amz-checksum- header or trailer.");
  if (headers["x-amz-sdk-checksum-algorithm"] !== undefined && header === undefined && trailer === undefined)
    throw new S3Error(
      "InvalidRequest",
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  return {
    decoder:
      framing &&
      new AwsChunkedDecoder({ ...framing, ...(framing.isSigned && { signatures: new ChunkSignatures(signature) }) }),
    length: Number(length),
    md5: decodeMd5(headers["content-md5"]),
    sha256: isChunked || payloadHash === unsigned ? undefined : payloadHash,
    header,
    trailer,
  };
}

function readBody(
  { request, response, fault, faults, headers }: S3Exchange,
  { decoder }: BodyPlan,
  sink: BodySink,
  onPiece: (piece: Buffer) => void,
): Promise<void> {
  const body = new BodyFault(fault);
  // Both the disk and a throttle hold the request back; it flows when neither does.
  let holds = 0;
  let drains = false;
  const hold = (): void => {
    holds += 1;
    request.pause();
  };
  const release = (): void => {
    holds -= 1;
    if (holds === 0) request.resume();
  };
  const accept = (piece: Buffer): void => {
    onPiece(piece);
    if (!sink.write(piece) && !drains) {
      drains = true;
      hold();
    }
  };
  sink.onDrain = () => {
    if (drains) {
      drains = false;
      release();
    }
  };
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      const passed = body.pass(chunk);
      try {
        if (decoder === undefined) accept(passed);
        else decoder.push(passed, accept);
      } catch (error) {
        stop(error);
      }
      if (body.cut) request.destroy();
      else if (fault.throttleBytesPerSecond !== undefined) {
        const delay = faults.delayOf(request.socket, chunk.length, fault.throttleBytesPerSecond);
        // No timer is shorter; what is left of it is owed with the next chunk.
        if (delay < 1) return;
        hold();
        setTimeout(release, delay).unref();
      }
    };
    // The rest of a refused body is read and dropped, so that the client gets to see the answer.
    const stop = (error: unknown): void => {
      request.off("data", onData);
      request.resume();
      reject(error);
    };
    const onClose = (): void => reject(new S3Error("IncompleteBody", "The connection was closed inside the body."));
    // Of a client that went away before this there is no event to come.
    if (request.destroyed) return onClose();
    request.on("data", onData);
    request.once("end", resolve);
    request.once("error", reject);
    request.once("close", onClose);
    if (headers.expect !== undefined) response.writeContinue();
  });
}

function trailerAlgorithm(declared: string | undefined): ChecksumAlgorithm | undefined {
  if (declared === undefined) return undefined;
  const [, name] = /^x-amz-checksum-([a-z0-9]+)$/i.exec(declared.trim()) ?? [];
  if (name === undefined)
    throw new S3Error("InvalidRequest", "The value specified in the x-amz-trailer header is not supported");
  return checksumAlgorithm(name);
}

function trailingChecksum({ decoder, trailer }: BodyPlan): Checksum | undefined {
  const received = [...(decoder?.trailers ?? [])];
  const [name, value] = received[0] ?? [];
  const expected = trailer && `x-amz-checksum-${trailer.name.toLowerCase()}`;
  if (received.length > 1 || name !== expected)
    throw new S3Error("MalformedTrailerError", "The trailers are not the ones that x-amz-trailer announces.");
  return trailer && { algorithm: trailer, digest: decodeChecksum(trailer, value ?? "") };
}

function decodeMd5(value: string | undefined): Buffer | undefined {
  if (value === undefined) return undefined;
  const digest = Buffer.from(value, "base64");
  if (digest.length !== 16) throw new S3Error("InvalidDigest", "The Content-MD5 you specified is not valid.");
  return digest;
}

function wrongLength(announced: number): S3Error {
  return new S3Error("IncompleteBody", `The body does not have the ${announced} bytes that were announced.`);
}
