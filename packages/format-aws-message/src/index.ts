export type { KeyDerivation, MessageSuite } from "./message-suites.js";
export { COMMITTED, COMMITTED_SIGNED, MESSAGE_SUITES } from "./message-suites.js";
