import type { KMSClientConfig } from "@aws-sdk/client-kms";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { isError, type Keyring, type MaterialsManager, type ObjectFormat } from "@s3ec/materials";
import { Container, type ServiceIdentifier } from "inversify";
import type { ClientOptions } from "./configuration.js";
import type { FormatConfiguration } from "./formats.js";
import type { KeyringConfiguration, KeyringSurroundings } from "./keyring-descriptor.js";
import { KmsClients } from "./kms-clients.js";
import type { LoadedConfiguration } from "./load-configuration.js";
import { createManager } from "./managers.js";
import { reasonOf } from "./reason.js";

/** Settings that JSON cannot hold, such as credentials or a request handler; each wins over the configuration's. */
export interface Overrides {
  /** Over the configuration's `s3`. Default: none. */
  readonly s3?: S3ClientConfig;
  /** Over the configuration's `kms`. Default: none. */
  readonly kms?: KMSClientConfig;
  /** Over the configuration's `client`. Default: none. */
  readonly client?: ClientOptions;
}

export interface ComposeOptions extends Overrides {
  /** Make a stand-in of each keyring whose making would ask its key store. Default false. */
  readonly leaveKeyStoresAlone?: boolean;
}

/** Runs at the end of the whole, last in first out. */
class Releases {
  readonly #releases: (() => void | Promise<void>)[] = [];

  add(release: () => void | Promise<void>): void {
    this.#releases.push(release);
  }

  async run(): Promise<void> {
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) await release();
  }
}

export const SERVICES: {
  readonly keyring: ServiceIdentifier<Keyring>;
  readonly materialsManager: ServiceIdentifier<MaterialsManager>;
  readonly client: ServiceIdentifier<S3EncryptionClient>;
} = {
  keyring: Symbol("keyring"),
  materialsManager: Symbol("materialsManager"),
  client: Symbol("client"),
};
const KMS_CLIENTS: ServiceIdentifier<KmsClients> = Symbol("kmsClients");
const RELEASES: ServiceIdentifier<Releases> = Symbol("releases");

/**
 * The composition root: who is made from what. Everything is made once, when first asked for, and what was made is
 * released by `unbindAll`.
 */
export function compose(loaded: LoadedConfiguration, options: ComposeOptions): Container {
  const { configuration } = loaded;
  const { leaveKeyStoresAlone = false, ...overrides } = options;
  const container = new Container({ defaultScope: "Singleton" });
  container
    .bind(RELEASES)
    .toDynamicValue(() => new Releases())
    .inSingletonScope()
    .onDeactivation((releases) => releases.run());
  container
    .bind(KMS_CLIENTS)
    .toDynamicValue(() => new KmsClients({ ...configuration.kms, ...overrides.kms }))
    .inSingletonScope()
    .onDeactivation((clients) => clients.dispose());
  container
    .bind(SERVICES.keyring)
    .toDynamicValue(async (context) => {
      const kms = context.get(KMS_CLIENTS);
      const releases = context.get(RELEASES);
      const surroundings: KeyringOutfit = {
        kmsClient: (region) => kms.client(region),
        onDispose: (release) => releases.add(release),
      };
      return createKeyring(loaded, surroundings, leaveKeyStoresAlone);
    })
    .inSingletonScope();
  container
    .bind(SERVICES.materialsManager)
    .toDynamicValue(async (context) => {
      const releases = context.get(RELEASES);
      const keyring = await context.getAsync(SERVICES.keyring);
      return blaming(loaded, configuration.materialsManager, () =>
        createManager(configuration.materialsManager, keyring, (release) => releases.add(release)),
      );
    })
    .inSingletonScope();
  container
    .bind(SERVICES.client)
    .toDynamicValue(async (context) => {
      const materialsManager = await context.getAsync(SERVICES.materialsManager);
      const { formats: named, ...client } = configuration.client ?? {};
      const formats = await createFormats(loaded, named);
      const encryption = { ...client, ...(formats && { formats }), ...overrides.client, materialsManager };
      return blaming(
        loaded,
        configuration.client,
        () => new S3EncryptionClient({ ...configuration.s3, ...overrides.s3, encryption }),
      );
    })
    .inSingletonScope()
    .onDeactivation((client) => client.destroy());
  return container;
}

/** A format refuses what the schema cannot judge; the file's reader needs its place. */
async function createFormats(
  { formats, blame }: LoadedConfiguration,
  named: readonly FormatConfiguration[] | undefined,
): Promise<ObjectFormat[] | undefined> {
  if (named === undefined) return undefined;
  const created: ObjectFormat[] = [];
  for (const configuration of named) {
    try {
      created.push(await formats.create(configuration));
    } catch (error) {
      throw blame(configuration, reasonOf(error), error);
    }
  }
  return created;
}

type KeyringOutfit = Omit<KeyringSurroundings, "createKeyring">;

/** In the place of a keyring that is not made: it can be part of others. */
const STAND_IN: Keyring = {
  wrapAlgorithms: [],
  onEncrypt: async (materials) => materials,
  onDecrypt: async () => null,
};

/** A keyring refuses keys that the schema cannot judge, such as one that is too short; the file's reader needs its place. */
async function createKeyring(
  { configuration, registry, blame }: LoadedConfiguration,
  outfit: KeyringOutfit,
  leaveKeyStoresAlone: boolean,
): Promise<Keyring> {
  const blamed = new WeakSet<object>();
  const create = async (part: KeyringConfiguration): Promise<Keyring> => {
    if (leaveKeyStoresAlone && registry.asksKeyStore(part)) return STAND_IN;
    try {
      return await registry.create(part, { ...outfit, createKeyring: create });
    } catch (error) {
      if (isError(error) && blamed.has(error)) throw error;
      const problem = blame(part, reasonOf(error), error);
      blamed.add(problem);
      throw problem;
    }
  };
  return create(configuration.keyring);
}

/** What a part is refused for, told with its place; a part that is not there is all of it. */
function blaming<T>({ configuration, blame }: LoadedConfiguration, part: object | undefined, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw blame(part ?? configuration, reasonOf(error), error);
  }
}
