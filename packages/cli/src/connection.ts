import { S3Client } from "@aws-sdk/client-s3";
import {
  type Assembly,
  type CreateOptions,
  createFromConfig,
  type LoadOptions,
  loadS3Settings,
  readConfigurationAsIs,
} from "@s3ec/container";
import type { DevServer } from "@s3ec/dev-server";
import { configurationHere, defaultConfiguration } from "./default-configuration.js";
import type { DevServerAddress } from "./dev-server-address.js";
import { type ServiceOptions, serviceSettings } from "./service-options.js";

/** Which S3 and which keys: the options that `put`, `get` and `inspect` share. */
export interface ConnectionOptions extends ServiceOptions {
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

const DEV_CONFIGURATION = { keyring: { type: "kms", keyId: "alias/app" } };
const DEV_DIRECTORY = ".s3ec-dev";

type KeySources = Pick<LoadOptions, "stdin" | "onWarning">;

/** A client for the configured keys. */
export async function connect(
  options: ConnectionOptions,
  bucket: string | undefined,
  keySources: KeySources,
): Promise<Pick<Assembly, "client" | "instructionFileSuffixes" | "dispose">> {
  const { assemblies, dispose } = await assemble([options], bucket, keySources);
  const [{ client, instructionFileSuffixes }] = assemblies;
  return { client, instructionFileSuffixes, dispose };
}

/**
 * A client for the configured keys, and what gives those of another configuration.
 *
 * @param to the other one; what it does not name is as of the first
 */
export async function connectBoth(
  options: ConnectionOptions,
  to: { readonly config?: string; readonly use?: string },
  bucket: string | undefined,
  keySources: KeySources,
): Promise<
  Omit<Assembly, "keyring" | "materialsManager" | "instructionFileSuffixes"> & {
    readonly to: Assembly["materialsManager"];
    /** The other one, as it was read. */
    readonly toConfiguration: Assembly["configuration"];
  }
> {
  const { assemblies, dispose } = await assemble([options, other(options, to)], bucket, keySources);
  const [{ client, configuration }, { materialsManager, configuration: toConfiguration }] = assemblies;
  return { client, configuration, to: materialsManager, toConfiguration, dispose };
}

/** Of another file, the name of a configuration in this one says nothing. */
function other(options: ConnectionOptions, to: { readonly config?: string; readonly use?: string }): ConnectionOptions {
  const { use: _, ...elsewhere } = options;
  return { ...(to.config === undefined ? options : elsewhere), ...to };
}

interface Assembled<Options> {
  readonly assemblies: { readonly [Index in keyof Options]: Assembly };
  readonly dispose: () => Promise<void>;
}

async function assemble<const Options extends readonly ConnectionOptions[]>(
  options: Options,
  bucket: string | undefined,
  keySources: KeySources,
): Promise<Assembled<Options>> {
  const sources = await Promise.all(
    options.map(async (each) => ({
      source: await configurationOf(each),
      use: each.use === undefined ? {} : { use: each.use },
      allowCommands: each.allowCommands === true,
    })),
  );
  const local = await localServer(options[0] ?? {}, bucket, () =>
    Promise.all(sources.map(({ source, use }) => readConfigurationAsIs(source, use))),
  );
  const assemblies: Assembly[] = [];
  const dispose = async (): Promise<void> => {
    for (const assembly of assemblies) await assembly.dispose();
    await local.close();
  };
  try {
    const named = await serviceSettings(options[0] ?? {});
    for (const { source, use, allowCommands } of sources) {
      const services = {
        s3: { ...local.settings, ...named.s3 },
        kms: { ...local.settings, ...named.kms, ...(await regionOfKms(named.region, source, use)) },
      };
      assemblies.push(await createFromConfig(source, { ...services, ...keySources, ...use, allowCommands }));
    }
    return { assemblies: assemblies as unknown as Assembled<Options>["assemblies"], dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** A region of the command line is of KMS, too, unless the configuration knows better. */
async function regionOfKms(
  region: string | undefined,
  source: string | object,
  use: { readonly use?: string },
): Promise<{ readonly region?: string }> {
  if (region === undefined) return {};
  const { kms } = (await readConfigurationAsIs(source, use)) as { readonly kms?: { readonly region?: unknown } };
  return kms?.region === undefined ? { region } : {};
}

/** A plain client, for what needs no key, and settings for other clients of the same services. */
export async function connectWithoutKeys(
  options: ConnectionOptions,
  bucket?: string,
): Promise<{ client: S3Client; services: Pick<CreateOptions, "s3" | "kms">; dispose: () => Promise<void> }> {
  const local = await localServer(options, bucket, async () => ({}));
  const file = local.settings === undefined ? await configurationFile(options) : undefined;
  const use = options.use === undefined ? {} : { use: options.use };
  const settings = local.settings ?? (file === undefined ? {} : await loadS3Settings(file, use));
  const named = await serviceSettings(options);
  const client = new S3Client({ ...settings, ...named.s3 });
  return {
    client,
    services: { s3: { ...local.settings, ...named.s3 }, kms: { ...local.settings, ...named.kms } },
    dispose: async () => {
      client.destroy();
      await local.close();
    },
  };
}

async function configurationOf(options: ConnectionOptions): Promise<string | object> {
  if (options.dev !== true && options.devServer === undefined) {
    return options.config ?? (await configurationHere("with --config"));
  }
  return (await configurationFile(options)) ?? DEV_CONFIGURATION;
}

async function configurationFile({ config }: ConnectionOptions): Promise<string | undefined> {
  return config ?? (await defaultConfiguration());
}

type LocalServer = { settings?: DevServer["clientConfig"]; close: () => Promise<void> };

/** The local server keeps its objects and keys in a folder, so that a later command finds them. */
async function localServer(
  options: ConnectionOptions,
  bucket: string | undefined,
  configuration: () => Promise<unknown>,
): Promise<LocalServer> {
  if (options.devServer !== undefined) {
    return { settings: options.devServer, close: async () => {} };
  }
  if (options.dev !== true) return { close: async () => {} };
  const aliases = aliasesOf(await configuration());
  const { startDevServer } = await import("@s3ec/dev-server");
  const server = await startDevServer({
    directory: DEV_DIRECTORY,
    buckets: bucket === undefined ? [] : [bucket],
    aliases,
  });
  return { settings: server.clientConfig, close: () => server.close() };
}

/** The KMS aliases that a configuration names, at any depth; the local server makes a key for each. */
function aliasesOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "keyId" && typeof inner === "string" && inner.startsWith("alias/") ? [inner] : aliasesOf(inner),
  );
}
