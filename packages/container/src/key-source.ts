import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";

/** Where a key is: a file (relative to the configuration file), an environment variable, or the file itself. */
export type KeySource = { readonly file: string } | { readonly env: string } | { readonly base64: string };

/** What key sources are resolved against. */
export interface KeySurroundings {
  /** The folder that relative files start from. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Fields that hold keys. Each is read and checked while the configuration is validated, so that errors name the field. */
export interface KeySchemas {
  /** Any secret bytes, as a `KeyObject` so that they are never printed: a token, a key of another kind. */
  readonly secret: z.ZodType<KeyObject, KeySource>;
  /**
   * A PIN or a password: UTF-8 text as a `KeyObject`. In the environment it stands as it is, not encoded; of a file the
   * line break at its end is left out.
   */
  readonly secretText: z.ZodType<KeyObject, KeySource>;
  /** 16, 24 or 32 bytes. */
  readonly aesKey: z.ZodType<KeyObject, KeySource>;
  /** 2048 bits or more, as PEM, DER or JWK, without a passphrase. */
  readonly rsaPrivateKey: z.ZodType<KeyObject, KeySource>;
  /** 2048 bits or more, as PEM, DER or JWK; a private key is refused, because it would lie where only its public half is needed. */
  readonly rsaPublicKey: z.ZodType<KeyObject, KeySource>;
}

const SOURCE = z
  .union(
    [
      z.strictObject({ file: z.string().min(1) }),
      z.strictObject({ env: z.string().min(1) }),
      z.strictObject({ base64: z.string().min(1) }),
    ],
    { error: 'expected one of { "file": path }, { "env": name } and { "base64": text }' },
  )
  .describe("Where a key is: a file (relative to this one), an environment variable, or base64 text.");

export function keySchemas(surroundings: KeySurroundings): KeySchemas {
  const keyOf = (
    expected: string,
    parse: (bytes: Buffer) => KeyObject | undefined,
    parseEnvironment: (text: string) => Buffer | string = keyInText,
  ): z.ZodType<KeyObject, KeySource> =>
    SOURCE.transform(async (source, context): Promise<KeyObject> => {
      const bytes = await readSource(source, surroundings, parseEnvironment);
      const key = typeof bytes === "string" ? undefined : takeKey(bytes, parse);
      if (key !== undefined) return key;
      context.issues.push({
        code: "custom",
        input: null,
        message: typeof bytes === "string" ? bytes : `expected ${expected}`,
      });
      return z.NEVER;
    });
  return {
    secret: keyOf("a secret that is not empty", (bytes) => (bytes.length > 0 ? createSecretKey(bytes) : undefined)),
    secretText: keyOf("a secret that is not empty", secretText, (text) => Buffer.from(text, "utf8")),
    aesKey: keyOf(
      "an AES key of exactly 32 (or 16 or 24) bytes: as they are in a file, in base64 elsewhere",
      (bytes) => ([16, 24, 32].includes(bytes.length) ? createSecretKey(bytes) : undefined),
    ),
    rsaPrivateKey: keyOf(
      "an RSA private key of 2048 bits or more as PEM, DER or JWK, without a passphrase",
      privateKeyOf,
    ),
    rsaPublicKey: keyOf("an RSA public key (not a private one) of 2048 bits or more as PEM, DER or JWK", publicKeyOf),
  };
}

/** The key's bytes, or a sentence about why they cannot be read, which names neither the file nor its contents. */
async function readSource(
  source: KeySource,
  { folder, env }: KeySurroundings,
  parseEnvironment: (text: string) => Buffer | string,
): Promise<Buffer | string> {
  if ("base64" in source) return decodeBase64(source.base64) ?? "expected base64 text";
  if ("env" in source) {
    const text = env[source.env];
    if (text === undefined || text.trim() === "") return "the environment variable named here is not set";
    return parseEnvironment(text);
  }
  try {
    return await readFile(resolve(folder, source.file));
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return `the file named here ${missing ? "does not exist" : "cannot be read"}`;
  }
}

function keyInText(text: string): Buffer | string {
  const bare = text.trim();
  if (bare.startsWith("-----BEGIN ") || bare.startsWith("{")) return Buffer.from(bare, "utf8");
  return decodeBase64(bare) ?? "expected the environment variable named here to hold base64 or PEM text";
}

function secretText(bytes: Buffer): KeyObject | undefined {
  const end = bytes.at(-1) !== 0x0a ? bytes.length : bytes.at(-2) === 0x0d ? bytes.length - 2 : bytes.length - 1;
  return end > 0 ? createSecretKey(bytes.subarray(0, end)) : undefined;
}

function takeKey(bytes: Buffer, parse: (bytes: Buffer) => KeyObject | undefined): KeyObject | undefined {
  try {
    return parse(bytes);
  } catch {
    return undefined;
  } finally {
    bytes.fill(0);
  }
}

function decodeBase64(text: string): Buffer | undefined {
  const bare = text.replace(/\s/g, "");
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(bare)
    ? Buffer.from(bare, "base64")
    : undefined;
}

function privateKeyOf(bytes: Buffer): KeyObject | undefined {
  const key = firstOf(
    isPem(bytes)
      ? [() => createPrivateKey(bytes)]
      : isJwk(bytes)
        ? [() => createPrivateKey({ key: JSON.parse(bytes.toString("utf8")), format: "jwk" })]
        : [
            () => createPrivateKey({ key: bytes, format: "der", type: "pkcs8" }),
            () => createPrivateKey({ key: bytes, format: "der", type: "pkcs1" }),
          ],
  );
  return isStrongRsa(key) ? key : undefined;
}

function publicKeyOf(bytes: Buffer): KeyObject | undefined {
  // Node would quietly derive the public half.
  if (privateKeyOf(bytes) !== undefined || bytes.includes("PRIVATE KEY-----")) return undefined;
  const key = firstOf(
    isPem(bytes)
      ? [() => createPublicKey(bytes)]
      : isJwk(bytes)
        ? [() => createPublicKey({ key: JSON.parse(bytes.toString("utf8")), format: "jwk" })]
        : [
            () => createPublicKey({ key: bytes, format: "der", type: "spki" }),
            () => createPublicKey({ key: bytes, format: "der", type: "pkcs1" }),
          ],
  );
  return isStrongRsa(key) ? key : undefined;
}

/** As the keyrings want it; said here, it is said with the field. */
function isStrongRsa(key: KeyObject | undefined): boolean {
  return key?.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}

function firstOf(attempts: readonly (() => KeyObject)[]): KeyObject | undefined {
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch {
      // The next encoding may fit; that none did is what the caller reports.
    }
  }
  return undefined;
}

function isPem(bytes: Buffer): boolean {
  return bytes.includes("-----BEGIN ");
}

function isJwk(bytes: Buffer): boolean {
  return bytes.toString("utf8", 0, 64).trimStart().startsWith("{");
}
