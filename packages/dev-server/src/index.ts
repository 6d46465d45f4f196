export type { DevServer, DevServerKms, DevServerOptions } from "./dev-server.js";
export type { FaultMatch, FaultTarget } from "./faults/fault-match.js";
export type { Fault, Faults } from "./faults/faults.js";
export type { Pause, PauseRequest, PauseStage } from "./faults/pauses.js";
export type { RecordedRequest } from "./http/recorded-requests.js";
export type { KeySpec } from "./kms/kms-keys.js";
export type { SeededObject } from "./s3/operations/seeded-object.js";
export type { OpenUpload } from "./s3/store/multipart-uploads.js";
export { startDevServer } from "./server.js";
