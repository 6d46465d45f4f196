import { constants, type KeyObject, publicEncrypt } from "node:crypto";
import {
  type AesGcm,
  aesGcmNamedWrap,
  aesGcmWrap,
  type NamedWrap,
  type RawWrap,
  type RsaOaep,
  rsaOaepNamedWrap,
  rsaOaepWrap,
  S3EncryptionError,
} from "@s3ec/materials";
import type { TokenSession } from "./cryptoki.js";
import { type AesTokenKey, privateKeyOf, type RsaTokenKey, type TokenKey } from "./token-keys.js";
import { aesGcmDecrypt, aesGcmEncrypt, rsaOaepDecrypt } from "./token-operations.js";

/** Does one operation of the token with a key of its. */
export type UseKey<Key> = <T>(key: Key, operate: (session: TokenSession, key: TokenKey) => Promise<T>) => Promise<T>;

export interface TokenWraps<Key> {
  /** The official wrap of the key's kind. */
  readonly described: RawWrap<Key>;
  /** The one of messages. RSA: with SHA-1, which every token has. */
  readonly named: NamedWrap<Key>;
}

/** What keys of this kind wrap with. Writing under an RSA key takes no token: the key is public. */
export function tokenWraps<Key>(kind: TokenKey, use: UseKey<Key>): TokenWraps<Key> {
  if (kind.type === "aes") {
    const aes = aesInToken(use);
    return { described: aesGcmWrap(aes), named: aesGcmNamedWrap(aes) };
  }
  const rsa = rsaInToken(kind.publicKey, use);
  return { described: rsaOaepWrap(rsa), named: rsaOaepNamedWrap(rsa) };
}

function aesInToken<Key>(use: UseKey<Key>): AesGcm<Key> {
  return {
    encrypt: (key, ...data) => use(key, (session, found) => aesGcmEncrypt(session, aesKey(found).key, ...data)),
    decrypt: (key, ...data) => use(key, (session, found) => aesGcmDecrypt(session, aesKey(found).key, ...data)),
  };
}

function rsaInToken<Key>(publicKey: KeyObject, use: UseKey<Key>): RsaOaep<Key> {
  const oaep = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" };
  return {
    encrypt: (data) => publicEncrypt(oaep, data),
    decrypt: (key, ciphertext) =>
      use(key, async (session, found) => {
        const rsa = rsaKey(found);
        const privateKey = privateKeyOf(rsa);
        if (!isModulusLength(rsa, ciphertext)) return undefined;
        return await rsaOaepDecrypt(session, privateKey, ciphertext);
      }),
  };
}

/** Whether these bytes have the length of everything that the key wraps (H14, S15). */
function isModulusLength({ publicKey }: RsaTokenKey, wrapped: Uint8Array): boolean {
  return wrapped.length === Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

function aesKey(key: TokenKey): AesTokenKey {
  if (key.type === "aes") return key;
  throw changedKind();
}

function rsaKey(key: TokenKey): RsaTokenKey {
  if (key.type === "rsa") return key;
  throw changedKind();
}

function changedKind(): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-configuration",
    "The token's key is of another kind than when the keyring was opened.",
  );
}
