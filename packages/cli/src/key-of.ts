import type { KeyQuestion } from "@s3ec/bulk";
import { kmsKeyArn, kmsKeyQuestion, rawKeyQuestion } from "@s3ec/bulk";
import { type Assembly, type CreateOptions, createFromConfig } from "@s3ec/container";
import { S3EncryptionError } from "@s3ec/materials";
import { kmsAt } from "./kms-at.js";
import { warn } from "./printing.js";

/** Which keys an audit asks about. */
export interface KeyOfOptions {
  readonly keyOf?: readonly string[];
  readonly keyOfUse?: readonly string[];
  readonly askKms?: boolean;
  readonly allowCommands?: boolean;
}

/** One configuration whose key is asked about. */
interface Named {
  readonly file: string;
  readonly use: string | undefined;
}

/** The question, and what it is about in words. */
export interface AskedKey {
  /** As it was asked for: the file, and which configuration of it. */
  readonly asked: string;
  readonly question: KeyQuestion;
  readonly name: string;
  readonly dispose: () => Promise<void>;
}

type Services = Pick<CreateOptions, "s3" | "kms">;

/**
 * The keys of configurations, each of which holds one. Throws `invalid-argument` for one that holds several, or a key that cannot be
 * asked about; `key-unavailable` where what an alias stands for may not be asked.
 */
export async function askedKeys(options: KeyOfOptions, services: Services): Promise<readonly AskedKey[]> {
  const keys: AskedKey[] = [];
  try {
    for (const named of namedBy(options)) keys.push(await askedKey(named, options, services));
    return keys;
  } catch (error) {
    for (const { dispose } of keys) await dispose();
    throw error;
  }
}

/** One file with a configuration for each name, or as many names as files. */
function namedBy({ keyOf: files = [], keyOfUse: uses = [] }: KeyOfOptions): readonly Named[] {
  const [only] = files;
  if (uses.length > 0 && files.length > 1 && uses.length !== files.length) {
    throw invalid("Say --key-of-use once for each --key-of, in their order, or for one file.");
  }
  const named =
    only !== undefined && files.length === 1 && uses.length > 0
      ? uses.map((use) => ({ file: only, use }))
      : files.map((file, index) => ({ file, use: uses[index] }));
  if (new Set(named.map(nameOf)).size < named.length) throw invalid("Ask about each key once.");
  return named;
}

function nameOf({ file, use }: Named): string {
  return use === undefined ? file : `${file}#${use}`;
}

async function askedKey(named: Named, options: KeyOfOptions, services: Services): Promise<AskedKey> {
  const { askKms = false, allowCommands = false } = options;
  const { file, use } = named;
  const loading = { ...services, ...(use === undefined ? {} : { use }), allowCommands, onWarning: warn };
  const assembly = await createFromConfig(file, loading);
  const { keyring: configured, kms } = assembly.configuration;
  const asked = nameOf(named);
  try {
    const fields = (configured ?? {}) as Readonly<Record<string, unknown>>;
    const { type, keyId, region, grantTokens } = fields;
    const others = ["decryptionKeys", "formerKeyIds", "children", "generator"].filter((name) => name in fields);
    if (others.length > 0) {
      throw invalid(
        `--key-of asks about one key: write a configuration that holds it alone, without ${others.join(", ")}.`,
      );
    }
    if (type === "kms" && typeof keyId === "string") {
      const client = kmsAt({ ...kms, ...services.kms }, keyId, region);
      const dispose = async (): Promise<void> => {
        client.destroy();
        await assembly.dispose();
      };
      try {
        const keyArn = await kmsKeyArn(client, keyId);
        const tokens = Array.isArray(grantTokens) ? { grantTokens: grantTokens as string[] } : {};
        const question = kmsKeyQuestion({ keyArn, ...(askKms ? { client, ...tokens } : {}) });
        return { asked, question, name: keyArn === keyId ? keyArn : `${keyId}, which is ${keyArn}`, dispose };
      } catch (error) {
        client.destroy();
        throw error;
      }
    }
    if (type === "raw-aes" || type === "raw-rsa")
      return { asked, ...rawKey(assembly, type, fields), dispose: () => assembly.dispose() };
    throw invalid(
      `--key-of asks about a key of KMS, AES or RSA; the keyring there is ${JSON.stringify(type ?? null)}.`,
    );
  } catch (error) {
    await assembly.dispose();
    throw error;
  }
}

function rawKey(
  { keyring }: Assembly,
  type: "raw-aes" | "raw-rsa",
  { materialDescription }: Readonly<Record<string, unknown>>,
): Pick<AskedKey, "question" | "name"> {
  const keyKind = type === "raw-aes" ? "aes" : "rsa";
  const described = materialDescription as Readonly<Record<string, string>> | undefined;
  const question = rawKeyQuestion({
    keyring,
    keyKind,
    ...(described === undefined ? {} : { materialDescription: described }),
  });
  const which = described === undefined ? "" : ` described as ${JSON.stringify(described)}`;
  return { question, name: `the ${keyKind.toUpperCase()} key${which}` };
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
