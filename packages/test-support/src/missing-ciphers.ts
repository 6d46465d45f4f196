import { getCiphers } from "node:crypto";

/** Vectors, by their ids, whose wrapping key or data key has 24 bytes. */
const OF_192_BITS = /(?:gcm|cbc|v4-aes|commit-aes)192|ruby-v2-aes-192|(?:java|python)-aes-192|-0[013]46-/;

/** Whether this runtime lacks a cipher that the object takes: Node has all. */
export function hasNoCipherFor({ id }: { readonly id: string }): boolean {
  return OF_192_BITS.test(id) && !getCiphers().includes("aes-192-gcm");
}
