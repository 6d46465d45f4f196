import { constants, createPublicKey, type KeyObject, publicEncrypt } from "node:crypto";
import { PRIVATE_KEY } from "./known-wraps.js";

export const PUBLIC_KEY: KeyObject = createPublicKey(PRIVATE_KEY);

/** Textbook RSA over a whole block: a wrap with whatever padding a test makes up. */
export function encryptBlock(block: Uint8Array, key: KeyObject = PUBLIC_KEY): Buffer {
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, block);
}
