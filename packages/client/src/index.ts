export type { EncryptionCallOptions } from "./call-options.js";
export { withEncryptionOptions } from "./call-options.js";
export type { InstructionFileConfig, S3EncryptionOptions } from "./options.js";
export type { S3Plugin } from "./plugin.js";
export { s3EncryptionPlugin } from "./plugin.js";
export type { S3EncryptionClientConfig } from "./s3-encryption-client.js";
export { S3EncryptionClient } from "./s3-encryption-client.js";
