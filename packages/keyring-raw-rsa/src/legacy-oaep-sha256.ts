import { createHash, type KeyObject } from "node:crypto";
import type { ExpectedDataKey } from "@s3ec/materials";
import { allZero, copyIf, equal, firstLength } from "./constant-time.js";
import { LONGEST_DATA_KEY, privateOperation } from "./legacy-block.js";
import { modulusLength } from "./rsa-oaep.js";

const HASH_LENGTH = 32;
const LABEL_HASH = createHash("sha256").digest();

/**
 * RSA-OAEP with SHA-256 over the bare data key: bound to nothing (S2). SunJCE generates the mask with SHA-1, BouncyCastle
 * with SHA-256 (H2); both are decoded from one private-key operation, always, and in constant time (RFC 8017 7.1.2).
 */
export function unwrapOaepSha256(
  key: KeyObject,
  wrapped: Uint8Array,
  expected: ExpectedDataKey,
): Uint8Array | undefined {
  if (wrapped.length !== modulusLength(key)) return undefined;
  const block = privateOperation(key, wrapped);
  if (block === undefined) return undefined;
  const dataKey = new Uint8Array(LONGEST_DATA_KEY);
  let length = 0;
  for (const digest of ["sha1", "sha256"]) {
    const unmasked = unmask(block, digest);
    const end = unmasked.length;
    const head = equal(block.readUInt8(0), 0) & isLabelHash(unmasked);
    const found = firstLength(
      expected.dataKeyLengths,
      (bytes) => head & allZero(unmasked, HASH_LENGTH, end - bytes - 1) & equal(unmasked.readUInt8(end - bytes - 1), 1),
    );
    copyIf(1 ^ equal(found, 0), unmasked.subarray(-LONGEST_DATA_KEY), dataKey);
    length |= found;
    unmasked.fill(0);
  }
  block.fill(0);
  const result = length === 0 ? undefined : dataKey.slice(LONGEST_DATA_KEY - length);
  dataKey.fill(0);
  return result;
}

/** `00 ‖ masked seed ‖ masked data` to data: `hash of the label ‖ 00.. ‖ 01 ‖ data key`. */
function unmask(block: Buffer, digest: string): Buffer {
  const seed = Buffer.from(block.subarray(1, 1 + HASH_LENGTH));
  const data = Buffer.from(block.subarray(1 + HASH_LENGTH));
  xorMask(seed, data, digest);
  xorMask(data, seed, digest);
  seed.fill(0);
  return data;
}

/** XORs MGF1(seed) into `target` (RFC 8017 B.2.1). */
function xorMask(target: Buffer, seed: Uint8Array, digest: string): void {
  const counter = Buffer.alloc(4);
  let offset = 0;
  for (let i = 0; offset < target.length; i++) {
    counter.writeUInt32BE(i);
    const mask = createHash(digest).update(seed).update(counter).digest();
    for (const byte of mask) {
      if (offset < target.length) target[offset] = (target[offset] ?? 0) ^ byte;
      offset++;
    }
    mask.fill(0);
  }
}

function isLabelHash(data: Uint8Array): number {
  let difference = 0;
  for (let i = 0; i < HASH_LENGTH; i++) difference |= (data[i] ?? 0) ^ (LABEL_HASH[i] ?? 0);
  return equal(difference, 0);
}
