import { createSecretKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { z } from "zod";
import { rsaPrivateKeyOf, rsaPublicKeyOf } from "./rsa-key-bytes.js";

/** Where a key is: a file (relative to the configuration file), an environment variable, or the file itself. */
export type KeySource =
  | {
      /** A path; a relative one starts from the configuration's folder. */
      readonly file: string;
    }
  | {
      /** The name of an environment variable. */
      readonly env: string;
    }
  | {
      /** The content itself. */
      readonly base64: string;
    };

/** Where an AES key is, and how its content stands for it, where that could be read in more than one way. */
export type AesKeySource = KeySource & {
  /** Default: bytes in a file, base64 elsewhere, where the content cannot be read in another way. */
  readonly encoding?: "bytes" | "hex" | "base64";
};

/** Where a private key is, and its passphrase where it is encrypted. */
export type PrivateKeySource = KeySource & {
  /** Default: none; an encrypted key is then refused. */
  readonly passphrase?: PassphraseSource;
};

/** Where the passphrase of an encrypted key is: text as it is, of a file without the line break at its end. */
export type PassphraseSource =
  | {
      /** A path; a relative one starts from the configuration's folder. */
      readonly file: string;
    }
  | {
      /** The name of an environment variable. */
      readonly env: string;
    };

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
  /** 16, 24 or 32 bytes: as they are in a file, in base64 elsewhere, or in the encoding that is said. */
  readonly aesKey: z.ZodType<KeyObject, AesKeySource>;
  /** 2048 bits or more, as PEM, DER or JWK; an encrypted one with its passphrase. */
  readonly rsaPrivateKey: z.ZodType<KeyObject, PrivateKeySource>;
  /** The same from 1024 bits on, for a keyring that judges itself what weak keys may do. */
  readonly weakRsaPrivateKey: z.ZodType<KeyObject, PrivateKeySource>;
  /** 2048 bits or more, as PEM, DER or JWK; a private key is refused, because it would lie where only its public half is needed. */
  readonly rsaPublicKey: z.ZodType<KeyObject, KeySource>;
}

const FILE = z.strictObject({ file: z.string().min(1) });
const ENV = z.strictObject({ env: z.string().min(1) });
const BASE64 = z.strictObject({ base64: z.string().min(1) });
const ONE_OF = { error: 'expected one of { "file": path }, { "env": name } and { "base64": text }' };

const SOURCE = z
  .union([FILE, ENV, BASE64], ONE_OF)
  .describe("Where a key is: a file (relative to this one), an environment variable, or base64 text.");

const ENCODING = z
  .enum(["bytes", "hex", "base64"])
  .describe("How the content stands for the key. Default: bytes in a file, base64 in a variable, if nothing else fits.")
  .exactOptional();

const AES_SOURCE = z
  .union(
    [FILE.extend({ encoding: ENCODING }), ENV.extend({ encoding: ENCODING }), BASE64.extend({ encoding: ENCODING })],
    { error: `${ONE_OF.error}, with "encoding" where it could be read in more than one way` },
  )
  .describe("Where an AES key is: a file (relative to this one), an environment variable, or base64 text.");

const PASSPHRASE = z
  .union([FILE, ENV], { error: 'expected { "file": path } or { "env": name }' })
  .describe("Where the passphrase of an encrypted key is.")
  .exactOptional();

const PRIVATE_SOURCE = z
  .union(
    [
      FILE.extend({ passphrase: PASSPHRASE }),
      ENV.extend({ passphrase: PASSPHRASE }),
      BASE64.extend({ passphrase: PASSPHRASE }),
    ],
    { error: `${ONE_OF.error}, with a "passphrase" (a file or env, too) where it is encrypted` },
  )
  .describe("Where a private key is: a file (relative to this one), an environment variable, or base64 text.");

/** The key, or the end of a sentence about what the bytes are instead. */
type Parse<Source> = (
  bytes: Buffer,
  passphrase: Buffer | undefined,
  source: Source,
) => KeyObject | string | Promise<KeyObject | string>;

