import { BUILT_IN_KEYRINGS } from "./built-in-keyrings.js";
import { FormatRegistry } from "./formats.js";
import { KeyringRegistry } from "./keyring-registry.js";
import { ManagerRegistry } from "./manager-registry.js";
import type { ConfigurationPlugin } from "./plugins.js";

/** Every type that a configuration may name. */
export interface KnownTypes {
  /** The keyring types. */
  readonly registry: KeyringRegistry;
  /** The materials manager types. */
  readonly managers: ManagerRegistry;
  /** The format types. */
  readonly formats: FormatRegistry;
}

/**
 * The built-in types and those of plugins.
 *
 * @throws S3EncryptionError `invalid-configuration` where two types have one name
 */
export function knownTypes(plugins: readonly ConfigurationPlugin[]): KnownTypes {
  return {
    registry: new KeyringRegistry([...BUILT_IN_KEYRINGS, ...plugins.flatMap(({ keyrings = [] }) => keyrings)]),
    managers: new ManagerRegistry(plugins.flatMap(({ managers = [] }) => managers)),
    formats: new FormatRegistry(plugins.flatMap(({ formats = [] }) => formats)),
  };
}
