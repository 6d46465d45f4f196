import {
  assertKnownOptions,
  type MessageKeyName,
  type OptionNames,
  S3EncryptionError,
  type StringMap,
} from "@s3ec/materials";
import type { PinSource } from "./pin.js";
import type { SlotSelector } from "./slot.js";
import { assertSelector, type KeySelector, type KeyType } from "./token-keys.js";

/** A former key of the same token and kind, used for reading the objects that carry its description, or its name. */
export interface Pkcs11DecryptionKey extends KeySelector {
  /** Without it, the key reads messages only. */
  readonly materialDescription?: StringMap;
  /** Without it, the key reads no messages. */
  readonly messageKey?: MessageKeyName;
}

/** `slot` or `tokenLabel`, and `keyLabel`, `keyId` or both, are required. */
export interface Pkcs11KeyringOptions extends KeySelector {
  /** The path of the token maker's PKCS#11 library. */
  readonly module: string;
  /** The slot's id, as the module numbers it; not its place in a list. */
  readonly slot?: number;
  /** The label of the token, in whichever slot it is. */
  readonly tokenLabel?: string;
  /** Which kind of key, where an AES key and an RSA key carry the same names. Default: what is found. */
  readonly keyType?: KeyType;
  /** The user's PIN. Without it an RSA key whose public half the token shows to everybody can write, and not read. */
  readonly pin?: PinSource;
  /** Stored with every object, in the clear and unauthenticated; selects keys on reading. Default: none. */
  readonly materialDescription?: StringMap;
  /**
   * What messages of the AWS Encryption SDK call the key, whose raw keyrings then open them with a copy of it (RSA: OAEP
   * with SHA-1). Required to write and read them.
   */
  readonly messageKey?: MessageKeyName;
  /** Keys that only read, each selected by its description; any other description means the keyring's own key. Default: none. */
  readonly decryptionKeys?: readonly Pkcs11DecryptionKey[];
  /** Sessions with the token at a time, and so operations at a time. Default 4; fewer where the token allows fewer. */
  readonly maxSessions?: number;
}

const OPTIONS: OptionNames<Pkcs11KeyringOptions> = {
  module: true,
  slot: true,
  tokenLabel: true,
  keyLabel: true,
  keyId: true,
  keyType: true,
  pin: true,
  materialDescription: true,
  messageKey: true,
  decryptionKeys: true,
  maxSessions: true,
};

const DECRYPTION_KEY: OptionNames<Pkcs11DecryptionKey> = {
  keyLabel: true,
  keyId: true,
  materialDescription: true,
  messageKey: true,
};

/** Throws `invalid-argument` unless module, token and keys are named as they must be. */
export function assertOptions(options: Pkcs11KeyringOptions): void {
  assertKnownOptions(options, OPTIONS, "Pkcs11Keyring");
  for (const entry of options.decryptionKeys ?? []) assertKnownOptions(entry, DECRYPTION_KEY, "decryptionKeys");
  const { module, pin, keyType, maxSessions = 1, decryptionKeys = [] } = options;
  if (typeof module !== "string" || module === "") throw wrong("module must be the path of a PKCS#11 library.");
  slotOf(options);
  for (const selector of [options, ...decryptionKeys]) assertSelector(selector);
  if (keyType !== undefined && keyType !== "aes" && keyType !== "rsa") throw wrong('keyType must be "aes" or "rsa".');
  if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) throw wrong("maxSessions must be 1 or more.");
  if (pin !== undefined && !isPinSource(pin)) {
    throw wrong("pin must be { file }, { env } or a function; a PIN itself is not taken, so that it is not kept.");
  }
}

/** The one way in which the options name the slot. */
export function slotOf({ slot, tokenLabel }: Pkcs11KeyringOptions): SlotSelector {
  if (slot !== undefined && tokenLabel === undefined && Number.isSafeInteger(slot) && slot >= 0) {
    return { number: slot };
  }
  if (slot === undefined && typeof tokenLabel === "string" && tokenLabel !== "") return { tokenLabel };
  throw wrong("Name the token by its slot number or by its tokenLabel: one of them.");
}

function isPinSource(pin: unknown): boolean {
  if (typeof pin === "function") return true;
  if (typeof pin !== "object" || pin === null) return false;
  const [place, ...more] = Object.entries(pin);
  return place !== undefined && more.length === 0 && ["file", "env"].includes(place[0]) && typeof place[1] === "string";
}

function wrong(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
