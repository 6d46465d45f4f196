import crypto, { type KeyObject } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { isUint8Array } from "node:util/types";

/** The buffers that `export` gives out of this key from now on. */
export function observeExports(dataKey: KeyObject): readonly Uint8Array[] {
  const exported: Uint8Array[] = [];
  const observing = new Proxy(dataKey.export, {
    apply(target, key, parameters) {
      const result: unknown = Reflect.apply(target, key, parameters);
      if (isUint8Array(result)) exported.push(result);
      return result;
    },
  });
  Object.defineProperty(dataKey, "export", { value: observing });
  return exported;
}

export interface ObservedKeys<Result> {
  readonly result: Result;
  /** The very buffers that became secret keys, and what was in them at that moment. */
  readonly imported: readonly { readonly bytes: Uint8Array; readonly contents: Uint8Array }[];
}

/** Watches which buffers become secret keys while `run` does its work. */
export async function observeSecretKeys<Result>(run: () => Promise<Result>): Promise<ObservedKeys<Result>> {
  const imported: { bytes: Uint8Array; contents: Uint8Array }[] = [];
  const original = crypto.createSecretKey;
  crypto.createSecretKey = new Proxy(original, {
    apply(target, self, parameters) {
      const [bytes]: unknown[] = parameters;
      if (isUint8Array(bytes)) imported.push({ bytes, contents: Uint8Array.from(bytes) });
      return Reflect.apply(target, self, parameters);
    },
  });
  syncBuiltinESMExports();
  try {
    return { result: await run(), imported };
  } finally {
    crypto.createSecretKey = original;
    syncBuiltinESMExports();
  }
}
