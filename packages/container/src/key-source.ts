import type { KeyObject } from "node:crypto";
import type { ContentSource, KeyType, LoadKeyOptions, Opening, SourceOptions } from "@s3ec/key-source";
import { z } from "zod";
import { KEY_ALIASES, KEY_VERSIONS } from "./key-origins.js";

/** Where a key is in a configuration, and how it is opened; what `loadKey` of `@s3ec/key-source` takes, but for `bytes`. */
export type ConfiguredKey = ContentSource & Opening;

/** Fields that hold keys. Each is read and checked while the configuration is validated, so that errors name the field. */
export interface KeySchemas {
  /** Any secret bytes, as a `KeyObject` so that they are never printed: a token, a key of another kind. */
  readonly secret: z.ZodType<KeyObject, ContentSource>;
  /**
   * A PIN or a password: UTF-8 text as a `KeyObject`. In the environment it stands as it is, not encoded; of a file the
   * line break at its end is left out.
   */
  readonly secretText: z.ZodType<KeyObject, ContentSource>;
  /** 16, 24 or 32 bytes: as they are in a file, in base64 elsewhere, or in the encoding that is said; JWK; of a PKCS#12 store. */
  readonly aesKey: z.ZodType<KeyObject, ConfiguredKey>;
  /** 2048 bits or more, as PEM, DER, JWK, OpenSSH key or in a keystore; an encrypted one with its passphrase. */
  readonly rsaPrivateKey: z.ZodType<KeyObject, ConfiguredKey>;
  /** The same from 1024 bits on, for a keyring that judges itself what weak keys may do. */
  readonly weakRsaPrivateKey: z.ZodType<KeyObject, ConfiguredKey>;
  /**
   * 2048 bits or more, as PEM, DER, JWK or of a certificate, also in a keystore; a private key alone is refused, because
   * it would lie where only its public half is needed.
   */
  readonly rsaPublicKey: z.ZodType<KeyObject, ConfiguredKey>;
}

const TEXT = z.string().min(1);
const REGION = TEXT.describe("Default: of the ARN, then what the AWS SDK finds.").exactOptional();
const FILE = z.strictObject({ file: TEXT });
const ENV = z.strictObject({ env: TEXT });
const BASE64 = z.strictObject({ base64: TEXT });
const STDIN = z.strictObject({ stdin: z.literal(true) });
const COMMAND = z.strictObject({
  command: z.array(z.string()).min(1).describe("The program and its arguments; run only where the caller allows it."),
  timeoutMs: z.int().positive().max(600_000).describe("Default 30000.").exactOptional(),
});
const KEYCHAIN = z.strictObject({
  keychain: TEXT.describe("The service of an entry of the operating system's keychain."),
  account: TEXT.describe("Whose entry of that service."),
});
const SECRET = z.strictObject({
  secretsManager: TEXT.describe("Name or ARN of a secret of AWS Secrets Manager."),
  version: TEXT.describe("The id of one version. Default: the current one.").exactOptional(),
  field: TEXT.describe("The field of it, where it is a JSON object.").exactOptional(),
  region: REGION,
});
const PARAMETER = z.strictObject({
  parameterStore: TEXT.describe("Name, path or ARN of a parameter of SSM Parameter Store."),
  version: z.int().positive().describe("The number of one version. Default: the latest.").exactOptional(),
  region: REGION,
});

const WHERE =
  'expected one of { "file": path }, { "env": name }, { "base64": text }, { "stdin": true }, { "command": [program, ...] }, { "keychain": service, "account": name }, { "secretsManager": name } and { "parameterStore": name }';

const PASSPHRASE = z
  .union([FILE, ENV, STDIN, COMMAND, KEYCHAIN, SECRET, PARAMETER], { error: WHERE })
  .describe("Where the passphrase is.")
  .exactOptional();

