import { RSA_OAEP_SHA1 } from "@s3ec/envelope";
import { bindDataKey, unbindDataKey } from "./bound-data-key.js";
import type { NamedWrap, RawWrap } from "./raw-keys.js";
import type { Awaitable } from "./wrap.js";

/** RSA-OAEP with one digest for label and mask, wherever the private key is. */
export interface RsaOaep<Key> {
  /** Under the public half of the keyring's own key. */
  encrypt(data: Uint8Array): Uint8Array;
  /** What `encrypt` encrypted, which the caller zeroes; undefined where it does not open, for any reason. */
  decrypt(key: Key, ciphertext: Uint8Array): Awaitable<Uint8Array | undefined>;
}

/** RSA-OAEP over the bound data key, SHA-1 for both digests (docs/formats.md 1.4). */
export function rsaOaepWrap<Key>(rsa: RsaOaep<Key>): RawWrap<Key> {
  return {
    algorithm: RSA_OAEP_SHA1,
    wrap: (_key, dataKey, binding) => {
      const bound = bindDataKey(dataKey, binding);
      try {
        return rsa.encrypt(bound);
      } finally {
        bound.fill(0);
      }
    },
    // One answer whether OAEP, the length byte or the binding failed (S2, S6).
    unwrap: async (key, wrapped, expected) => {
      const bound = await rsa.decrypt(key, wrapped);
      try {
        return bound === undefined ? undefined : unbindDataKey(bound, expected);
      } finally {
        bound?.fill(0);
      }
    },
  };
}

/** The raw RSA keyring's wrap of the AWS Encryption SDK: OAEP over the bare data key, bound to nothing. */
export function rsaOaepNamedWrap<Key>(rsa: RsaOaep<Key>): NamedWrap<Key> {
  return {
    infoLength: 0,
    wrap: (_key, dataKey) => ({ ciphertext: rsa.encrypt(dataKey), info: new Uint8Array(0) }),
    unwrap: (key, { ciphertext }) => rsa.decrypt(key, ciphertext),
  };
}
