import { assertKnownOptions, defineWrapAlgorithm, EMPTY_STRING_MAP, S3EncryptionError } from "@s3ec/envelope";
import type { Keyring } from "./keyring.js";
import type { DecryptionMaterials, EncryptionMaterials } from "./materials.js";
import type { Awaitable } from "./wrap.js";
import { WrapKeyring } from "./wrap-keyring.js";

/** A keyring in two functions. */
export interface KeyringDefinition {
  /**
   * Stored with each object, so that readers know whose wrap it is; in messages, the key provider's id. 3 to 64 printable
   * ASCII characters that are yours alone, such as `acme:vault/v1`.
   */
  readonly name: string;

  /**
   * Wraps a data key of 32 bytes, which are lent: they are zeroed afterwards. Whatever comes out must open with the same
   * `binding` only (S2): pass it as associated data. Throw an `S3EncryptionError` with code `key-unavailable` when the key
   * store cannot be asked or refuses.
   */
  wrap(dataKey: Uint8Array, binding: string, materials: EncryptionMaterials): Awaitable<Uint8Array>;

  /**
   * The data key; its bytes are taken over and zeroed. Where it does not open, return undefined or throw anything; null
   * means that it is another key's. `key-unavailable` as above.
   */
  unwrap(
    wrapped: Uint8Array,
    binding: string,
    materials: DecryptionMaterials,
  ): Awaitable<Uint8Array | undefined | null>;
}

/**
 * A keyring of a key store of your own, for objects of every format.
 * @throws S3EncryptionError `invalid-argument` for a name that cannot be stored or is taken, and for what is no function
 */
export function defineKeyring(definition: KeyringDefinition): Keyring {
  assertKnownOptions(definition, { name: true, wrap: true, unwrap: true }, "defineKeyring");
  const { name, wrap, unwrap } = definition;
  if (typeof wrap !== "function" || typeof unwrap !== "function") {
    throw new S3EncryptionError("invalid-argument", "Define a keyring by its name and two functions, wrap and unwrap.");
  }
  return new WrapKeyring([
    {
      algorithm: defineWrapAlgorithm({ name }),
      wrap: async (dataKey, binding, materials) => ({
        ciphertext: await wrap(dataKey, binding, materials),
        description: materials.materialDescription ?? EMPTY_STRING_MAP,
      }),
      unwrap: ({ ciphertext }, _expected, materials) => unwrap(ciphertext, materials.algorithmBinding, materials),
    },
  ]);
}
