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
    const missing = generator !== undefined && Reflect.get(child, "instructionFileSuffix") === undefined;
    return [
      ...(missing ? [[...place, "instructionFileSuffix"]] : []),
      ...(isKeyring(nested) ? childrenWithoutPlace(nested, [...place, "keyring"]) : []),
    ];
  });
  return [...inner, ...ofChildren];
}

function isKeyring(value: unknown): value is KeyringConfiguration {
  return typeof value === "object" && value !== null;
}
