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
      "A PKCS#11 keyring needs the package pkcs11js, which is not there or was not built: with Python, make and a C++ compiler there, run `npm install pkcs11js`, and allow its install script, which npm 12, pnpm 10 and Yarn 4 do not run unasked: npm by `npm install-scripts approve pkcs11js && npm rebuild pkcs11js`, pnpm by `pnpm add --allow-build=pkcs11js pkcs11js && pnpm rebuild pkcs11js`, Yarn by dependenciesMeta.pkcs11js.built in package.json and `yarn rebuild pkcs11js`.",
      { cause: error },
    );
  }
}
