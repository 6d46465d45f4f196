export type { NewTokenKey } from "./create-token-key.js";
export { createTokenKey } from "./create-token-key.js";
export type { Pkcs11DecryptionKey, Pkcs11KeyringOptions } from "./options.js";
export type { Pin, PinSource } from "./pin.js";
export { Pkcs11Keyring } from "./pkcs11-keyring.js";
export type { KeySelector, KeyType } from "./token-keys.js";
