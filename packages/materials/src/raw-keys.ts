import {
  ANY_KEY_PROVIDER,
  isSameStringMap,
  S3EncryptionError,
  type StringMap,
  type WrapAlgorithm,
} from "@s3ec/envelope";
import type { ExpectedDataKey } from "./bound-data-key.js";
import {
  assertDistinctDescriptions,
  type DescribedKey,
  descriptionToStore,
  keyDescribedBy,
  materialDescription,
} from "./described-keys.js";
import { assertDistinctNames, infoBehind, type MessageKey, type MessageKeyName, messageKey } from "./message-keys.js";
import type { Awaitable, Wrap } from "./wrap.js";

/** A raw key, and what selects it when an object is read. */
export interface SelectableKey<Key> {
  /** The key, in whatever form the wraps take it. */
  readonly key: Key;
  /** What objects of the S3 formats store beside its wraps. Default: nothing. */
  readonly materialDescription?: StringMap | undefined;
  /** What messages call it. Default: none; it then neither writes nor reads them. */
  readonly messageKey?: MessageKeyName | undefined;
}

/** A wrap of the S3 formats under one of several raw keys, which their descriptions tell apart. */
export interface RawWrap<Key> {
  /** Which wrap it is, as objects name it. */
  readonly algorithm: WrapAlgorithm;
  /** Absent where it is only read. The bytes are lent. */
  wrap?(key: Key, dataKey: Uint8Array, binding: string): Awaitable<Uint8Array>;
  /** Undefined where it does not open. */
  unwrap(key: Key, wrapped: Uint8Array, expected: ExpectedDataKey): Awaitable<Uint8Array | undefined>;
  /** Where `unwrap` opens with wrong keys too: whether it would with this one. */
  opensBlindly?(key: Key, wrapped: Uint8Array): boolean;
}

/** A wrap of the AWS Encryption SDK under one of several raw keys, which their names tell apart. */
export interface NamedWrap<Key> {
  /** Bytes of provider information behind the key's name. */
  readonly infoLength: number;
  /** The bytes are lent. `info` is what stands behind the name. */
  wrap(key: Key, dataKey: Uint8Array, context: StringMap): Awaitable<{ ciphertext: Uint8Array; info: Uint8Array }>;
  /** Undefined where it does not open. */
  unwrap(
    key: Key,
    wrapped: { readonly ciphertext: Uint8Array; readonly info: Uint8Array },
    expected: ExpectedDataKey,
    context: StringMap,
  ): Awaitable<Uint8Array | undefined>;
}

/**
 * The keys of a raw keyring: its own, which writes, and which reads whatever selects no other key; and others that only
 * read.
 */
export class RawKeys<Key> {
  readonly #own: Key;
  readonly #description: StringMap;
  readonly #described: readonly DescribedKey<Key>[];
  readonly #ownName: MessageKey<Key> | undefined;
  readonly #otherNames: readonly MessageKey<Key>[];

  /**
   * @throws S3EncryptionError `invalid-argument` for a description or a name that cannot be stored, `invalid-configuration`
   * where one stands for two keys or a key would never be found
   */
  constructor(own: SelectableKey<Key>, decryptionKeys: readonly SelectableKey<Key>[]) {
    if (decryptionKeys.some((each) => each.materialDescription === undefined && each.messageKey === undefined)) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "Give each of the decryptionKeys the materialDescription of its objects, the messageKey of its messages, or both.",
      );
    }
    this.#own = own.key;
    this.#description = materialDescription(own.materialDescription);
    this.#described = decryptionKeys.flatMap(({ key, materialDescription: given }) =>
      given === undefined ? [] : [{ key, description: materialDescription(given) }],
    );
    assertDistinctDescriptions(this.#description, this.#described);
    const named = (entry: SelectableKey<Key>): MessageKey<Key>[] =>
      entry.messageKey === undefined ? [] : [messageKey(entry.key, entry.messageKey)];
    [this.#ownName] = named(own);
    this.#otherNames = decryptionKeys.flatMap(named);
    assertDistinctNames([...named(own), ...this.#otherNames]);
  }

  /** Wraps of the S3 formats, selected by description, and the one of messages, selected by name, under these keys. */
  wraps(described: readonly RawWrap<Key>[], named: NamedWrap<Key>): readonly Wrap[] {
    const own = this.#ownName;
    return [
      ...described.map((wrap) => this.#describedWrap(wrap)),
      own === undefined ? UNNAMED : { ...readingNamed(own, named), ...writingNamed(own, named) },
      ...this.#otherNames.map((key) => readingNamed(key, named)),
    ];
  }

  #describedWrap({ algorithm, wrap, unwrap, opensBlindly }: RawWrap<Key>): Wrap {
    const keyFor = (description: StringMap) => keyDescribedBy(description, this.#described) ?? this.#own;
    const reading: Wrap = {
      algorithm,
      unwrap: ({ ciphertext, description }, expected) => unwrap(keyFor(description), ciphertext, expected),
      blindMatch: ({ ciphertext, description }) => {
        if (opensBlindly?.(keyFor(description), ciphertext) !== true) return null;
        return this.#selects(description) ? "selected" : "possible";
      },
    };
    if (wrap === undefined) return reading;
    return {
      ...reading,
      wrap: async (dataKey, binding, { materialDescription: callers }) => {
        const description = descriptionToStore(this.#description, callers, this.#described);
        return { ciphertext: await wrap(this.#own, dataKey, binding), description };
      },
    };
  }

  /** No description at all is what most objects carry, whichever key is theirs. */
  #selects(description: StringMap): boolean {
    if (keyDescribedBy(description, this.#described) !== undefined) return true;
    return Object.keys(description).length > 0 && isSameStringMap(description, this.#description);
  }
}

/** What a keyring writes messages with whose own key has no name: nothing. */
const UNNAMED: Wrap = Object.freeze({
  algorithm: ANY_KEY_PROVIDER,
  wrap: () => {
    throw new S3EncryptionError(
      "invalid-configuration",
      "Set the keyring's messageKey, { namespace, name }, to write messages: readers find the raw key by it.",
    );
  },
});

function readingNamed<Key>(key: MessageKey<Key>, { infoLength, unwrap }: NamedWrap<Key>): Wrap {
  return {
    algorithm: key.provider,
    unwrap: (encryptedDataKey, expected, { encryptionContext }) => {
      const info = infoBehind(key, infoLength, encryptedDataKey);
      if (info === undefined) return null;
      return unwrap(key.key, { ciphertext: encryptedDataKey.ciphertext, info }, expected, encryptionContext);
    },
  };
}

function writingNamed<Key>({ key, name }: MessageKey<Key>, { wrap }: NamedWrap<Key>): Required<Pick<Wrap, "wrap">> {
  return {
    wrap: async (dataKey, _binding, { encryptionContext }) => {
      const { ciphertext, info } = await wrap(key, dataKey, encryptionContext);
      return { ciphertext, providerInfo: Buffer.concat([name, info]) };
    },
  };
}
