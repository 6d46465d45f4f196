import { AES_GCM, RSA_OAEP_SHA1 } from "@s3ec/envelope";
import {
  assertDistinctDescriptions,
  createDataKey,
  type DecryptionMaterials,
  type DescribedKey,
  decryptionFailed,
  descriptionToStore,
  type EncryptedDataKey,
  type EncryptionMaterials,
  importDataKey,
  isSameWrapAlgorithm,
  type Keyring,
  keyDescribedBy,
  lendDataKey,
  materialDescription,
  S3EncryptionError,
  type StringMap,
  type WrapAlgorithm,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";
import { useModule } from "./loaded-module.js";
import { assertOptions, type Pkcs11KeyringOptions, slotOf } from "./options.js";
import { assertUsable } from "./self-test.js";
import { Token } from "./token.js";
import { keyUnavailable } from "./token-errors.js";
import { findKey, type KeySelector, type KeyType, nameOf, type TokenKey } from "./token-keys.js";
import { unwrap, wrap } from "./wraps.js";

/** The keys of one login. Handles do not outlive it; a selector does. */
type Keys = ReadonlyMap<KeySelector, TokenKey>;

const WRAPS: Readonly<Record<KeyType, WrapAlgorithm>> = { aes: AES_GCM, rsa: RSA_OAEP_SHA1 };

/**
 * Wraps data keys under a key in a PKCS#11 token, which does every operation with it: AES/GCM with an AES key,
 * RSA-OAEP-SHA1 with an RSA key. Open one with `Pkcs11Keyring.open`, and close it when it is no longer needed.
 */
export class Pkcs11Keyring implements Keyring, AsyncDisposable {
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  readonly #wrapAlgorithm: WrapAlgorithm;
  readonly #token: Token<Keys>;
  readonly #own: KeySelector;
  readonly #description: StringMap;
  readonly #decryptionKeys: readonly DescribedKey<KeySelector>[];

  private constructor(options: Pkcs11KeyringOptions, token: Token<Keys>, type: KeyType) {
    this.#wrapAlgorithm = WRAPS[type];
    this.wrapAlgorithms = Object.freeze([this.#wrapAlgorithm]);
    this.#token = token;
    this.#own = options;
    this.#description = materialDescription(options.materialDescription);
    this.#decryptionKeys = decryptionKeysOf(options);
  }

  /**
   * Loads the module, logs in, finds the keys and tries the wrapping key once.
   *
   * Throws `key-unavailable` when the token is absent, refuses the PIN or has no such key; `invalid-configuration` when
   * the module or the binding cannot be loaded, or the token or the key cannot do what the wrap needs;
   * `invalid-argument` for options that say too little or too much.
   */
  static async open(options: Pkcs11KeyringOptions): Promise<Pkcs11Keyring> {
    assertOptions(options);
    const { pin, maxSessions = 4, keyType } = options;
    const others = decryptionKeysOf(options).map(({ key }) => key);
    assertDistinctDescriptions(materialDescription(options.materialDescription), decryptionKeysOf(options));
    const token = new Token<Keys>({
      module: await useModule(options.module),
      slot: slotOf(options),
      pin,
      maxSessions,
      findKeys: (session) => {
        const own = findKey(session, options, keyType);
        return new Map([[options, own], ...others.map((other) => [other, findKey(session, other, own.type)] as const)]);
      },
    });
    try {
      const type = await token.use(async (session, keys) => {
        for (const [selector, key] of keys) assertReadable(selector, key, pin !== undefined || selector !== options);
        const own = keyOf(keys, options);
        await assertUsable(session, own);
        return own.type;
      });
      return new Pkcs11Keyring(options, token, type);
    } catch (error) {
      await token.close();
      throw error;
    }
  }

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    const description = descriptionToStore(this.#description, materials.materialDescription, this.#decryptionKeys);
    const dataKey = materials.dataKey ?? createDataKey(materials.suite);
    const { algorithmBinding } = materials;
    const ciphertext = await lendDataKey(dataKey, (bytes) =>
      this.#token.use((session, keys) => wrap(session, keyOf(keys, this.#own), bytes, algorithmBinding)),
    );
    const encryptedDataKey = { wrapAlgorithm: this.#wrapAlgorithm, ciphertext, description };
    return withEncryptedDataKey(withDataKey(materials, dataKey), encryptedDataKey);
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    const { suite, algorithmBinding } = materials;
    const expected = { bindings: [algorithmBinding], dataKeyLengths: suite.dataKeyLengths };
    const mine = encryptedDataKeys.filter((each) => isSameWrapAlgorithm(each.wrapAlgorithm, this.#wrapAlgorithm));
    for (const { ciphertext, description } of mine) {
      const selector = keyDescribedBy(description, this.#decryptionKeys) ?? this.#own;
      const dataKey = await this.#token.use((session, keys) =>
        unwrap(session, keyOf(keys, selector), ciphertext, expected),
      );
      if (dataKey !== undefined) return withDataKey(materials, importDataKey(dataKey));
    }
    // One error without a cause, whichever check failed (S16).
    if (mine.length > 0) throw decryptionFailed();
    return null;
  }

  /** Waits for operations that run, then closes the sessions. The keyring cannot be used any more. */
  async close(): Promise<void> {
    await this.#token.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function decryptionKeysOf({ decryptionKeys = [] }: Pkcs11KeyringOptions): DescribedKey<KeySelector>[] {
  return decryptionKeys.map((key) => ({ key, description: materialDescription(key.materialDescription) }));
}

function keyOf(keys: Keys, selector: KeySelector): TokenKey {
  const key = keys.get(selector);
  if (key === undefined) throw new S3EncryptionError("invalid-argument", "This key was not asked for at construction.");
  return key;
}

/** Without a PIN a public key is enough, to write; with one, a private key that is not there is a mistake. */
function assertReadable(selector: KeySelector, key: TokenKey, mustRead: boolean): void {
  if (key.type === "aes" || key.privateKey !== undefined || !mustRead) return;
  throw keyUnavailable(
    `The token shows a public RSA key ${nameOf(selector)} but no private one: give both the same label and id, and pass the pin to read.`,
  );
}
