import type { KeyObject } from "node:crypto";
import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import { aesKeyIn } from "./aes-content.js";
import type { OpenableContent } from "./content.js";
import { KeyProblem } from "./key-problem.js";
import type { KeySource, Opening } from "./key-source.js";
import { withVersion } from "./key-version.js";
import { rsaPrivateKeyIn, rsaPublicKeyIn } from "./rsa-content.js";
import { secretIn, textIn } from "./secret-content.js";
import { assertSource, readContent, readPassphrase } from "./source-content.js";
import { emitWarning, type SourceOptions } from "./source-options.js";

/**
 * What is wanted: an RSA key of 2,048 bits or more, an AES key of 16, 24 or 32 bytes, any secret bytes, or text such as
 * a PIN, without the line break at its end.
 */
export type KeyType = "rsa-private" | "rsa-public" | "aes" | "secret" | "text";

/** What `loadKey` is to load, and with what. */
export interface LoadKeyOptions extends SourceOptions {
  /** What is wanted; anything else is refused. */
  readonly type: KeyType;
  /** Take RSA private keys of 1,024 bits or more, for a keyring that only reads with them. Default false. */
  readonly acceptWeak?: boolean;
}

const OPTIONS: OptionNames<LoadKeyOptions> = {
  type: true,
  folder: true,
  env: true,
  allowCommands: true,
  stdin: true,
  aws: true,
  onWarning: true,
  acceptWeak: true,
};

/**
 * Loads a key from where it is, in whatever form it is there.
 *
 * @throws S3EncryptionError `invalid-argument` with a sentence about what was found instead of such a key; nothing of a key or passphrase is
 * in it, nor in its cause.
 */
export async function loadKey(source: KeySource, options: LoadKeyOptions): Promise<KeyObject> {
  // What is left out oftenest is told with an example.
  const { type } = options ?? {};
  if (typeof type !== "string" || !Object.hasOwn(READERS, type)) {
    throw new S3EncryptionError(
      "invalid-argument",
      `Say what kind of key is wanted, as in loadKey(source, { type: "rsa-private" }): one of ${Object.keys(READERS).join(", ")}.`,
    );
  }
  assertKnownOptions(options, OPTIONS, "loadKey");
  const key = await readKey(source, options);
  if (typeof key !== "string") return key;
  throw new S3EncryptionError("invalid-argument", `The key cannot be loaded: ${key.replace(/\.$/, "")}.`);
}

/**
 * As `loadKey`, for callers with a sentence of their own: a problem is returned, as the end of that sentence.
 *
 * @throws what `onWarning` and `stdin` throw
 */
export async function readKey(source: KeySource, options: LoadKeyOptions): Promise<KeyObject | string> {
  const secrets: Buffer[] = [];
  const keep = (secret: Buffer | undefined): Buffer | undefined => {
    if (secret !== undefined) secrets.push(secret);
    return secret;
  };
  try {
    assertSource(source);
    assertOpening(source, options.type);
    const passphrase = keep(await readPassphrase(source.passphrase, options, "passphrase"));
    const keyPassphrase = keep(await readPassphrase(source.keyPassphrase, options, "keyPassphrase"));
    const content = await readContent(source, options, options.type === "rsa-public" ? "public key" : "key");
    keep(content.bytes);
    const key = await READERS[options.type](
      {
        ...content,
        ...(passphrase === undefined ? {} : { passphrase }),
        ...(keyPassphrase === undefined ? {} : { keyPassphrase }),
        alias: source.alias,
        encoding: source.encoding,
      },
      options,
    );
    return withVersion(key, content.version);
  } catch (error) {
    if (error instanceof KeyProblem) return error.message;
    throw error;
  } finally {
    for (const secret of secrets) secret.fill(0);
  }
}

/** What stands beside a source, and would be ignored for what is wanted. */
function assertOpening(source: KeySource, type: KeyType): void {
  const ignored = IGNORED[type].find((name) => source[name] !== undefined);
  if (ignored === undefined) return;
  const whose = ignored === "encoding" ? "an AES key" : "an RSA or AES key";
  throw new KeyProblem(`expected no ${ignored} here, which is of ${whose}`);
}

const IGNORED: Readonly<Record<KeyType, readonly (keyof Opening)[]>> = {
  "rsa-private": ["encoding"],
  "rsa-public": ["encoding"],
  aes: [],
  secret: ["passphrase", "keyPassphrase", "alias", "encoding"],
  text: ["passphrase", "keyPassphrase", "alias", "encoding"],
};

type Reader = (content: OpenableContent, options: LoadKeyOptions) => KeyObject | Promise<KeyObject>;

const READERS: Readonly<Record<KeyType, Reader>> = {
  "rsa-private": (content, { acceptWeak = false }) => rsaPrivateKeyIn(content, acceptWeak ? 1024 : 2048),
  "rsa-public": (content, options) => rsaPublicKeyIn(content, warn(options)),
  aes: aesKeyIn,
  secret: secretIn,
  text: textIn,
};

function warn({ onWarning }: SourceOptions): (sentence: string) => void {
  return onWarning ?? emitWarning;
}
