import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Part } from "../parts-to-send.js";

/** What a part's ciphertext sums up to. */
export interface PartDigest {
  /** Keyed, over its number, place, length and bytes, in base64: what may leave the process (G7). Never a piece's hash. */
  readonly digest: string;
  /** As S3 lists it, in base64. */
  readonly crc32: string;
}

/** Reads a part, makes its ciphertext, and sends nothing of it. */
export async function digestOf(key: KeyObject, part: Part): Promise<PartDigest> {
  const mac = createHmac("sha256", key).update("s3ec upload state part");
  const place = Buffer.alloc(24);
  [part.number, part.offset, part.length].forEach((value, index) => {
    place.writeBigUInt64BE(BigInt(value), index * 8);
  });
  mac.update(place);
  let sum = 0;
  for await (const bytes of part.bytes()) {
    mac.update(bytes);
    sum = crc32(bytes, sum);
  }
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(sum);
  return { digest: mac.digest("base64"), crc32: checksum.toString("base64") };
}

export function isSameDigest(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, "base64"), Buffer.from(b, "base64")];
  return left.length === right.length && timingSafeEqual(left, right);
}
