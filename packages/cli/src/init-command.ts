import { dirname, extname, join, relative, resolve } from "node:path";
import { configurationJsonSchema, createFromConfig } from "@s3ec/container";
import { S3EncryptionError } from "@s3ec/materials";
import { KEY_KINDS } from "./command-options.js";
import { type DevServerAddress, devServerOption } from "./dev-server-address.js";
import type { Answer } from "./json/json-output.js";
import type { Pkcs11KeygenOptions } from "./keygen-pkcs11.js";
import { assertNew, exists, writeNew } from "./new-file.js";
import type { Ask } from "./terminal-questions.js";

export interface InitOptions extends Partial<Pkcs11KeygenOptions> {
  readonly keyring?: string;
  readonly key?: string;
  /** The file of an RSA key that opens the objects, too; its public half is enough. */
  readonly escrow?: string;
  readonly create?: boolean;
  readonly region?: string;
  readonly legacy?: boolean;
  readonly passphraseEnv?: string;
  readonly devServer?: DevServerAddress;
}

const SCHEMA = "s3ec.schema.json";
const ESCROW_SUFFIX = ".escrow";

/** A keyring for the configuration, and what was done for it. */
interface Chosen {
  readonly keyring: object;
  readonly done: readonly string[];
  /** What to know about this key. */
  readonly notes?: readonly string[];
}

