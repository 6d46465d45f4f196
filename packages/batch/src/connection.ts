import { S3Client } from "@aws-sdk/client-s3";
import { isKmsKeyArn } from "@s3ec/bulk";
import { type Assembly, type CreateOptions, createFromConfig } from "@s3ec/container";
import type { AwsSettings } from "@s3ec/key-source";
import { S3EncryptionError, type WrapAlgorithm } from "@s3ec/materials";
import { type ConfigurationSource, codeFolder, configurationAt } from "./configuration-source.js";
import { type OneKey, readingOf, wrappingKeyOf } from "./one-key.js";
import type { Environment, Settings } from "./settings.js";
import { watch } from "./trouble.js";

/** Settings that no environment can hold, such as a request handler. */
export interface BatchServices extends Pick<CreateOptions, "s3" | "kms" | "plugins"> {
  /** Of the clients of Parameter Store and Secrets Manager. Default: the SDK's own. */
  readonly aws?: AwsSettings;
}

/** What the objects of a job are read, written and asked with. */
export interface Connection {
  /** One that encrypts, with the keys of `S3EC_CONFIG`; for audits a plain one will do. */
  readonly client: S3Client;
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  /** The type of format that the client writes. */
  readonly writes: string;
  /** Of `S3EC_TO_CONFIG`: what wraps from now on. */
  readonly to: Pick<Assembly, "materialsManager" | "configuration"> | undefined;
  /** The one key that wraps from now on, where it is one. */
  readonly target: OneKey | undefined;
  /** Of `S3EC_KEY_OF_CONFIG`: the key that an audit asks about. */
  readonly keyOf: OneKey | undefined;
  readonly dispose: () => Promise<void>;
}

const NOTHING = { writes: "s3", to: undefined, target: undefined, keyOf: undefined } as const;

/**
 * Reads the configurations that the environment names.
 *
 * @throws S3EncryptionError `invalid-configuration`, `invalid-argument`, `key-unavailable`
 */
export async function connect(settings: Settings, env: Environment, services: BatchServices): Promise<Connection> {
  const { aws, ...overrides } = services;
  const folder = codeFolder(env);
  const opened: (() => Promise<void>)[] = [];
  const at = async (variable: string): Promise<ConfigurationSource | undefined> => {
    const place = env[variable];
    return place === undefined || place === "" ? undefined : await configurationAt(place, variable, folder, aws);
  };
  const loading = (use: string | undefined): CreateOptions => ({
    ...overrides,
    folder,
    env,
    // Whoever can write the configuration would otherwise run code in the function's role.
    allowCommands: false,
    stdin: false,
    ...(aws === undefined ? {} : { aws }),
    ...(use === undefined ? {} : { use }),
  });
  try {
    const own = await at("S3EC_CONFIG");
    const assembly = own === undefined ? undefined : await createFromConfig(own, loading(settings.use));
    const client: S3Client = assembly?.client ?? new S3Client(overrides.s3 ?? {});
    watch(client);
    opened.push(async () => (assembly === undefined ? client.destroy() : await assembly.dispose()));
    if (settings.operation === "audit") {
      const keyOf = await keyAskedAbout(await at("S3EC_KEY_OF_CONFIG"), settings, loading(settings.keyOfUse));
      if (keyOf !== undefined) opened.push(keyOf.dispose);
      const wrapAlgorithms = assembly?.keyring.wrapAlgorithms ?? [];
      return { ...NOTHING, client, wrapAlgorithms, keyOf, dispose: closing(opened) };
    }
    if (assembly === undefined || own === undefined)
      throw missing("S3EC_CONFIG", `the keys that ${settings.operation} reads with`);
    const { wrapAlgorithms } = assembly.keyring;
    if (settings.operation === "verify") {
      return { ...NOTHING, client, wrapAlgorithms, dispose: closing(opened) };
    }
    const named = await at("S3EC_TO_CONFIG");
    if (named === undefined && settings.toUse === undefined && settings.operation === "rewrap") {
      throw missing(
        "S3EC_TO_CONFIG",
        "the key that wraps from now on, or the user argument toUse a configuration of the same file",
      );
    }
    const toUse = named === undefined ? (settings.toUse ?? settings.use) : settings.toUse;
    const to = await createFromConfig(named ?? own, loading(toUse));
    opened.push(() => to.dispose());
    const reading = { ...loading(toUse), client: readingOf(assembly.configuration) };
    const target = await wrappingKeyOf(named ?? own, reading);
    if (target !== undefined) opened.push(target.dispose);
    const writes = assembly.configuration.client?.formats?.[0]?.type ?? NOTHING.writes;
    return { ...NOTHING, client, wrapAlgorithms, writes, to, target, dispose: closing(opened) };
  } catch (error) {
    await closing(opened)();
    throw error;
  }
}

async function keyAskedAbout(
  source: ConfigurationSource | undefined,
  { askKms }: Settings,
  options: CreateOptions,
): Promise<OneKey | undefined> {
  if (source === undefined) return undefined;
  const key = await wrappingKeyOf(source, options, askKms);
  if (key !== undefined && (key.keyId === undefined || isKmsKeyArn(key.keyId))) return key;
  await key?.dispose();
  if (key !== undefined) {
    throw new S3EncryptionError(
      "invalid-configuration",
      `S3EC_KEY_OF_CONFIG names the key ${JSON.stringify(key.keyId)}: name it by its ARN (aws kms describe-key). What an alias stands for may change while a job runs, and then no answer is one about the same key.`,
    );
  }
  throw new S3EncryptionError(
    "invalid-configuration",
    "S3EC_KEY_OF_CONFIG must name a configuration with one key of KMS, RSA or AES, which each object is asked about.",
  );
}

function closing(opened: readonly (() => Promise<void>)[]): () => Promise<void> {
  return async () => {
    for (const close of [...opened].reverse()) await close();
  };
}

function missing(variable: string, what: string): S3EncryptionError {
  return new S3EncryptionError("invalid-configuration", `Set ${variable}: the configuration of ${what}.`);
}
