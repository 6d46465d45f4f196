export type { DescribeKeyringOptions } from "./describe-keyring.js";
export { describeKeyring } from "./describe-keyring.js";
export type { MakeKeyring } from "./subject.js";
