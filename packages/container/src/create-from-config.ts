import type { S3EncryptionClient } from "@s3ec/client";
import { DEFAULT_INSTRUCTION_FILE_SUFFIX, instructionFileSuffix } from "@s3ec/envelope";
import { assertKnownOptions, type Keyring, type MaterialsManager, type OptionNames } from "@s3ec/materials";
import type { Overrides } from "./compose.js";
import type { Configuration } from "./configuration.js";
import { s3FormatOptionsOf } from "./formats.js";
import { LOAD_OPTIONS, type LoadOptions, loadConfiguration } from "./load-configuration.js";

/** Where a configuration is read, and settings that win over its own. */
export interface CreateOptions extends LoadOptions, Overrides {}

const OPTIONS: OptionNames<CreateOptions> = { ...LOAD_OPTIONS, s3: true, kms: true, client: true };

/** Everything that a configuration describes, ready to be used. */
export interface Assembly {
  /** An S3 client that encrypts, with everything below. */
  readonly client: S3EncryptionClient;
  /** The outermost keyring of `configuration.keyring`; one that refuses where only rules have keyrings. */
  readonly keyring: Keyring;
  /** The outermost one; a `DefaultMaterialsManager` of the keyring where the configuration names none. */
  readonly materialsManager: MaterialsManager;
  /** What follows an object's key in those of the instruction files that may be written or read beside it. */
  readonly instructionFileSuffixes: readonly string[];
  /** What was read. */
  readonly configuration: Configuration;
  /** Destroys the S3 and KMS clients, and what plugins hold open. */
  dispose(): Promise<void>;
}

/**
 * Assembles keyrings, materials manager and client from one configuration file (`.json`, `.js`, `.mjs`) or object.
 * @throws S3EncryptionError `invalid-configuration` with the path of each wrong field and what was expected there,
 * `key-unavailable` where a token is away or refuses its PIN, `invalid-argument` for unknown `options`
 */
export async function createFromConfig(source: string | URL | object, options: CreateOptions = {}): Promise<Assembly> {
  assertKnownOptions(options, OPTIONS, "createFromConfig");
  const { s3: _s3, kms: _kms, client: _client, ...load } = options;
  const loaded = await loadConfiguration(source, load);
  // Loaded when it is needed: whoever reads settings, or help, makes nothing of them.
  const { compose, SERVICES } = await import("./compose.js");
  const container = compose(loaded, options);
  const dispose = (): Promise<void> => container.unbindAllAsync();
  try {
    const materialsManager = await container.getAsync(SERVICES.materialsManager);
    const { suffix } = s3FormatOptionsOf(loaded.configuration.client ?? {})?.instructionFileConfig ?? {};
    const own = suffix === undefined ? [] : [instructionFileSuffix(suffix)];
    return {
      client: await container.getAsync(SERVICES.client),
      keyring: await container.getAsync(SERVICES.keyring),
      materialsManager,
      instructionFileSuffixes: [
        ...new Set([
          DEFAULT_INSTRUCTION_FILE_SUFFIX,
          ...own,
          ...(materialsManager.instructionFileSuffixes ?? []).map(instructionFileSuffix),
        ]),
      ],
      configuration: loaded.configuration,
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
