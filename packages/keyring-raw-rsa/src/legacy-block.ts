import { constants, type KeyObject, privateDecrypt } from "node:crypto";

/** The longest data key of any suite, in bytes: what is copied out of a block before its length is known. */
export const LONGEST_DATA_KEY = 32;

/**
 * The padded block behind a wrapped key, as long as the modulus. Padding is decoded by us, because Node ties both OAEP
 * digests together and, depending on its build, refuses PKCS#1 v1.5 or substitutes for it. Undefined where `wrapped` is
 * not below the modulus, which anyone who has the public key can see.
 */
export function privateOperation(key: KeyObject, wrapped: Uint8Array): Buffer | undefined {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, wrapped);
  } catch {
    return undefined;
  }
}
