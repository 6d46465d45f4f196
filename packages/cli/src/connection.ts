import { stat } from "node:fs/promises";
import { S3Client } from "@aws-sdk/client-s3";
import {
  type Assembly,
  createFromConfig,
  type LoadOptions,
  loadS3Settings,
  readConfigurationAsIs,
} from "@s3ec/container";
import type { DevServer } from "@s3ec/dev-server";
import { S3EncryptionError } from "@s3ec/materials";
import type { DevServerAddress } from "./dev-server-address.js";

/** Which S3 and which keys: the options that `put`, `get` and `inspect` share. */
export interface ConnectionOptions {
  readonly config?: string;
  /** Start the local server in this process. */
  readonly dev?: boolean;
  /** Use the local server at this address. */
  readonly devServer?: DevServerAddress;
  /** Which configuration of a file that holds several. */
  readonly use?: string;
  /** Run the commands that the configuration names to get its keys. */
  readonly allowCommands?: boolean;
}

const DEFAULT_CONFIGURATIONS = ["s3ec.config.json", "s3ec.config.yaml", "s3ec.config.yml"];
const DEV_CONFIGURATION = { keyring: { type: "kms", keyId: "alias/app" } };
const DEV_DIRECTORY = ".s3ec-dev";

/** A client for the configured keys. */
export async function connect(
  options: ConnectionOptions,
  bucket: string,
  keySources: Pick<LoadOptions, "stdin" | "onWarning">,
): Promise<Pick<Assembly, "client" | "dispose">> {
  const source = await configurationOf(options);
  const use = options.use === undefined ? {} : { use: options.use };
  const local = await localServer(options, bucket, () => readConfigurationAsIs(source, use));
  try {
    const services = local.settings === undefined ? {} : { s3: local.settings, kms: local.settings };
    const allowCommands = options.allowCommands === true;
    const assembly = await createFromConfig(source, { ...services, ...keySources, ...use, allowCommands });
    return {
      client: assembly.client,
      dispose: async () => {
        await assembly.dispose();
        await local.close();
      },
    };
  } catch (error) {
    await local.close();
    throw error;
  }
}

/** A plain client, for what needs no key. */
export async function connectWithoutKeys(
  options: ConnectionOptions,
  bucket: string,
): Promise<{ client: S3Client; dispose: () => Promise<void> }> {
  const local = await localServer(options, bucket, async () => ({}));
  const file = local.settings === undefined ? await configurationFile(options) : undefined;
  const use = options.use === undefined ? {} : { use: options.use };
  const client = new S3Client(local.settings ?? (file === undefined ? {} : await loadS3Settings(file, use)));
  return {
    client,
    dispose: async () => {
      client.destroy();
      await local.close();
    },
  };
}

async function configurationOf(options: ConnectionOptions): Promise<string | object> {
  const file = await configurationFile(options);
  if (file !== undefined) return file;
  if (options.dev === true || options.devServer !== undefined) return DEV_CONFIGURATION;
  throw new S3EncryptionError(
    "invalid-configuration",
    `Name a configuration with --config, or put ${DEFAULT_CONFIGURATIONS[0]} into this folder.`,
  );
}

async function configurationFile({ config }: ConnectionOptions): Promise<string | undefined> {
  if (config !== undefined) return config;
  for (const name of DEFAULT_CONFIGURATIONS) {
    const there = await stat(name).catch(() => undefined);
    if (there?.isFile() === true) return name;
  }
  return undefined;
}

type LocalServer = { settings?: DevServer["clientConfig"]; close: () => Promise<void> };

/** The local server keeps its objects and keys in a folder, so that a later command finds them. */
async function localServer(
  options: ConnectionOptions,
  bucket: string,
  configuration: () => Promise<unknown>,
): Promise<LocalServer> {
  if (options.devServer !== undefined) {
    return { settings: options.devServer, close: async () => {} };
  }
  if (options.dev !== true) return { close: async () => {} };
  const aliases = aliasesOf(await configuration());
  const { startDevServer } = await import("@s3ec/dev-server");
  const server = await startDevServer({ directory: DEV_DIRECTORY, buckets: [bucket], aliases });
  return { settings: server.clientConfig, close: () => server.close() };
}

/** The KMS aliases that a configuration names, at any depth; the local server makes a key for each. */
function aliasesOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "keyId" && typeof inner === "string" && inner.startsWith("alias/") ? [inner] : aliasesOf(inner),
  );
}
