import { createHash } from "node:crypto";

/** The first `length` bytes of SHA-256(be32(seed) ‖ be32(0)) ‖ SHA-256(be32(seed) ‖ be32(1)) ‖ ..., as every peer makes them. */
export function plaintext(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(length / 32) * 32);
  const counter = Buffer.alloc(8);
  counter.writeUInt32BE(seed, 0);
  for (let block = 0; block * 32 < length; block++) {
    counter.writeUInt32BE(block, 4);
    createHash("sha256")
      .update(counter)
      .digest()
      .copy(bytes, block * 32);
  }
  return bytes.subarray(0, length);
}

/** SHA-256 in hex, as answers carry it. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
