import type { KeyObject } from "node:crypto";
import {
  aesGcmNamedWrap,
  aesGcmWrap,
  assertKnownOptions,
  type MessageKeyName,
  type OptionNames,
  RawKeys,
  type SelectableKey,
  type StringMap,
  WrapKeyring,
} from "@s3ec/materials";
import { GCM } from "./aes-gcm.js";
import { LEGACY_WRAPS } from "./legacy-wraps.js";
import { type AesWrappingKey, aesWrappingKey } from "./wrapping-key.js";

/** A former wrapping key, used for reading the objects that carry exactly its description, or its name in messages. */
export interface AesDecryptionKey {
  /** 16, 24 or 32 bytes. */
  readonly wrappingKey: AesWrappingKey;
  /** Without it, the key reads messages only. */
  readonly materialDescription?: StringMap;
  /** Without it, the key reads no messages. */
  readonly messageKey?: MessageKeyName;
}

/** The wrapping key, what selects it, and former ones. */
export interface RawAesKeyringOptions {
  /** 16, 24 or 32 bytes; a new key should have 32. */
  readonly wrappingKey: AesWrappingKey;
  /** Stored with every object, in the clear and unauthenticated; selects keys on reading. Default: none. */
  readonly materialDescription?: StringMap;
  /** What messages of the AWS Encryption SDK call `wrappingKey`. Without it the keyring neither writes nor reads any. */
  readonly messageKey?: MessageKeyName;
  /** Keys that only read, each selected by its description; any other description means `wrappingKey`. Default: none. */
  readonly decryptionKeys?: readonly AesDecryptionKey[];
  /**
   * DANGEROUS, default false. Also opens CBC objects whose wrap is bound to GCM, which the Java client makes when it
   * re-encrypts the instruction file of a CBC object (H1). It gives up the check that stops CVE-2020-8912 (S2): whoever
   * can write to the bucket may relabel your GCM objects as CBC. Turn it on for one migration, in a client of its own.
   */
  readonly enableCbcRewrapBoundToGcm?: boolean;
}

const OPTIONS: OptionNames<RawAesKeyringOptions> = {
  wrappingKey: true,
  materialDescription: true,
  messageKey: true,
  decryptionKeys: true,
  enableCbcRewrapBoundToGcm: true,
};

const DECRYPTION_KEY: OptionNames<AesDecryptionKey> = {
  wrappingKey: true,
  materialDescription: true,
  messageKey: true,
};

/**
 * Wraps data keys under an AES key that you hold. Writes AES/GCM; reads AES/GCM, and AESWrap and AES (ECB) where the
 * client allows legacy wraps. With `messageKey`, messages have the wrap of the AWS Encryption SDK's raw AES keyring, which
 * binds the encryption context.
 */
export class RawAesKeyring extends WrapKeyring {
  /**
   * @throws S3EncryptionError `invalid-argument` for an unknown option, what is no AES key, and a description or name that
   * cannot be stored; `invalid-configuration` where one selects two keys or a key would never be found
   */
  constructor(options: RawAesKeyringOptions) {
    assertKnownOptions(options, OPTIONS, "RawAesKeyring");
    for (const entry of options.decryptionKeys ?? []) assertKnownOptions(entry, DECRYPTION_KEY, "decryptionKeys");
    const keys = new RawKeys(selectable(options), (options.decryptionKeys ?? []).map(selectable));
    super(keys.wraps([aesGcmWrap(GCM), ...LEGACY_WRAPS], aesGcmNamedWrap(GCM)), {
      acceptGcmForCbc: options.enableCbcRewrapBoundToGcm === true,
    });
  }
}

function selectable(given: AesDecryptionKey): SelectableKey<KeyObject> {
  return { ...given, key: aesWrappingKey(given.wrappingKey) };
}
