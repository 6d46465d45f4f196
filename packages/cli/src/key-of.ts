import { DescribeKeyCommand, KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";
import { type KeyQuestion, kmsKeyQuestion, rawKeyQuestion } from "@s3ec/bulk";
import { type Assembly, type CreateOptions, createFromConfig } from "@s3ec/container";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { warn } from "./printing.js";

/** Which key an audit asks about. */
export interface KeyOfOptions {
  readonly keyOf: string;
  readonly keyOfUse?: string;
  readonly askKms?: boolean;
  readonly allowCommands?: boolean;
}

/** The question, and what it is about in words. */
export interface AskedKey {
  readonly question: KeyQuestion;
  readonly name: string;
  readonly dispose: () => Promise<void>;
}

/**
 * The one key of a configuration. Throws `invalid-argument` for one that holds several, or a key that cannot be asked about;
 * `key-unavailable` where what an alias stands for may not be asked.
 */
export async function askedKey(options: KeyOfOptions, services: Pick<CreateOptions, "s3" | "kms">): Promise<AskedKey> {
  const { keyOf, keyOfUse: use, allowCommands = false } = options;
  const assembly = await createFromConfig(keyOf, {
    ...services,
    ...(use === undefined ? {} : { use }),
    allowCommands,
    onWarning: warn,
  });
  const { keyring: configured, kms } = assembly.configuration;
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
      const ofArn = /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1];
      const where = typeof region === "string" ? region : ofArn;
      const settings = { ...kms, ...services.kms, ...(where === undefined ? {} : { region: where }) };
      const asking = new KMSClient(settings as KMSClientConfig);
      const dispose = async (): Promise<void> => {
        asking.destroy();
        await assembly.dispose();
      };
      const asked = await kmsKey(keyId, asking, options, grantTokens).catch((error: unknown) => {
        asking.destroy();
        throw error;
      });
      return { ...asked, dispose };
    }
    if (type === "raw-aes" || type === "raw-rsa")
      return { ...rawKey(assembly, type, fields), dispose: () => assembly.dispose() };
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

async function kmsKey(
  keyId: string,
  client: KMSClient,
  { askKms = false }: KeyOfOptions,
  grantTokens: unknown,
): Promise<Pick<AskedKey, "question" | "name">> {
  const keyArn = /^arn:[^:]+:kms:[^:]+:\d+:key\//.test(keyId) ? keyId : await arnOf(client, keyId);
  const tokens = Array.isArray(grantTokens) ? { grantTokens: grantTokens as string[] } : {};
  const question = kmsKeyQuestion({ keyArn, ...(askKms ? { client, ...tokens } : {}) });
  return { question, name: keyArn === keyId ? keyArn : `${keyId}, which is ${keyArn}` };
}

/** What an alias stands for now: it may stand for another key tomorrow. */
async function arnOf(client: KMSClient, keyId: string): Promise<string> {
  try {
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: keyId }));
    if (KeyMetadata?.Arn !== undefined) return KeyMetadata.Arn;
  } catch (error) {
    if (!isError(error) || !["AccessDeniedException", "NotFoundException"].includes(error.name)) throw error;
  }
  throw new S3EncryptionError(
    "key-unavailable",
    `KMS does not say which key ${keyId} is: allow kms:DescribeKey on it, or name the key by its ARN.`,
  );
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
