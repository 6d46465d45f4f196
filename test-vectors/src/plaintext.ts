import { createHash } from "node:crypto";
import type { MessageVector } from "./message-vector.js";
import type { Vector } from "./vector.js";

const DIGEST_LENGTH = 32;

/** What a readable vector decrypts to; for a refused one, what its original held. */
export function plaintextOf({ plaintext }: Vector | MessageVector): Buffer {
  return plain(plaintext.seed, plaintext.length);
}

/** plain(seed, n): the first n bytes of SHA-256(be32(seed) ‖ be32(0)) ‖ SHA-256(be32(seed) ‖ be32(1)) ‖ … */
function plain(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(length / DIGEST_LENGTH) * DIGEST_LENGTH);
  const input = Buffer.alloc(8);
  input.writeUInt32BE(seed, 0);
  for (let offset = 0; offset < bytes.length; offset += DIGEST_LENGTH) {
    input.writeUInt32BE(offset / DIGEST_LENGTH, 4);
    createHash("sha256").update(input).digest().copy(bytes, offset);
  }
  return bytes.subarray(0, length);
}
