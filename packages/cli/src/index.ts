export type { Outcome } from "./exit-codes.js";
export { EXIT_CODES } from "./exit-codes.js";
export type { Inspected, InspectOptions } from "./inspect-object.js";
export { inspectObject } from "./inspect-object.js";
export { run } from "./program.js";
