import {
  assertKnownOptions,
  type EncryptedDataKey,
  keyProvider,
  S3EncryptionError,
  WRAP_ALGORITHMS,
  type WrapAlgorithm,
} from "@s3ec/envelope";

/** What a message of the AWS Encryption SDK calls a raw key. Stored in the clear; every reader must use the same two. */
export interface MessageKeyName {
  /** The key provider's id. Anything but `aws-kms...`, which is KMS itself. */
  readonly namespace: string;
  /** Tells the keys of a namespace apart. */
  readonly name: string;
}

/** A key as messages name it. */
export interface MessageKey<Key> {
  readonly key: Key;
  readonly provider: WrapAlgorithm;
  /** In UTF-8. */
  readonly name: Uint8Array;
}

const MOST_BYTES = 1024;

/** Throws `invalid-argument` for a name that cannot be stored: each part has 1 to 1,024 bytes of UTF-8. */
export function messageKey<Key>(key: Key, given: MessageKeyName): MessageKey<Key> {
  assertKnownOptions(given, { namespace: true, name: true }, "messageKey");
  const { namespace, name } = given;
  if (!isName(namespace) || !isName(name)) {
    throw new S3EncryptionError(
      "invalid-argument",
      "A messageKey needs a namespace and a name: texts of 1 to 1,024 bytes, as the AWS Encryption SDK's keyrings have.",
    );
  }
  // Wraps are told apart by their names: that of an S3 wrap, or of every provider, would stand for two.
  const isTaken = namespace === "*" || WRAP_ALGORITHMS.some((entry) => entry.name === namespace);
  if (isTaken || namespace.startsWith("aws-kms")) {
    throw new S3EncryptionError("invalid-argument", `"${namespace}" is reserved; choose another namespace.`);
  }
  return Object.freeze({ key, provider: keyProvider(namespace), name: Buffer.from(name) });
}

/**
 * The provider information behind a key's name, of so many bytes, where the encrypted data key names this key; else
 * undefined. The length tells a name from one that begins with it.
 */
export function infoBehind(
  { name }: MessageKey<unknown>,
  length: number,
  { providerInfo = new Uint8Array(0) }: EncryptedDataKey,
): Uint8Array | undefined {
  const isNamed =
    providerInfo.length === name.length + length && Buffer.compare(providerInfo.subarray(0, name.length), name) === 0;
  return isNamed ? providerInfo.subarray(name.length) : undefined;
}

/** Names select keys, so each may stand for one key only. Throws `invalid-configuration`. */
export function assertDistinctNames(keys: readonly MessageKey<unknown>[]): void {
  const names = keys.map(({ provider, name }) => JSON.stringify([provider.name, Buffer.from(name).toString()]));
  if (new Set(names).size === names.length) return;
  throw new S3EncryptionError(
    "invalid-configuration",
    "Give the keyring and each of its decryptionKeys a messageKey of their own: it selects the key.",
  );
}

function isName(text: string): boolean {
  // A lone surrogate would be stored as another name than was passed.
  const isText = typeof text === "string" && Buffer.from(text).toString() === text;
  return isText && text.length > 0 && Buffer.byteLength(text) <= MOST_BYTES;
}
