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
} from "./checksums.js";

/** What the headers say about the body; making it refuses every body that could not be verified, before reading any. */
export interface BodyPlan {
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

/** @throws S3Error for a body that could not be verified */
export function planBody({ headers, payloadHash, signature }: S3Exchange): BodyPlan {
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

function trailerAlgorithm(declared: string | undefined): ChecksumAlgorithm | undefined {
  if (declared === undefined) return undefined;
  const [, name] = /^x-amz-checksum-([a-z0-9]+)$/i.exec(declared.trim()) ?? [];
  if (name === undefined)
    throw new S3Error("InvalidRequest", "The value specified in the x-amz-trailer header is not supported");
  return checksumAlgorithm(name);
}

/** The checksum that came behind the body. */
export function trailingChecksum({ decoder, trailer }: BodyPlan): Checksum | undefined {
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
