export type { FaultMatch, FaultTarget } from "./fault-match.js";
export type { Fault, Faults } from "./faults.js";
export type { KeySpec } from "./kms-keys.js";
export type { OpenUpload } from "./multipart-uploads.js";
export type { Pause, PauseRequest, PauseStage } from "./pauses.js";
export type { RecordedRequest } from "./recorded-requests.js";
export type { SeededObject } from "./seeded-object.js";
export type { DevServer, DevServerKms, DevServerOptions } from "./server.js";
export { startDevServer } from "./server.js";
