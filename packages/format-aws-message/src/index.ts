export type { AwsMessageFormatOptions } from "./aws-message-format.js";
export { AwsMessageFormat } from "./aws-message-format.js";
export type { HeaderDataKey, ParsedHeader } from "./header.js";
export type { HeaderField } from "./header-fields.js";
export { headerFields } from "./header-fields.js";
export type { MessageInspection } from "./inspect-message.js";
export type { KeyDerivation, MessageSuite } from "./message-suites.js";
export { COMMITTED, COMMITTED_SIGNED, MESSAGE_SUITES } from "./message-suites.js";
export type { MessageToOpen } from "./open-message.js";
