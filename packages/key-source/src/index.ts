export { aliasOf } from "./key-alias.js";
export type {
  Base64Source,
  CommandSource,
  ContentSource,
  EnvironmentSource,
  FileSource,
  GivenSource,
  KeychainSource,
  KeySource,
  Opening,
  ParameterStoreSource,
  PassphraseSource,
  SecretsManagerSource,
  StandardInputSource,
} from "./key-source.js";
export { versionOf } from "./key-version.js";
export type { KeyType, LoadKeyOptions } from "./load-key.js";
export { loadKey, readKey } from "./load-key.js";
export type { AwsCredentials, AwsSettings, SourceOptions, StandardInput } from "./source-options.js";
