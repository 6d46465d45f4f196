export type { Outcome } from "./exit-codes.js";
export { EXIT_CODES } from "./exit-codes.js";
export type { MessageInspection } from "./inspect-message.js";
export type { Inspection, InspectOptions } from "./inspect-object.js";
export { inspectObject } from "./inspect-object.js";
export { run } from "./program.js";
