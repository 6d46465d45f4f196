export type { MultiKeyringChild } from "./child-keyrings.js";
export type { MissingChild, MultiKeyringOptions } from "./multi-keyring.js";
export { MultiKeyring } from "./multi-keyring.js";
