import type { EncryptedDataKey, WrapAlgorithm } from "@s3ec/envelope";
import type { ExpectedDataKey } from "./bound-data-key.js";
import type { BlindMatch } from "./keyring.js";
import type { DecryptionMaterials, EncryptionMaterials } from "./materials.js";

/** A value, or a promise of one: an implementation may be synchronous or not. */
export type Awaitable<T> = T | Promise<T>;

/** What a wrap made of a data key: an encrypted data key, but for the algorithm. */
export interface WrappedDataKey {
  /** The wrapped bytes, in the wrap's own layout. */
  readonly ciphertext: Uint8Array;
  /** What is stored beside it. Default: none. */
  readonly description?: EncryptedDataKey["description"];
  /** The key provider's information, where the algorithm is described by it. */
  readonly providerInfo?: Uint8Array;
  /** The wrapping key, as its key store names it: for audits. Default: it names none. */
  readonly wrappingKey?: string;
}

/** A data key that a key store made itself. The bytes are taken over and zeroed. */
export interface GeneratedDataKey extends WrappedDataKey {
  /** 32 bytes. */
  readonly dataKey: Uint8Array;
}

/** One way to wrap data keys. A keyring is a list of them: `new WrapKeyring(wraps)`. */
export interface Wrap {
  /** Which wrap it is, whether it is legacy, and so what can hold it. */
  readonly algorithm: WrapAlgorithm;

  /**
   * Wraps a data key, bound to the content algorithm (S2). The bytes are lent: they are zeroed afterwards. A wrap that is
   * only read has no such method.
   */
  wrap?(dataKey: Uint8Array, binding: string, materials: EncryptionMaterials): Awaitable<WrappedDataKey>;

  /** Makes a data key and wraps it in one call, where the key store can. Default: a random one, given to `wrap`. */
  generate?(binding: string, materials: EncryptionMaterials): Awaitable<GeneratedDataKey>;

  /**
   * The data key, whose bytes are taken over and zeroed; undefined where it does not open, whatever the reason; null where
   * the wrapped key turns out to be another key's. An `S3EncryptionError` is passed on; anything else that is thrown
   * counts as undefined. A wrap that is only written has no such method.
   */
  unwrap?(
    encryptedDataKey: EncryptedDataKey,
    expected: ExpectedDataKey,
    materials: DecryptionMaterials,
  ): Awaitable<Uint8Array | undefined | null>;

  /** See `Keyring.blindMatches`; null where it would not be tried. */
  blindMatch?(encryptedDataKey: EncryptedDataKey): BlindMatch | null;
}
