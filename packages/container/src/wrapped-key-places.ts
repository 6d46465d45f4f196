import type { KeyringConfiguration } from "./keyring-descriptor.js";

/**
 * The children of multi-keyrings, by their paths, whose wrapped keys would have no place when an object of an S3 format is
 * written: those of a writer without a suffix. A keyring alone cannot know that nothing but messages is written with it.
 */
export function childrenWithoutPlace(
  keyring: KeyringConfiguration,
  path: readonly PropertyKey[] = [],
): readonly (readonly PropertyKey[])[] {
  const { type, generator, children } = keyring;
  if (type !== "multi" || !Array.isArray(children)) return [];
  const inner = isKeyring(generator) ? childrenWithoutPlace(generator, [...path, "generator"]) : [];
  const ofChildren = children.flatMap((child: unknown, index): (readonly PropertyKey[])[] => {
    if (typeof child !== "object" || child === null) return [];
    const place = [...path, "children", index];
    const nested: unknown = Reflect.get(child, "keyring");
    const writes = generator !== undefined && Reflect.get(child, "decryptOnly") !== true;
    const missing = writes && Reflect.get(child, "instructionFileSuffix") === undefined;
    return [
      ...(missing ? [[...place, "instructionFileSuffix"]] : []),
      ...(isKeyring(nested) ? childrenWithoutPlace(nested, [...place, "keyring"]) : []),
    ];
  });
  return [...inner, ...ofChildren];
}

const NAMED_IN_MESSAGES: ReadonlySet<unknown> = new Set(["raw-aes", "raw-rsa", "pkcs11"]);

/** The fields, by their paths, that keyrings lack which take part in writing and can write no message without a name. */
export function missingMessageKeys(
  { type, messageKey, generator, children }: KeyringConfiguration,
  path: readonly PropertyKey[] = [],
): readonly (readonly PropertyKey[])[] {
  if (NAMED_IN_MESSAGES.has(type)) return messageKey === undefined ? [[...path, "messageKey"]] : [];
  // Without a generator it only reads.
  if (type !== "multi" || !isKeyring(generator) || !Array.isArray(children)) return [];
  const ofChildren = children.flatMap((child: unknown, index): readonly (readonly PropertyKey[])[] => {
    const isChild = typeof child === "object" && child !== null && Reflect.get(child, "decryptOnly") !== true;
    const nested: unknown = isChild ? Reflect.get(child, "keyring") : undefined;
    return isKeyring(nested) ? missingMessageKeys(nested, [...path, "children", index, "keyring"]) : [];
  });
  return [...missingMessageKeys(generator, [...path, "generator"]), ...ofChildren];
}

function isKeyring(value: unknown): value is KeyringConfiguration {
  return typeof value === "object" && value !== null;
}
