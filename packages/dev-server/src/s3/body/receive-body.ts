import { createHash, randomBytes } from "node:crypto";
import { BodyFault } from "../../faults/faults.js";
import { S3Error } from "../s3-error.js";
import type { S3Exchange } from "../s3-exchange.js";
import { type BodyPlan, planBody, trailingChecksum } from "./body-plan.js";
import { type Checksum, type ChecksumAlgorithm, checksumOfHeaders, requireChecksum } from "./checksums.js";

/** Where a body goes. */
export interface BodySink {
  /** False asks to wait for `onDrain`. */
  write(piece: Buffer): boolean;
  onDrain: () => void;
}

/** What is known about a body that came whole. */
export interface ReceivedBody {
  readonly length: number;
  /** What the entity tag is made of: the MD5 of the body, or 16 random bytes when tags are opaque. */
  readonly tag: Buffer;
  /** The checksum that was sent and verified, or the one asked for by `wanted`. */
  readonly checksum: Checksum | undefined;
}

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
  return (await receiveBytes(exchange, limit)).bytes.toString("utf8");
}

/** Reads a short body into memory; `tooLong` is the error of one that is longer. */
export async function receiveBytes(
  exchange: S3Exchange,
  limit: number,
  tooLong: S3Error = new S3Error("MaxMessageLengthExceeded", "Your request was too big."),
): Promise<{ bytes: Buffer; body: ReceivedBody }> {
  const pieces: Buffer[] = [];
  let length = 0;
  const body = await receiveBody(exchange, {
    write(piece) {
      length += piece.length;
      if (length > limit) throw tooLong;
      pieces.push(piece);
      return true;
    },
    onDrain() {},
  });
  return { bytes: Buffer.concat(pieces), body };
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
      if (body.cut) request.socket.destroy();
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

function wrongLength(announced: number): S3Error {
  return new S3Error("IncompleteBody", `The body does not have the ${announced} bytes that were announced.`);
}
