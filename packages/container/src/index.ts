export type { Overrides } from "./compose.js";
export type { ClientConfiguration, ClientOptions, Configuration } from "./configuration.js";
export { parseConfiguration } from "./configuration-file.js";
export { configurationJsonSchema } from "./configuration-json-schema.js";
export type { ConfiguredAccess, KmsUse, NamedObjects } from "./configured-access.js";
export { configuredAccess } from "./configured-access.js";
export type { Assembly, CreateOptions } from "./create-from-config.js";
export { createFromConfig } from "./create-from-config.js";
export type { ConfigurationExplanation } from "./explain-configuration.js";
export { explainConfiguration } from "./explain-configuration.js";
export type { FormatConfiguration, FormatDescriptor } from "./formats.js";
export { FormatRegistry, formatDescriptor } from "./formats.js";
export type { ConfiguredKey, KeySchemas } from "./key-source.js";
export type {
  KeyringConfiguration,
  KeyringDescriptor,
  KeyringRole,
  KeyringSurroundings,
  SchemaParts,
  WrappingKeyExplanation,
} from "./keyring-descriptor.js";
export { keyringDescriptor } from "./keyring-descriptor.js";
export type { KeyringRegistry } from "./keyring-registry.js";
export type { KnownTypes } from "./known-types.js";
export type { LoadedConfiguration, LoadOptions, SelectOptions } from "./load-configuration.js";
export { loadConfiguration, loadS3Settings, readConfigurationAsIs } from "./load-configuration.js";
export type {
  ManagerConfiguration,
  ManagerDescriptor,
  ManagerSchemaParts,
  ManagerSurroundings,
} from "./manager-descriptor.js";
export { managerDescriptor } from "./manager-descriptor.js";
export type { ManagerRegistry } from "./manager-registry.js";
export type { NamedConfiguration } from "./named-configurations.js";
export type { ConfigurationPlugin } from "./plugins.js";