/** Writes a new configuration that was checked, and says what to do next. */
export async function initCommand(file: string, options: InitOptions, ask: Ask | undefined): Promise<Answer> {
  const format = extname(file);
  if (![".json", ".yaml", ".yml"].includes(format)) {
    throw wrong("Name the configuration with .json, .yaml or .yml at its end.");
  }
  await assertNew(file);
  const questions = new Questions(ask);
  const kind = await questions.choice(
    options.keyring,
    "What wraps the data keys: kms, aes, rsa or pkcs11",
    KEY_KINDS,
    "kms",
  );
  const escrow = await questions.text(
    options.escrow,
    "File with the public half of an RSA key that opens the objects, too, such as an escrow's (empty: none)",
    "",
  );
  if (escrow !== "" && !(await exists(escrow))) {
    throw wrong(`There is no ${escrow}: s3ec keygen rsa KEY --public ${escrow} makes one.`);
  }
  const { keyring: first, done, notes = [] } = await chosen(kind, file, options, questions);
  const keyring = escrow === "" ? first : await withEscrow(first, escrow, file);
  const region = await questions.text(
    options.region,
    "Region of the bucket (empty: as AWS_REGION or the profile says)",
    "",
  );
  const legacy = await questions.yes(options.legacy, "Read objects that clients before key commitment wrote");
  const configuration = {
    keyring,
    ...(legacy
      ? { client: { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT", enableLegacyWrappingAlgorithms: true } }
      : {}),
    ...(region === "" ? {} : { s3: { region }, ...(kind === "kms" ? { kms: { region } } : {}) }),
  };
  // Opens a token, too, which may not have the key that is named.
  const assembly = await createFromConfig(configuration, { folder: dirname(resolve(file)), onWarning: () => {} });
  await assembly.dispose();
  const server = options.devServer === undefined ? "" : devServerOption(options.devServer);
  const text = format === ".json" ? jsonText(configuration) : await yamlText(configuration);
  await writeNew(file, text, 0o644);
  const hasSchema = await addSchema(file);
  // What is called so is taken without being named.
  const [checked, config] = file === "s3ec.config.json" ? ["", ""] : [` ${file}`, ` --config ${file}`];
  const next = [
    `s3ec config check${checked} --live s3://BUCKET/${server}`,
    `s3ec put FILE s3://BUCKET/KEY${config}${server}`,
  ];
  const words = [
    ...done,
    `Wrote ${file}${hasSchema ? ` and ${SCHEMA}, which tells editors its fields` : ""}.`,
    ...notes,
    "",
    "Next:",
    ...next.map((line) => `  ${line}`),
    ...(escrow === ""
      ? []
      : [
          "Where the private half is:",
          `  s3ec get s3://BUCKET/KEY FILE --suffix ${ESCROW_SUFFIX} --config ITS-CONFIGURATION${server}`,
        ]),
  ];
  const schemaFile = hasSchema ? join(dirname(file), SCHEMA) : null;
  return { words: words.join("\n"), json: { file, schemaFile, configuration, done, notes, next } };
}

/** One key makes the data keys, and both open them. */
async function withEscrow(generator: object, escrow: string, configuration: string): Promise<object> {
  const { descriptionOf } = await import("./keygen-command.js");
  const publicKey = sourceOf(escrow, configuration);
  const keyring = { type: "raw-rsa", publicKey, materialDescription: descriptionOf(escrow) };
  return { type: "multi", generator, children: [{ keyring, instructionFileSuffix: ESCROW_SUFFIX }] };
}

/** A file as it is seen from the configuration. */
function sourceOf(path: string, configuration: string): { readonly file: string } {
  return { file: relative(dirname(resolve(configuration)), resolve(path)) };
}

async function chosen(kind: string, file: string, options: InitOptions, questions: Questions): Promise<Chosen> {
  switch (kind) {
    case "kms":
      return await kmsKey(options, questions);
    case "pkcs11":
      return await tokenKey(options, questions);
    case "aes":
    case "rsa":
      return await fileKey(kind, file, options, questions);
    default:
      throw wrong(`--keyring is one of ${KEY_KINDS.join(", ")}.`);
  }
}

async function kmsKey(options: InitOptions, questions: Questions): Promise<Chosen> {
  const keyId = await questions.text(options.key, "KMS key: id, ARN or alias", "alias/app");
  const keyring = { type: "kms", keyId };
  const notes = keyId.includes("alias/")
    ? [
        `${keyId} is an alias, a name that can be pointed to another key: objects of the key before then open only with that one in formerKeyIds. The key's ARN names it for good.`,
      ]
    : [];
  if (!(await questions.yes(options.create, "Make this key now"))) return { keyring, done: [], notes };
  if (!keyId.startsWith("alias/"))
    throw wrong("Only a key under an alias can be made: write --key alias/app, for example.");
  const { createKmsKey } = await import("./keygen-kms.js");
  return { keyring, done: [`Made the KMS key ${await createKmsKey(keyId, options)} under ${keyId}.`], notes };
}

async function fileKey(
  kind: "aes" | "rsa",
  configuration: string,
  options: InitOptions,
  questions: Questions,
): Promise<Chosen> {
  const path = await questions.text(
    options.key,
    "File of the key; made where there is none",
    kind === "aes" ? "s3ec.key" : "s3ec.pem",
  );
  const { passphraseEnv } = options;
  const { descriptionOf, keygenAes, keygenRsa } = await import("./keygen-command.js");
  const isThere = await exists(path);
  if (!isThere)
    await (kind === "aes"
      ? keygenAes(path, {})
      : keygenRsa(path, passphraseEnv === undefined ? {} : { passphraseEnv }));
  const source = {
    ...sourceOf(path, configuration),
    ...(passphraseEnv === undefined ? {} : { passphrase: { env: passphraseEnv } }),
  };
  const materialDescription = descriptionOf(path);
  const keyring =
    kind === "aes"
      ? { type: "raw-aes", wrappingKey: source, materialDescription }
      : { type: "raw-rsa", privateKey: source, materialDescription };
  const name = kind.toUpperCase();
  return {
    keyring,
    done: [
      isThere ? `Took the ${name} key ${path}.` : `Made the ${name} key ${path}, which only you can read: keep a copy.`,
    ],
  };
}

async function tokenKey(options: InitOptions, questions: Questions): Promise<Chosen> {
  const module = await questions.text(options.module, "PKCS#11 library of the token's maker (--module)");
  const tokenLabel = await questions.text(options.tokenLabel, "Label of the token (--token-label)");
  const label = await questions.text(options.key, "Label of the key", "s3ec");
  const pinEnv = await questions.text(options.pinEnv, "Environment variable with the PIN", "TOKEN_PIN");
  const { keyType } = options;
  const token = { module, tokenLabel, pinEnv, ...(keyType === undefined ? {} : { keyType }) };
  const { createPkcs11Key, pkcs11Keyring } = await import("./keygen-pkcs11.js");
  const keyring = pkcs11Keyring(label, token);
  if (!(await questions.yes(options.create, "Make this key now"))) return { keyring, done: [] };
  await createPkcs11Key(label, token);
  return { keyring, done: [`Made the key ${label} in the token ${tokenLabel}.`] };
}

/** An option answers its question; what is asked nowhere has its default. */
class Questions {
  readonly #ask: Ask | undefined;

  constructor(ask: Ask | undefined) {
    this.#ask = ask;
  }

  async text(given: string | undefined, question: string, byDefault?: string): Promise<string> {
    const answer = given ?? (await this.#ask?.(question, byDefault ?? "")) ?? byDefault;
    if (answer !== undefined && (answer !== "" || byDefault === "")) return answer;
    throw wrong(`An answer is missing: ${question}.`);
  }

  async choice(
    given: string | undefined,
    question: string,
    known: readonly string[],
    byDefault: string,
  ): Promise<string> {
    if (given === undefined && this.#ask === undefined) {
      throw wrong(`There is no terminal to ask at: say --keyring with one of ${known.join(", ")}.`);
    }
    return await this.text(given, question, byDefault);
  }

  async yes(given: boolean | undefined, question: string): Promise<boolean> {
    if (given !== undefined || this.#ask === undefined) return given === true;
    return /^y(?:es)?$/i.test(await this.#ask(`${question}? y or n`, "n"));
  }
}

function jsonText(configuration: object): string {
  return `${JSON.stringify({ $schema: `./${SCHEMA}`, ...configuration }, null, 2)}\n`;
}

async function yamlText(configuration: object): Promise<string> {
  const { stringify } = await import("yaml");
  return [
    `# yaml-language-server: $schema=./${SCHEMA}`,
    "# Which keys objects are encrypted with, and how S3 is reached. s3ec config check FILE says what it means.",
    stringify(configuration),
  ].join("\n");
}

/** Beside the configuration; one that is there serves as well. */
async function addSchema(file: string): Promise<boolean> {
  const schema = join(dirname(file), SCHEMA);
  if (await exists(schema)) return false;
  await writeNew(schema, `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`, 0o644);
  return true;
}

function wrong(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
