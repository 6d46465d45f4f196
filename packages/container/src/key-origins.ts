import type { KeyObject } from "node:crypto";

/** The aliases of keys that were in keystores: what read them is loaded only for a configuration that has keys. */
export const KEY_ALIASES: WeakMap<KeyObject, string> = new WeakMap();

/** The versions of keys that were secrets or parameters of AWS's secret stores. */
export const KEY_VERSIONS: WeakMap<KeyObject, string> = new WeakMap();
