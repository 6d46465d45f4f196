import type { KeyObject } from "node:crypto";

const VERSIONS = new WeakMap<KeyObject, string>();

/**
 * Which version of a secret of Secrets Manager (its id) or of a parameter of Parameter Store (its number) a key of `loadKey`
 * was; undefined for a key from elsewhere.
 */
export function versionOf(key: KeyObject): string | undefined {
  return VERSIONS.get(key);
}

/** Notes where the key came from. */
export function withVersion(key: KeyObject, version: string | undefined): KeyObject {
  if (version !== undefined) VERSIONS.set(key, version);
  return key;
}
