import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

type CryptoFunctions = Partial<Record<keyof typeof crypto, (...given: never[]) => unknown>>;

/** Runs `act` while everything that imports `node:crypto` finds these functions in it. */
export async function replacingCrypto(functions: CryptoFunctions, act: () => unknown): Promise<void> {
  const originals = Object.fromEntries(Object.keys(functions).map((name) => [name, Reflect.get(crypto, name)]));
  replace(functions);
  try {
    await act();
  } finally {
    replace(originals);
  }
}

function replace(functions: object): void {
  Object.assign(crypto, functions);
  syncBuiltinESMExports();
}
