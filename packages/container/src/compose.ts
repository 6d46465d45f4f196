import type { KMSClientConfig } from "@aws-sdk/client-kms";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { isError, type Keyring, type MaterialsManager, type ObjectFormat, S3EncryptionError } from "@s3ec/materials";
import { Container, type ResolutionContext, type ServiceIdentifier } from "inversify";
import type { ClientOptions } from "./configuration.js";
import type { FormatConfiguration } from "./formats.js";
import type { KeyringSurroundings } from "./keyring-descriptor.js";
import { KmsClients } from "./kms-clients.js";
import type { LoadedConfiguration } from "./load-configuration.js";
import type { ManagerSurroundings } from "./manager-descriptor.js";
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
  const keyringMaker = (context: ResolutionContext): KeyringMaker => {
    const kms = context.get(KMS_CLIENTS);
    const releases = context.get(RELEASES);
    return makerOfKeyrings(loaded, leaveKeyStoresAlone, {
      kmsClient: (region) => kms.client(region),
      onDispose: (release) => releases.add(release),
    });
  };
  container
    .bind(SERVICES.keyring)
    .toDynamicValue(async (context) => {
      const { keyring } = configuration;
      return keyring === undefined ? NO_KEYRING : keyringMaker(context)(keyring);
    })
    .inSingletonScope();
  container
    .bind(SERVICES.materialsManager)
    .toDynamicValue(async (context) => {
      const releases = context.get(RELEASES);
      return createManager(loaded, {
        keyring: await context.getAsync(SERVICES.keyring),
        createKeyring: keyringMaker(context),
        onDispose: (release) => releases.add(release),
      });
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

async function createFormats(
  loaded: LoadedConfiguration,
  named: readonly FormatConfiguration[] | undefined,
): Promise<ObjectFormat[] | undefined> {
  if (named === undefined) return undefined;
  const created: ObjectFormat[] = [];
  for (const part of named) created.push(await blaming(loaded, part, () => loaded.formats.create(part)));
  return created;
}

type KeyringMaker = KeyringSurroundings["createKeyring"];

/** In the place of a keyring that is not made: it can be part of others. */
const STAND_IN: Keyring = {
  wrapAlgorithms: [],
  onEncrypt: async (materials) => materials,
  onDecrypt: async () => null,
};

/** Of a configuration whose rules have keyrings of their own; nothing asks it unless the caller takes it out of there. */
const NO_KEYRING: Keyring = {
  wrapAlgorithms: [],
  onEncrypt: async () => {
    throw new S3EncryptionError(
      "invalid-configuration",
      "The configuration has no keyring beside those of its rules: use its materialsManager, or its client.",
    );
  },
  onDecrypt: async () => null,
};

function makerOfKeyrings(
  loaded: LoadedConfiguration,
  leaveKeyStoresAlone: boolean,
  outfit: Omit<KeyringSurroundings, "createKeyring">,
): KeyringMaker {
  const { registry } = loaded;
  const createKeyring: KeyringMaker = async (part) => {
    if (leaveKeyStoresAlone && registry.asksKeyStore(part)) return STAND_IN;
    return blaming(loaded, part, () => registry.create(part, { ...outfit, createKeyring }));
  };
  return createKeyring;
}

/** The configuration's manager with those inside it; where none is named, the default one. */
async function createManager(
  loaded: LoadedConfiguration,
  outfit: Omit<ManagerSurroundings, "createManager">,
): Promise<MaterialsManager> {
  const createAround =
    (keyring: Keyring): ManagerSurroundings["createManager"] =>
    (part, own = keyring) =>
      blaming(loaded, part, () =>
        loaded.managers.create(part ?? { type: "default" }, {
          ...outfit,
          keyring: own,
          createManager: createAround(own),
        }),
      );
  return createAround(outfit.keyring)(loaded.configuration.materialsManager);
}

const BLAMED = new WeakSet<object>();

/**
 * A keyring, a manager or a format refuses what the schema cannot judge, such as a key that is too short; the file's reader
 * is told the place of the innermost part that did. A part that is not there is all of it.
 */
async function blaming<T>(
  { configuration, blame }: LoadedConfiguration,
  part: object | undefined,
  make: () => T | Promise<T>,
): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (isError(error) && BLAMED.has(error)) throw error;
    const problem = blame(part ?? configuration, reasonOf(error), error);
    BLAMED.add(problem);
    throw problem;
  }
}
