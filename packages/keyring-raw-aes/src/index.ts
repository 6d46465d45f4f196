export type { AesKeyEncoding } from "./key-encoding.js";
export { readAesKey } from "./key-encoding.js";
export type { AesDecryptionKey, RawAesKeyringOptions } from "./raw-aes-keyring.js";
export { RawAesKeyring } from "./raw-aes-keyring.js";
export type { AesWrappingKey, EncodedAesKey } from "./wrapping-key.js";
