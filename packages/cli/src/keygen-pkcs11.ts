import { S3EncryptionError } from "@s3ec/materials";

export interface Pkcs11KeygenOptions {
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
export async function keygenPkcs11(keyLabel: string, options: Pkcs11KeygenOptions): Promise<string> {
  const { keyType = "rsa" } = options;
  await createPkcs11Key(keyLabel, options);
  const { pin, ...keyring } = pkcs11Keyring(keyLabel, options);
  const print = (fields: object): string => JSON.stringify({ keyring: fields }, null, 2);
  return [
    `Made the ${keyType.toUpperCase()} key ${keyLabel} in the token ${options.tokenLabel}, which it never leaves.`,
    ...(keyType === "rsa" ? ["", "In a configuration, to only write:", print(keyring)] : []),
    "",
    "In a configuration, to read and write:",
    print({ ...keyring, pin }),
  ].join("\n");
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
