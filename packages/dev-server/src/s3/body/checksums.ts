import { createHash } from "node:crypto";
import type { Headers } from "../../http/request-target.js";
import { S3Error } from "../s3-error.js";
import { type Crc, type CrcState, crc32c, crc32Ieee, crc64Nvme, joinCrcs } from "./crc.js";

/** Whether a checksum is of the object, or of the checksums of its parts. */
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** One of the checksums that S3 verifies, stores and returns. */
export interface ChecksumAlgorithm {
  /** As in `ChecksumAlgorithm=`; the header is `x-amz-checksum-` and this in lower case. */
  readonly name: string;
  readonly length: number;
  readonly crc: Crc | undefined;
  start(): CrcState;
}

/** A checksum of bytes. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly digest: Buffer;
}

/** What is stored: `value` is base64, followed by `-N` when it is a checksum of N parts' checksums. */
export interface StoredChecksum {
  readonly name: string;
  readonly value: string;
  readonly type: ChecksumType;
}

const crcChecksum = (name: string, crc: Crc): ChecksumAlgorithm => ({
  name,
  length: crc.bits / 8,
  crc,
  start: () => crc.start(),
});

const hashChecksum = (name: string, length: number): ChecksumAlgorithm => ({
  name,
  length,
  crc: undefined,
  start: () => createHash(name),
});

const algorithms = [
  crcChecksum("CRC32", crc32Ieee),
  crcChecksum("CRC32C", crc32c),
  crcChecksum("CRC64NVME", crc64Nvme),
  hashChecksum("SHA1", 20),
  hashChecksum("SHA256", 32),
];

/** @throws S3Error `NotImplemented` for a name that is not known */
export function checksumAlgorithm(name: string): ChecksumAlgorithm {
  const algorithm = algorithms.find((candidate) => candidate.name === name.toUpperCase());
  if (algorithm === undefined)
    throw new S3Error("NotImplemented", `This server does not implement the checksum ${name}.`);
  return algorithm;
}

/** The header that carries a checksum. */
export function checksumHeader(name: string): string {
  return `x-amz-checksum-${name.toLowerCase()}`;
}

/** The one `x-amz-checksum-ALGORITHM` header of a request, decoded, or undefined when it has none. */
export function checksumOfHeaders(headers: Headers): Checksum | undefined {
  const names = Object.keys(headers).filter((name) => /^x-amz-checksum-(?!algorithm$|mode$|type$)/.test(name));
  if (names.length > 1)
    throw new S3Error(
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  const [name] = names;
  if (name === undefined) return undefined;
  const algorithm = checksumAlgorithm(name.slice("x-amz-checksum-".length));
  return { algorithm, digest: decodeChecksum(algorithm, headers[name] ?? "") };
}

/** @throws S3Error for what is not base64, or not of the algorithm's length */
export function decodeChecksum(algorithm: ChecksumAlgorithm, value: string): Buffer {
  const digest = Buffer.from(value, "base64");
  if (digest.length !== algorithm.length || digest.toString("base64") !== value)
    throw new S3Error("InvalidRequest", `Value for ${checksumHeader(algorithm.name)} header is invalid.`);
  return digest;
}

/** @throws S3Error `BadDigest` */
export function requireChecksum({ algorithm, digest }: Checksum, calculated: Buffer): void {
  if (!digest.equals(calculated))
    throw new S3Error("BadDigest", `The ${algorithm.name} you specified did not match the calculated checksum.`);
}

/** The checksum of a multipart object: either of the whole, or of its parts' checksums. */
export function checksumOfParts(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly { readonly digest: Buffer; readonly size: number }[],
): StoredChecksum {
  const { crc, name } = algorithm;
  if (type === "FULL_OBJECT") {
    if (crc === undefined)
      throw new S3Error("InvalidRequest", `The FULL_OBJECT checksum type cannot be used with ${name}.`);
    const empty = algorithm.start().digest();
    const whole = parts.reduce((joined, part) => joinCrcs(crc, joined, part.digest, part.size), empty);
    return { name, type, value: whole.toString("base64") };
  }
  const state = algorithm.start();
  for (const part of parts) state.update(part.digest);
  return { name, type, value: `${state.digest().toString("base64")}-${parts.length}` };
}
