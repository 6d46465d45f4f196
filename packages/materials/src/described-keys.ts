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

/** Descriptions select keys, so each may stand for one key only. Throws `invalid-configuration`. */
export function assertDistinctDescriptions(own: StringMap, keys: readonly DescribedKey<unknown>[]): void {
  const all = [own, ...keys.map(({ description }) => description)];
  if (all.every((map, index) => all.findIndex((other) => isSameStringMap(map, other)) === index)) return;
  throw new S3EncryptionError(
    "invalid-configuration",
    "Give the keyring and each of its decryptionKeys a material description of their own: it selects the key.",
  );
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
