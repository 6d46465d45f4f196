export type { EnvelopeInspection } from "./inspect-envelope.js";
export { S3Format } from "./s3-format.js";
export type { InstructionFileConfig, S3FormatOptions } from "./s3-format-options.js";
export { S3_FORMAT_OPTION_NAMES } from "./s3-format-options.js";
