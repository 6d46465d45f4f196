import {
  assertKnownOptions,
  type EncryptedDataKey,
  isSameWrapAlgorithm,
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

/** A key that may have a name. */
export interface NameableKey<Key> {
  readonly key: Key;
  readonly messageKey?: MessageKeyName | undefined;
}

/**
 * The keys of a raw keyring that messages name: its own, and others that only read. Throws `invalid-argument` for a name
 * that cannot be stored (each part has 1 to 1,024 bytes of UTF-8), `invalid-configuration` for one that two keys have.
 */
export class MessageKeys<Key> {
  readonly #all: readonly MessageKey<Key>[];
  /** Each namespace once. */
  readonly providers: readonly WrapAlgorithm[];
  readonly #own: MessageKey<Key> | undefined;

  constructor(own: NameableKey<Key>, others: readonly NameableKey<Key>[]) {
    this.#own = own.messageKey === undefined ? undefined : named(own.key, own.messageKey);
    const more = others.flatMap(({ key, messageKey }) => (messageKey === undefined ? [] : [named(key, messageKey)]));
    this.#all = Object.freeze(this.#own === undefined ? more : [this.#own, ...more]);
    assertDistinct(this.#all);
    this.providers = Object.freeze([...new Map(this.#all.map(({ provider }) => [provider.name, provider])).values()]);
  }

  /**
   * The key that an encrypted data key names, with so many bytes behind the name: the length tells a name from one that
   * begins with it.
   */
  namedBy({ wrapAlgorithm, providerInfo }: EncryptedDataKey, lengthBehind = 0): MessageKey<Key> | undefined {
    return this.#all.find(
      ({ provider, name }) =>
        isSameWrapAlgorithm(provider, wrapAlgorithm) &&
        providerInfo?.length === name.length + lengthBehind &&
        Buffer.compare(providerInfo.subarray(0, name.length), name) === 0,
    );
  }

  /** The key to write with; throws `invalid-configuration` where it has no name. */
  get own(): MessageKey<Key> {
    if (this.#own !== undefined) return this.#own;
    throw new S3EncryptionError(
      "invalid-configuration",
      "Set the keyring's messageKey, { namespace, name }, to write messages: readers find the raw key by it.",
    );
  }
}

function named<Key>(key: Key, messageKey: MessageKeyName): MessageKey<Key> {
  assertKnownOptions(messageKey, { namespace: true, name: true }, "messageKey");
  const { namespace, name } = messageKey;
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

/** Names select keys, so each may stand for one key only. */
function assertDistinct(keys: readonly MessageKey<unknown>[]): void {
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
