export type { DescribeKeyringOptions } from "./describe-keyring.js";
export { describeKeyring } from "./describe-keyring.js";
export type { MakeKeyring, SubjectOptions } from "./subject.js";
export type { Format } from "./suites.js";
