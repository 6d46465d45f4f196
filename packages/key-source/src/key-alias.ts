import type { KeyObject } from "node:crypto";

const ALIASES = new WeakMap<KeyObject, string>();

/** Which entry of a keystore a key of `loadKey` was, as the store spells it; undefined for a key of no store, or of an entry without a name. */
export function aliasOf(key: KeyObject): string | undefined {
  return ALIASES.get(key);
}

/** Notes where the key came from. */
export function withAlias(key: KeyObject, alias: string | undefined): KeyObject {
  if (alias !== undefined && alias !== "") ALIASES.set(key, alias);
  return key;
}
