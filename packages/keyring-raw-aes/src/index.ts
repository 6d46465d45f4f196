export type { AesDecryptionKey, RawAesKeyringOptions } from "./raw-aes-keyring.js";
export { RawAesKeyring } from "./raw-aes-keyring.js";
export type { AesWrappingKey } from "./wrapping-key.js";
