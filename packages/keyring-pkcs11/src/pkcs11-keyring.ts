import type { KeyObject } from "node:crypto";
import { AES_GCM, RSA_OAEP_SHA1 } from "@s3ec/envelope";
import {
  type DecryptionMaterials,
  type DescribedKey,
  decryptionFailed,
  describedKeys,
  descriptionToStore,
  type EncryptedDataKey,
  type EncryptionMaterials,
  expectedDataKey,
  importDataKey,
  isSameWrapAlgorithm,
  type Keyring,
  keyDescribedBy,
  MessageKeys,
  materialDescription,
  S3EncryptionError,
  type StringMap,
  type WrapAlgorithm,
  withDataKey,
  withWrappedDataKey,
} from "@s3ec/materials";
import { useModule } from "./loaded-module.js";
import { INFO_BEHIND_NAME, unwrapFromMessage, wrapAesForMessage, wrapRsaForMessage } from "./message-wrap.js";
import { assertOptions, type Pkcs11DecryptionKey, type Pkcs11KeyringOptions, slotOf } from "./options.js";
import { assertUsable } from "./self-test.js";
import { Token } from "./token.js";
import { keyUnavailable } from "./token-errors.js";
import { type AesTokenKey, findKey, type KeySelector, type KeyType, nameOf, type TokenKey } from "./token-keys.js";
import { unwrap, wrap, wrapOaep } from "./wraps.js";

/** The keys of one login. Handles do not outlive it; a selector does. */
type Keys = ReadonlyMap<KeySelector, TokenKey>;

const WRAPS: Readonly<Record<KeyType, WrapAlgorithm>> = { aes: AES_GCM, rsa: RSA_OAEP_SHA1 };

/**
 * Wraps data keys under a key in a PKCS#11 token, which does every operation with it: AES/GCM with an AES key,
 * RSA-OAEP-SHA1 with an RSA key. Open one with `Pkcs11Keyring.open`, and close it when it is no longer needed.
 */
export class Pkcs11Keyring implements Keyring, AsyncDisposable {
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  readonly #type: KeyType;
  readonly #wrapAlgorithm: WrapAlgorithm;
  readonly #token: Token<Keys>;
  readonly #own: KeySelector;
  /** Of an RSA key, as it was when it was tried: what is written does not depend on who holds a token of that name later. */
  readonly #publicKey: KeyObject | undefined;
  readonly #description: StringMap;
  readonly #decryptionKeys: readonly DescribedKey<KeySelector>[];
  readonly #messageKeys: MessageKeys<KeySelector>;

  private constructor(options: Pkcs11KeyringOptions, token: Token<Keys>, key: TokenKey) {
    this.#type = key.type;
    this.#wrapAlgorithm = WRAPS[key.type];
    this.#publicKey = key.type === "rsa" ? key.publicKey : undefined;
    this.#token = token;
    this.#own = options;
    this.#description = materialDescription(options.materialDescription);
    this.#decryptionKeys = describedKeys(this.#description, formerKeys(options));
    this.#messageKeys = new MessageKeys({ key: options, messageKey: options.messageKey }, formerKeys(options));
    this.wrapAlgorithms = Object.freeze([this.#wrapAlgorithm, ...this.#messageKeys.providers]);
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
    const others = options.decryptionKeys ?? [];
    // Before anything is asked of the token.
    describedKeys(materialDescription(options.materialDescription), formerKeys(options));
    new MessageKeys({ key: options, messageKey: options.messageKey }, formerKeys(options));
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
      const key = await token.use(async (session, keys) => {
        for (const [selector, key] of keys) assertReadable(selector, key, pin !== undefined || selector !== options);
        const own = keyOf(keys, options);
        await assertUsable(session, own);
        return own;
      });
      return new Pkcs11Keyring(options, token, key);
    } catch (error) {
      await token.close();
      throw error;
    }
  }

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    if (materials.suite.format === "message") return await this.#wrapForMessage(materials);
    const description = descriptionToStore(this.#description, materials.materialDescription, this.#decryptionKeys);
    return await withWrappedDataKey(materials, async (bytes) => {
      const ciphertext = await this.#wrap(bytes, materials.algorithmBinding);
      return { wrapAlgorithm: this.#wrapAlgorithm, ciphertext, description };
    });
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    if (materials.suite.format === "message") return await this.#unwrapFromMessage(materials, encryptedDataKeys);
    const expected = expectedDataKey(materials);
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

  async #wrapForMessage(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    const { own } = this.#messageKeys;
    const publicKey = this.#publicKey;
    this.#token.assertOpen();
    return await withWrappedDataKey(materials, (bytes) =>
      publicKey === undefined
        ? this.#token.use((session, keys) =>
            wrapAesForMessage(session, aesKeyOf(keys, own.key), own, bytes, materials.encryptionContext),
          )
        : wrapRsaForMessage(publicKey, own, bytes),
    );
  }

  async #unwrapFromMessage(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    let mine = false;
    for (const encryptedDataKey of encryptedDataKeys) {
      const named = this.#messageKeys.namedBy(encryptedDataKey, INFO_BEHIND_NAME[this.#type]);
      if (named === undefined) continue;
      mine = true;
      const dataKey = await this.#token.use((session, keys) =>
        unwrapFromMessage(session, keyOf(keys, named.key), named, materials, encryptedDataKey),
      );
      if (dataKey !== undefined) return withDataKey(materials, importDataKey(dataKey));
    }
    if (mine) throw decryptionFailed();
    return null;
  }

  async #wrap(bytes: Uint8Array, binding: string): Promise<Uint8Array> {
    this.#token.assertOpen();
    if (this.#publicKey !== undefined) return wrapOaep(this.#publicKey, bytes, binding);
    return await this.#token.use((session, keys) => wrap(session, keyOf(keys, this.#own), bytes, binding));
  }

  /** Waits for operations that run, then closes the sessions. The keyring cannot be used any more. */
  async close(): Promise<void> {
    await this.#token.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function formerKeys({ decryptionKeys = [] }: Pkcs11KeyringOptions): (Pkcs11DecryptionKey & { key: KeySelector })[] {
  return decryptionKeys.map((key) => ({ ...key, key }));
}

function keyOf(keys: Keys, selector: KeySelector): TokenKey {
  const key = keys.get(selector);
  if (key === undefined) throw new S3EncryptionError("invalid-argument", "This key was not asked for at construction.");
  return key;
}

function aesKeyOf(keys: Keys, selector: KeySelector): AesTokenKey {
  const key = keyOf(keys, selector);
  if (key.type === "aes") return key;
  throw new S3EncryptionError(
    "invalid-configuration",
    `The token's key ${nameOf(selector)} was an AES key, and is none.`,
  );
}

/** Without a PIN a public key is enough, to write; with one, a private key that is not there is a mistake. */
function assertReadable(selector: KeySelector, key: TokenKey, mustRead: boolean): void {
  if (key.type === "aes" || key.privateKey !== undefined || !mustRead) return;
  throw keyUnavailable(
    `The token shows a public RSA key ${nameOf(selector)} but no private one: give both the same label and id, and pass the pin to read.`,
  );
}