export function keySchemas(surroundings: KeySurroundings): KeySchemas {
  const load = async <Source extends PrivateKeySource>(
    source: Source,
    parse: Parse<Source>,
    parseEnvironment: (text: string) => Buffer | string,
  ): Promise<KeyObject | string> => {
    const passphrase = await readPassphrase(source.passphrase, surroundings);
    if (typeof passphrase === "string") return passphrase;
    const bytes = await readSource(source, surroundings, parseEnvironment);
    if (typeof bytes === "string") return bytes;
    try {
      return await parse(bytes, passphrase, source);
    } finally {
      bytes.fill(0);
      passphrase?.fill(0);
    }
  };
  const keyOf = <Source extends PrivateKeySource>(
    schema: z.ZodType<Source>,
    parse: Parse<Source>,
    parseEnvironment: (text: string) => Buffer | string = keyInText,
  ): z.ZodType<KeyObject, Source> =>
    schema.transform(async (source, context): Promise<KeyObject> => {
      const key = await load(source, parse, parseEnvironment);
      if (typeof key !== "string") return key;
      context.issues.push({ code: "custom", input: null, message: key });
      return z.NEVER;
    }) as z.ZodType<KeyObject, Source>;
  return {
    secret: keyOf(SOURCE, (bytes) => (bytes.length > 0 ? createSecretKey(bytes) : EMPTY)),
    secretText: keyOf(SOURCE, secretText, asItIs),
    aesKey: keyOf(AES_SOURCE, (bytes, _passphrase, source) => aesKeyOf(bytes, source), asItIs),
    rsaPrivateKey: keyOf(PRIVATE_SOURCE, (bytes, passphrase) => rsaPrivateKeyOf(bytes, passphrase, 2048)),
    weakRsaPrivateKey: keyOf(PRIVATE_SOURCE, (bytes, passphrase) => rsaPrivateKeyOf(bytes, passphrase, 1024)),
    rsaPublicKey: keyOf(SOURCE, (bytes) => rsaPublicKeyOf(bytes)),
  };
}

function asItIs(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

/** Loaded for this, so that a configuration without AES keys does not need it. */
async function aesKeyOf(content: Buffer, source: AesKeySource): Promise<KeyObject | string> {
  const { readAesKey } = await import("@s3ec/keyring-raw-aes");
  const { encoding } = source;
  try {
    // In this file it is in base64 by its name, and hex text would be taken for that, too.
    if ("base64" in source && encoding === undefined) return readAesKey(source.base64, undefined, ["base64", "hex"]);
    if ("env" in source) return readAesKey(withoutLineBreak(content), encoding, ["base64", "hex", "bytes"]);
    return readAesKey(content, encoding);
  } catch (error) {
    if (error instanceof S3EncryptionError) return error.message;
    throw error;
  }
}

const EMPTY = "expected a secret that is not empty";

async function readPassphrase(
  source: PassphraseSource | undefined,
  surroundings: KeySurroundings,
): Promise<Buffer | string | undefined> {
  if (source === undefined) return undefined;
  const bytes = await readSource(source, surroundings, (text) => Buffer.from(text, "utf8"));
  return typeof bytes === "string" ? `passphrase: ${bytes}` : withoutLineBreak(bytes);
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
    const missing = isError(error) && error.code === "ENOENT";
    return `the file named here ${missing ? "does not exist" : "cannot be read"}`;
  }
}

function keyInText(text: string): Buffer | string {
  const bare = text.trim();
  if (bare.startsWith("-----BEGIN ") || bare.startsWith("{")) return Buffer.from(bare, "utf8");
  return decodeBase64(bare) ?? "expected the environment variable named here to hold base64 or PEM text";
}

function secretText(bytes: Buffer): KeyObject | string {
  const text = withoutLineBreak(bytes);
  return text.length > 0 ? createSecretKey(text) : EMPTY;
}

function withoutLineBreak(bytes: Buffer): Buffer {
  const end = bytes.at(-1) !== 0x0a ? bytes.length : bytes.at(-2) === 0x0d ? bytes.length - 2 : bytes.length - 1;
  return bytes.subarray(0, end);
}

function decodeBase64(text: string): Buffer | undefined {
  const bare = text.replace(/\s/g, "");
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(bare)
    ? Buffer.from(bare, "base64")
    : undefined;
}
