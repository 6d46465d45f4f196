import { S3EncryptionError } from "@s3ec/materials";
import type { Answer } from "./json/json-output.js";

export interface Pkcs11KeygenOptions {
  readonly json?: boolean;
  readonly module: string;
  readonly tokenLabel: string;
  /** The environment variable that has the user's PIN. */
  readonly pinEnv: string;
  /** Default: rsa, of which writers need no PIN. */
  readonly keyType?: "aes" | "rsa";
  /** Of an RSA modulus. Default 3072. */
  readonly bits?: 2048 | 3072 | 4096;
}

/** Has a token make a key; what it returns to print is the keyring that uses it. */
export async function keygenPkcs11(keyLabel: string, options: Pkcs11KeygenOptions): Promise<Answer> {
  const { keyType = "rsa" } = options;
  await createPkcs11Key(keyLabel, options);
  const { pin, ...keyring } = pkcs11Keyring(keyLabel, options);
  const readAndWrite = { keyring: { ...keyring, pin } };
  const configurations = { ...(keyType === "rsa" ? { write: { keyring } } : {}), readAndWrite };
  const shown = (written: object): string => JSON.stringify(written, null, 2);
  const lines = [
    `Made the ${keyType.toUpperCase()} key ${keyLabel} in the token ${options.tokenLabel}, which it never leaves.`,
    ...(keyType === "rsa" ? ["", "In a configuration, to only write:", shown({ keyring })] : []),
    "",
    "In a configuration, to read and write:",
    shown(readAndWrite),
  ];
  const { tokenLabel } = options;
  return { words: lines.join("\n"), json: { kind: "pkcs11", keyType, label: keyLabel, tokenLabel, configurations } };
}

export async function createPkcs11Key(keyLabel: string, options: Pkcs11KeygenOptions): Promise<void> {
  const { module, tokenLabel, pinEnv, keyType = "rsa", bits } = options;
  const { createTokenKey } = await loadPackage();
  await createTokenKey({
    module,
    tokenLabel,
    keyLabel,
    keyType,
    pin: { env: pinEnv },
    ...(bits === undefined ? {} : { bits }),
  });
}

/** As a configuration names it. */
export function pkcs11Keyring(
  keyLabel: string,
  { module, tokenLabel, pinEnv, keyType }: Pkcs11KeygenOptions,
): { readonly pin: object } & Readonly<Record<string, unknown>> {
  const type = keyType === undefined ? {} : { keyType };
  return {
    type: "pkcs11",
    module,
    tokenLabel,
    keyLabel,
    ...type,
    materialDescription: { key: keyLabel },
    pin: { env: pinEnv },
  };
}

/** It builds native code, and few need it. */
async function loadPackage(): Promise<typeof import("@s3ec/keyring-pkcs11")> {
  try {
    return await import("@s3ec/keyring-pkcs11");
  } catch (error) {
    throw new S3EncryptionError(
      "invalid-configuration",
      "Tokens need a package of their own: npm install @s3ec/keyring-pkcs11 (with --global for a global s3ec).",
      { cause: error },
    );
  }
}
