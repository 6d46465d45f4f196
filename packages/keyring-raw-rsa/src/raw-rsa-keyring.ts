import type { KeyObject } from "node:crypto";
import {
  assertKnownOptions,
  type MessageKeyName,
  type OptionNames,
  RawKeys,
  type RawWrap,
  rsaOaepNamedWrap,
  rsaOaepWrap,
  S3EncryptionError,
  type StringMap,
  WrapKeyring,
} from "@s3ec/materials";
import { legacyWraps } from "./legacy-wraps.js";
import {
  privateKeyOf,
  publicHalf,
  type RsaPrivateKey,
  type RsaPublicKey,
  rsaPrivateKey,
  rsaPublicKey,
} from "./rsa-keys.js";
import { OAEP_HASHES, type OaepHash, rsaOaep } from "./rsa-oaep.js";

/** A former private key, used for reading the objects that carry exactly its description, or its name in messages. */
export interface RsaDecryptionKey {
  /** 2048 bits or more, unless `enableWeakKeysForReading`. */
  readonly privateKey: RsaPrivateKey;
  /** Without it, the key reads messages only. */
  readonly materialDescription?: StringMap;
  /** Without it, the key reads no messages. */
  readonly messageKey?: MessageKeyName;
}

/** The key pair or its public half, what selects it, and former keys; `privateKey` or `publicKey` is required. */
export interface RawRsaKeyringOptions {
  /** Reads, and writes too: the public key is derived from it. 2048 bits or more, like every key here. */
  readonly privateKey?: RsaPrivateKey;
  /** Alone: a keyring that writes and cannot read. Beside `privateKey`: must belong to it. */
  readonly publicKey?: RsaPublicKey;
  /** Stored with every object, in the clear and unauthenticated; selects keys on reading. Default: none. */
  readonly materialDescription?: StringMap;
  /** What messages of the AWS Encryption SDK call the key. Without it the keyring neither writes nor reads any. */
  readonly messageKey?: MessageKeyName;
  /**
   * Digest of the OAEP wraps in messages and of their masks, in every key's; messages do not store it, so writer and
   * reader must agree. Default "sha256".
   */
  readonly oaepHash?: OaepHash;
  /** Keys that only read, each selected by its description; any other description means `privateKey`. Default: none. */
  readonly decryptionKeys?: readonly RsaDecryptionKey[];
  /**
   * DANGEROUS, default false. Also opens legacy objects whose data key was encrypted with textbook RSA, which a Java V1
   * client forced onto BouncyCastle wrote. Such a wrap protects nothing against someone who can alter it.
   */
  readonly enableUnpaddedRsa?: boolean;
  /**
   * DANGEROUS, default false. Also takes private keys of 1,024 to 2,047 bits, to read: early samples of the Java client
   * made such keys. Whoever breaks one reads all that it wrapped. As `privateKey` it writes nothing.
   */
  readonly enableWeakKeysForReading?: boolean;
  /**
   * DANGEROUS, default false. Also opens CBC objects whose wrap is bound to GCM, which the Java client makes when it
   * re-encrypts the instruction file of a CBC object (H1). It gives up the check that stops CVE-2020-8912 (S2): whoever
   * can write to the bucket may relabel your GCM objects as CBC. Turn it on for one migration, in a client of its own.
   */
  readonly enableCbcRewrapBoundToGcm?: boolean;
}

const OPTIONS: OptionNames<RawRsaKeyringOptions> = {
  privateKey: true,
  publicKey: true,
  materialDescription: true,
  messageKey: true,
  oaepHash: true,
  decryptionKeys: true,
  enableUnpaddedRsa: true,
  enableWeakKeysForReading: true,
  enableCbcRewrapBoundToGcm: true,
};

const DECRYPTION_KEY: OptionNames<RsaDecryptionKey> = { privateKey: true, materialDescription: true, messageKey: true };

/**
 * Wraps data keys under an RSA key that you hold. Writes RSA-OAEP-SHA1; reads it, and OAEP with SHA-256 and PKCS#1 v1.5
 * where the client allows legacy wraps. With `messageKey`, messages have the OAEP wrap of the AWS Encryption SDK's raw RSA
 * keyring.
 */
export class RawRsaKeyring extends WrapKeyring {
  /**
   * @throws S3EncryptionError `invalid-argument` for an unknown option, what is no RSA key of the right kind and size, and a
   * description or name that cannot be stored; `invalid-configuration` without a key, for two that are no pair, and where a
   * description or name selects two keys or none
   */
  constructor(options: RawRsaKeyringOptions) {
    assertKnownOptions(options, OPTIONS, "RawRsaKeyring");
    for (const entry of options.decryptionKeys ?? []) assertKnownOptions(entry, DECRYPTION_KEY, "decryptionKeys");
    const { decryptionKeys = [], enableWeakKeysForReading, enableUnpaddedRsa, enableCbcRewrapBoundToGcm } = options;
    const readPrivateKey = (key: RsaPrivateKey) => rsaPrivateKey(key, enableWeakKeysForReading === true);
    const { privateKey, publicKey } = ownKeys(options, readPrivateKey);
    const keys = new RawKeys(
      { ...options, key: privateKey },
      decryptionKeys.map((each) => ({ ...each, key: readPrivateKey(each.privateKey) })),
    );
    const legacy = legacyWraps(enableUnpaddedRsa === true).map(
      ({ algorithm, unwrap, opensBlindly }): RawWrap<KeyObject | undefined> => ({
        algorithm,
        unwrap: (key, wrapped, expected) => unwrap(privateKeyOf(key), wrapped, expected),
        opensBlindly: (key, wrapped) => key !== undefined && opensBlindly?.(key, wrapped) === true,
      }),
    );
    super(
      keys.wraps(
        [rsaOaepWrap(rsaOaep(publicKey, "sha1")), ...legacy],
        rsaOaepNamedWrap(rsaOaep(publicKey, oaepHash(options.oaepHash))),
      ),
      { acceptGcmForCbc: enableCbcRewrapBoundToGcm === true },
    );
  }
}

function ownKeys(
  given: RawRsaKeyringOptions,
  readPrivateKey: (key: RsaPrivateKey) => KeyObject,
): { readonly privateKey: KeyObject | undefined; readonly publicKey: KeyObject } {
  const publicKey = given.publicKey === undefined ? undefined : rsaPublicKey(given.publicKey);
  if (given.privateKey !== undefined) {
    const privateKey = readPrivateKey(given.privateKey);
    return { privateKey, publicKey: publicHalf(privateKey, publicKey) };
  }
  if (publicKey !== undefined) return { privateKey: undefined, publicKey };
  throw new S3EncryptionError("invalid-configuration", "Pass privateKey to read and write, or publicKey to write.");
}

function oaepHash(given: OaepHash = "sha256"): OaepHash {
  if (OAEP_HASHES.includes(given)) return given;
  throw new S3EncryptionError("invalid-argument", `The oaepHash must be one of ${OAEP_HASHES.join(", ")}.`);
}
