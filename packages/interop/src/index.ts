export { MissingToolchainError, requireTools } from "./build/toolchain.js";
export { Tool } from "./command-line/tool.js";
export type { Job } from "./objects/job.js";
export { startObjectPeer } from "./objects/object-peers.js";
export { createKmsKey } from "./servers/kms-key.js";
export type { Server } from "./servers/servers.js";
export { CREDENTIALS, startKms, startS3 } from "./servers/servers.js";
