import { constants, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";
import type { RsaOaep } from "@s3ec/materials";
import { assertMayWrite, privateKeyOf } from "./rsa-keys.js";

/** Digest of OAEP and of its mask alike. */
export type OaepHash = "sha1" | "sha256" | "sha384" | "sha512";
export const OAEP_HASHES: readonly OaepHash[] = Object.freeze(["sha1", "sha256", "sha384", "sha512"]);

/** RSA-OAEP with keys that this process holds; one of which it holds the public half only is undefined. */
export function rsaOaep(publicKey: KeyObject, oaepHash: OaepHash): RsaOaep<KeyObject | undefined> {
  const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
  return {
    encrypt: (data) => {
      assertMayWrite(publicKey);
      return publicEncrypt({ key: publicKey, ...oaep }, data);
    },
    decrypt: (privateKey, ciphertext) => {
      const key = privateKeyOf(privateKey);
      if (ciphertext.length !== modulusLength(key)) return undefined;
      try {
        return privateDecrypt({ key, ...oaep }, ciphertext);
      } catch {
        return undefined;
      }
    },
  };
}

/** Bytes of the modulus: the length of everything that this key wraps (H14). */
export function modulusLength(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}
