import { KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";
import { type KeyQuestion, kmsKeyQuestion, rawKeyQuestion } from "@s3ec/bulk";
import type { S3EncryptionClient } from "@s3ec/client";
import {
  type ClientOptions,
  type Configuration,
  type CreateOptions,
  createFromConfig,
  readConfigurationAsIs,
} from "@s3ec/container";
import type { StringMap } from "@s3ec/materials";
import type { ConfigurationSource } from "./configuration-source.js";
import { watch } from "./trouble.js";

type Fields = Readonly<Record<string, unknown>>;

/** One wrapping key of a configuration, without any other. */
export interface OneKey {
  /** Whether a wrapped key is one of it. */
  readonly question: KeyQuestion;
  /** A client that opens objects with this key alone, and gives nothing out before its caller reads. */
  readonly client: S3EncryptionClient;
  readonly kind: "kms" | "raw";
  /** Of a KMS key: as the configuration names it. */
  readonly keyId?: string;
  readonly dispose: () => Promise<void>;
}

/**
 * How a configuration has objects read that can be re-wrapped, all of the S3 formats: under whichever key they are, they stand as
 * its writers wrote them.
 */
export function readingOf({ client = {} }: Configuration): ClientOptions {
  const { formats, ...own } = client;
  const { type: _, ...ofFormat } = formats?.find(({ type }) => type === "s3") ?? { type: "s3" };
  return { ...own, ...(ofFormat as ClientOptions) };
}

/**
 * The key that a configuration wraps with: of a hierarchy its generator, without the keys that it only reads with. Undefined where
 * that is not one key of KMS, RSA or AES, such as with rules that choose keyrings by object.
 *
 * @param options whose `client` says how objects are read, whatever the configuration says
 * @param asksKms whether KMS is asked about each wrap; a raw key is always tried
 */
export async function wrappingKeyOf(
  source: ConfigurationSource,
  options: CreateOptions,
  asksKms = true,
): Promise<OneKey | undefined> {
  const { use, env } = options;
  const whole = (await readConfigurationAsIs(source, {
    ...(use === undefined ? {} : { use }),
    ...(env === undefined ? {} : { env }),
  })) as Fields;
  const keyring = wrappingPart(whole.keyring);
  if (keyring === undefined || choosesByObject(whole.materialsManager)) return undefined;
  const { materialsManager: _manager, client: _client, ...others } = whole;
  const { use: _use, ...loading } = options;
  const assembly = await createFromConfig(
    { ...others, keyring },
    { ...loading, client: { ...options.client, enableDelayedAuthenticationMode: true } },
  );
  const dispose = async (): Promise<void> => assembly.dispose();
  const client = assembly.client;
  watch(client);
  if (keyring.type !== "kms") {
    const keyKind = keyring.type === "raw-aes" ? "aes" : "rsa";
    const materialDescription = (keyring.materialDescription ?? {}) as StringMap;
    const question = rawKeyQuestion({ keyring: assembly.keyring, keyKind, materialDescription });
    return { question, client, kind: "raw", dispose };
  }
  const { keyId, region, grantTokens } = keyring as { keyId: string; region?: string; grantTokens?: string[] };
  const where = region ?? /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1];
  const settings = { ...assembly.configuration.kms, ...options.kms, ...(where === undefined ? {} : { region: where }) };
  const asking = watch(new KMSClient(settings as KMSClientConfig));
  const question = kmsKeyQuestion({
    keyArn: keyId,
    ...(asksKms ? { client: asking } : {}),
    ...(grantTokens === undefined ? {} : { grantTokens }),
  });
  return {
    question,
    client,
    kind: "kms",
    keyId,
    dispose: async () => {
      asking.destroy();
      await assembly.dispose();
    },
  };
}

const READ_ONLY: readonly string[] = ["decryptionKeys", "formerKeyIds"];

function wrappingPart(keyring: unknown): Fields | undefined {
  if (typeof keyring !== "object" || keyring === null) return undefined;
  const fields = keyring as Fields;
  if (fields.type === "multi") return wrappingPart(fields.generator);
  if (!["kms", "raw-aes", "raw-rsa"].includes(String(fields.type))) return undefined;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !READ_ONLY.includes(name)));
}

function choosesByObject(manager: unknown): boolean {
  for (let each = manager; typeof each === "object" && each !== null; each = Reflect.get(each, "manager")) {
    if (Reflect.get(each, "type") === "by-object") return true;
  }
  return false;
}
