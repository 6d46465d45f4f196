import { callersStringMap, EMPTY_STRING_MAP, isSameStringMap, S3EncryptionError, type StringMap } from "@s3ec/envelope";

/** A key with the material description of the objects it opens. */
export interface DescribedKey<Key> {
  readonly key: Key;
  readonly description: StringMap;
}

/** Copies a material description; throws `invalid-argument` where it is not a plain object of strings. */
export function materialDescription(input: StringMap | undefined): StringMap {
  return input === undefined ? EMPTY_STRING_MAP : callersStringMap(input, "A material description");
}

/** A key that reads by its description, by its name in messages, or by both. */
export interface DescribableKey<Key> {
  readonly key: Key;
  readonly materialDescription?: StringMap;
  readonly messageKey?: unknown;
}

/**
 * The keys that have a description. Descriptions select keys, so each may stand for one key only; `own` is what the
 * keyring itself writes. Throws `invalid-configuration` where one stands for two, or a key would never be found.
 */
export function describedKeys<Key>(own: StringMap, keys: readonly DescribableKey<Key>[]): readonly DescribedKey<Key>[] {
  if (keys.some((entry) => entry.materialDescription === undefined && entry.messageKey === undefined)) {
    throw new S3EncryptionError(
      "invalid-configuration",
      "Give each of the decryptionKeys the materialDescription of its objects, the messageKey of its messages, or both.",
    );
  }
  const described = keys.flatMap(({ key, materialDescription: given }) =>
    given === undefined ? [] : [{ key, description: materialDescription(given) }],
  );
  assertDistinctDescriptions(own, described);
  return described;
}

function assertDistinctDescriptions(own: StringMap, keys: readonly DescribedKey<unknown>[]): void {
  const seen = [own];
  for (const { description } of keys) {
    if (seen.some((other) => isSameStringMap(other, description))) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "Give the keyring and each of its decryptionKeys a material description of their own: it selects the key.",
      );
    }
    seen.push(description);
  }
}

/** The key that a stored description names exactly. Nothing else is ever taken from the description (docs/formats.md 3.4). */
export function keyDescribedBy<Key>(description: StringMap, keys: readonly DescribedKey<Key>[]): Key | undefined {
  return keys.find((entry) => isSameStringMap(entry.description, description))?.key;
}

/** The description to store: the caller's, unless this keyring would then look for another key when it reads. */
export function descriptionToStore(
  own: StringMap,
  callers: StringMap | undefined,
  keys: readonly DescribedKey<unknown>[],
): StringMap {
  if (callers === undefined) return own;
  const description = materialDescription(callers);
  if (keyDescribedBy(description, keys) !== undefined) {
    throw new S3EncryptionError(
      "invalid-argument",
      "This material description selects one of the keyring's decryptionKeys, which only read; pass another one.",
    );
  }
  return description;
}