const OPENING = {
  passphrase: PASSPHRASE.describe("Where the passphrase of an encrypted key or of a keystore is."),
  keyPassphrase: PASSPHRASE.describe("The passphrase of one key in a keystore, where it has its own."),
  alias: TEXT.describe("Which entry of a keystore; not needed where only one fits.").exactOptional(),
  encoding: z
    .enum(["bytes", "hex", "base64"])
    .describe(
      "How the content stands for an AES key. Default: bytes in a file, base64 in a variable, if nothing else fits.",
    )
    .exactOptional(),
};

const SOURCE = z
  .union([FILE, ENV, BASE64, STDIN, COMMAND, KEYCHAIN, SECRET, PARAMETER], { error: WHERE })
  .describe("Where a secret is.");

const WHERE_PASSPHRASE = WHERE.replace(', { "base64": text }', "");

/** What is wrong with a passphrase, which the union of all sources would not tell. */
function passphraseProblem(input: unknown): string | undefined {
  for (const name of ["passphrase", "keyPassphrase"]) {
    const passphrase: unknown = typeof input === "object" && input !== null ? Reflect.get(input, name) : undefined;
    if (passphrase === undefined || PASSPHRASE.safeParse(passphrase).success) continue;
    const notHere = typeof passphrase === "string" ? " is never written here, but where it is" : "";
    return `its ${name}${notHere}: ${WHERE_PASSPHRASE}`;
  }
  return undefined;
}

function openable(opening: readonly (keyof typeof OPENING)[], hint: string): z.ZodType<ConfiguredKey> {
  const fields = Object.fromEntries(opening.map((name) => [name, OPENING[name]]));
  const union = z.union(
    [
      FILE.extend(fields),
      ENV.extend(fields),
      BASE64.extend(fields),
      STDIN.extend(fields),
      COMMAND.extend(fields),
      KEYCHAIN.extend(fields),
      SECRET.extend(fields),
      PARAMETER.extend(fields),
    ],
    { error: ({ input }) => passphraseProblem(input) ?? `${WHERE}, with ${hint}` },
  );
  return union.describe("Where a key is.") as unknown as z.ZodType<ConfiguredKey>;
}

const STORE = ["passphrase", "keyPassphrase", "alias"] as const;
const AES_SOURCE = openable(
  ["encoding", ...STORE],
  '"encoding" where it could be read in more than one way; a keystore has a "passphrase" and an "alias"',
);
const RSA_SOURCE = openable(
  STORE,
  'a "passphrase" (such a place itself) where it is encrypted; a keystore has an "alias", too',
);

export function keySchemas(surroundings: SourceOptions): KeySchemas {
  const keyOf = <Source extends ConfiguredKey>(
    schema: z.ZodType<Source>,
    type: KeyType,
    options: Pick<LoadKeyOptions, "acceptWeak"> = {},
  ): z.ZodType<KeyObject, Source> =>
    schema.transform(async (source, context): Promise<KeyObject> => {
      // Loaded for this, so that a configuration without keys of its own does not need it.
      const { aliasOf, readKey, versionOf } = await import("@s3ec/key-source");
      const key = await readKey(source, { ...surroundings, ...options, type });
      if (typeof key !== "string") {
        const alias = aliasOf(key);
        if (alias !== undefined) KEY_ALIASES.set(key, alias);
        const version = versionOf(key);
        if (version !== undefined) KEY_VERSIONS.set(key, version);
        return key;
      }
      context.issues.push({ code: "custom", input: null, message: key });
      return z.NEVER;
    }) as z.ZodType<KeyObject, Source>;
  return {
    secret: keyOf(SOURCE, "secret"),
    secretText: keyOf(SOURCE, "text"),
    aesKey: keyOf(AES_SOURCE, "aes"),
    rsaPrivateKey: keyOf(RSA_SOURCE, "rsa-private"),
    weakRsaPrivateKey: keyOf(RSA_SOURCE, "rsa-private", { acceptWeak: true }),
    rsaPublicKey: keyOf(RSA_SOURCE, "rsa-public"),
  };
}
