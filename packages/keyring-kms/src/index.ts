export type { KmsClientOptions } from "./kms-client.js";
export type { KmsDiscoveryKeyringOptions } from "./kms-discovery-keyring.js";
export { KmsDiscoveryKeyring } from "./kms-discovery-keyring.js";
export type { KmsKeyringOptions } from "./kms-keyring.js";
export { KmsKeyring } from "./kms-keyring.js";
