import type { KeyringConfiguration } from "./keyring-descriptor.js";

/** A field whose instruction file is another wrapped key's. */
export interface SuffixCollision {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The generator's place, and what a reader that was told no suffix looks at. */
const DEFAULT = ".instruction";

/**
 * Children, at any depth, whose wrapped key would go where another one is.
 *
 * @param taken suffixes that are not children's, and what has them
 */
export function suffixCollisions(
  keyring: KeyringConfiguration,
  path: readonly PropertyKey[],
  taken: Map<string, string>,
): SuffixCollision[] {
  const { type, generator, children } = keyring;
  if (type !== "multi" || !Array.isArray(children)) return [];
  taken.set(DEFAULT, "the generator's wrapped key");
  const inner = isObject(generator) ? suffixCollisions(generator, [...path, "generator"], taken) : [];
  return [
    ...inner,
    ...children.flatMap((child: unknown, index): SuffixCollision[] => {
      if (!isObject(child)) return [];
      const place = [...path, "children", index];
      const { keyring: nested, instructionFileSuffix: given } = child;
      const own = typeof given === "string" ? collision(given, [...place, "instructionFileSuffix"], taken) : [];
      return [...own, ...(isObject(nested) ? suffixCollisions(nested, [...place, "keyring"], taken) : [])];
    }),
  ];
}

function collision(given: string, path: readonly PropertyKey[], taken: Map<string, string>): SuffixCollision[] {
  // As it is written: with one leading dot.
  const suffix = `.${given.replace(/^\.+/, "")}`;
  const holder = taken.get(suffix);
  taken.set(suffix, "another child's wrapped key");
  return holder === undefined
    ? []
    : [{ path, message: `expected a suffix of its own: "${suffix}" is the place of ${holder}` }];
}

function isObject(value: unknown): value is KeyringConfiguration {
  return typeof value === "object" && value !== null;
}
