import { type EncryptionMaterials, RawKeys, S3EncryptionError, type SelectableKey, WrapKeyring } from "@s3ec/materials";
import { useModule } from "./loaded-module.js";
import { assertOptions, type Pkcs11DecryptionKey, type Pkcs11KeyringOptions, slotOf } from "./options.js";
import { assertUsable } from "./self-test.js";
import { Token } from "./token.js";
import { keyUnavailable } from "./token-errors.js";
import { findKey, type KeySelector, nameOf, type TokenKey } from "./token-keys.js";
import { tokenWraps } from "./wraps.js";

/** The keys of one login. Handles do not outlive it; a selector does. */
type Keys = ReadonlyMap<KeySelector, TokenKey>;

/**
 * Wraps data keys under a key in a PKCS#11 token, which does every operation with it: AES/GCM with an AES key,
 * RSA-OAEP-SHA1 with an RSA key. Open one with `Pkcs11Keyring.open`, and close it when it is no longer needed.
 */
export class Pkcs11Keyring extends WrapKeyring implements AsyncDisposable {
  readonly #token: Token<Keys>;

  /** `key` of RSA as it was when it was tried: what is written does not depend on who holds a token of that name later. */
  private constructor(keys: RawKeys<KeySelector>, token: Token<Keys>, key: TokenKey) {
    const { described, named } = tokenWraps<KeySelector>(key, (selector, operate) =>
      token.use((session, found) => operate(session, keyOf(found, selector))),
    );
    super(keys.wraps([described], named));
    this.#token = token;
  }

  /**
   * Loads the module, logs in, finds the keys and tries the wrapping key once.
   *
   * @throws S3EncryptionError `key-unavailable` when the token is absent, refuses the PIN or has no such key;
   * `invalid-configuration` when the module or the binding cannot be loaded, or the token or the key cannot do what the wrap
   * needs; `invalid-argument` for options that say too little or too much
   */
  static async open(options: Pkcs11KeyringOptions): Promise<Pkcs11Keyring> {
    assertOptions(options);
    const { pin, maxSessions = 4, keyType } = options;
    const others = options.decryptionKeys ?? [];
    // Before anything is asked of the token.
    const selectable = new RawKeys(selected(options), others.map(selected));
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
      return new Pkcs11Keyring(selectable, token, key);
    } catch (error) {
      await token.close();
      throw error;
    }
  }

  /**
   * Adds a wrap of the data key: an AES key's made by the token, an RSA key's with its public half.
   * @throws S3EncryptionError `key-unavailable` once closed, and when the token is absent or refuses
   */
  override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    // An RSA key would write without the token.
    this.#token.assertOpen();
    return await super.onEncrypt(materials);
  }

  /** Waits for operations that run, then closes the sessions. The keyring cannot be used any more. */
  async close(): Promise<void> {
    await this.#token.close();
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function selected(selector: Pkcs11DecryptionKey): SelectableKey<KeySelector> {
  return { ...selector, key: selector };
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
