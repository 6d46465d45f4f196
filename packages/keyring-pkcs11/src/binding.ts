import { S3EncryptionError } from "@s3ec/materials";
import type { Cryptoki } from "./cryptoki.js";

interface LoadableCryptoki extends Cryptoki {
  load(path: string): void;
}

/** Loads a PKCS#11 module through the binding. Throws `invalid-configuration` where either cannot be loaded. */
export async function loadCryptoki(path: string): Promise<Cryptoki> {
  const PKCS11 = await loadBinding();
  const cryptoki = new PKCS11();
  try {
    cryptoki.load(path);
  } catch (error) {
    throw new S3EncryptionError(
      "invalid-configuration",
      `The PKCS#11 module ${path} cannot be loaded: check that it exists, is one, and is built for this machine.`,
      { cause: error },
    );
  }
  return cryptoki;
}

async function loadBinding(): Promise<new () => LoadableCryptoki> {
  try {
    const binding: { readonly default: { readonly PKCS11: new () => LoadableCryptoki } } = await import("pkcs11js");
    return binding.default.PKCS11;
  } catch (error) {
    throw new S3EncryptionError(
      "invalid-configuration",
      "A PKCS#11 keyring needs the package pkcs11js, which is not there or was not built: run `npm install pkcs11js` where Python, make and a C++ compiler are installed and its install script may run.",
      { cause: error },
    );
  }
}
