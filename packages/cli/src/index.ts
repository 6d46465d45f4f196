export { EXIT_CODES } from "./exit-codes.js";
export type { Inspection } from "./inspect-object.js";
export { inspectObject } from "./inspect-object.js";
export { run } from "./program.js";
