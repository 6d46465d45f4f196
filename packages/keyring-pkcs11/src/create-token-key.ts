import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import { type Attribute, CK, type TokenSession } from "./cryptoki.js";
import { useModule } from "./loaded-module.js";
import { slotOf } from "./options.js";
import { type PinSource, readPin } from "./pin.js";
import { findSlot } from "./slot.js";
import { loginFailed, returnValue, tokenError } from "./token-errors.js";
import { assertSelector, findObjects, type KeySelector, type KeyType, nameOf, template } from "./token-keys.js";

/** Which key, and where; `slot` or `tokenLabel`, and `keyLabel`, `keyId` or both, are required. */
export interface NewTokenKey extends KeySelector {
  /** The path of the token maker's PKCS#11 library. */
  readonly module: string;
  /** The slot's id, as the module numbers it. */
  readonly slot?: number;
  /** The label of the token, in whichever slot it is. */
  readonly tokenLabel?: string;
  /** The user's PIN. */
  readonly pin: PinSource;
  /** An AES key of 256 bits, or an RSA pair. */
  readonly keyType: KeyType;
  /** Bits of an RSA modulus. Default 3072. */
  readonly bits?: 2048 | 3072 | 4096;
}

const OPTIONS: OptionNames<NewTokenKey> = {
  module: true,
  slot: true,
  tokenLabel: true,
  pin: true,
  keyLabel: true,
  keyId: true,
  keyType: true,
  bits: true,
};

/**
 * Has the token make a key that `Pkcs11Keyring` can use, and that never leaves the token.
 *
 * @throws S3EncryptionError `invalid-argument` for options that say too little or too much, and where the token has an object
 * of that name already; `key-unavailable` when the token is absent, refuses the PIN or makes no such key;
 * `invalid-configuration` when the module or the binding cannot be loaded
 */
export async function createTokenKey(options: NewTokenKey): Promise<void> {
  assertKnownOptions(options, OPTIONS, "createTokenKey");
  const { module: path, pin, keyType, bits = 3072 } = options;
  assertSelector(options);
  const slot = slotOf(options);
  if (keyType !== "aes" && keyType !== "rsa") throw wrong('keyType must be "aes" or "rsa".');
  if (![2048, 3072, 4096].includes(bits)) throw wrong("bits must be 2048, 3072 or 4096.");
  const module = await useModule(path);
  try {
    module.initialize();
    const { cryptoki } = module;
    const handle = cryptoki.C_OpenSession(findSlot(cryptoki, slot), CK.CKF_SERIAL_SESSION | CK.CKF_RW_SESSION);
    try {
      await login({ cryptoki, handle }, pin);
      await create({ cryptoki, handle }, options, bits);
    } finally {
      cryptoki.C_CloseSession(handle);
    }
  } catch (error) {
    throw tokenError(error);
  } finally {
    module.removeUser();
  }
}

async function login({ cryptoki, handle }: TokenSession, source: PinSource): Promise<void> {
  const pin = await readPin(source);
  try {
    cryptoki.C_Login(handle, CK.CKU_USER, pin);
  } catch (error) {
    const name = returnValue(error);
    if (name !== "CKR_USER_ALREADY_LOGGED_IN") throw loginFailed(name);
  }
}

async function create(session: TokenSession, { keyType, ...selector }: NewTokenKey, bits: number): Promise<void> {
  const names = template(selector);
  // A second one of the name would make the first unusable, since nobody could tell them apart.
  if (findObjects(session, names).length > 0) {
    throw wrong(`The token has an object ${nameOf(selector)} already: choose another name for the new key.`);
  }
  const { cryptoki, handle } = session;
  const kept: Attribute[] = [
    ...names,
    { type: CK.CKA_TOKEN, value: true },
    { type: CK.CKA_PRIVATE, value: true },
    { type: CK.CKA_SENSITIVE, value: true },
    { type: CK.CKA_EXTRACTABLE, value: false },
    { type: CK.CKA_DECRYPT, value: true },
  ];
  if (keyType === "aes") {
    await cryptoki.C_GenerateKeyAsync(handle, { mechanism: CK.CKM_AES_KEY_GEN }, [
      ...kept,
      { type: CK.CKA_ENCRYPT, value: true },
      { type: CK.CKA_VALUE_LEN, value: 32 },
    ]);
    return;
  }
  const shown: Attribute[] = [
    ...names,
    { type: CK.CKA_TOKEN, value: true },
    { type: CK.CKA_PRIVATE, value: false },
    { type: CK.CKA_ENCRYPT, value: true },
    { type: CK.CKA_MODULUS_BITS, value: bits },
    { type: CK.CKA_PUBLIC_EXPONENT, value: Buffer.from("010001", "hex") },
  ];
  await cryptoki.C_GenerateKeyPairAsync(handle, { mechanism: CK.CKM_RSA_PKCS_KEY_PAIR_GEN }, shown, kept);
}

function wrong(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
