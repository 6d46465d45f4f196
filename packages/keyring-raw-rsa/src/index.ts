export type { WantedRsaKey } from "./key-mistakes.js";
export { keyKindMistake, rsaKeyMistake } from "./key-mistakes.js";
export type { RawRsaKeyringOptions, RsaDecryptionKey } from "./raw-rsa-keyring.js";
export { RawRsaKeyring } from "./raw-rsa-keyring.js";
export type { EncodedRsaPrivateKey, EncodedRsaPublicKey, RsaPrivateKey, RsaPublicKey } from "./rsa-keys.js";
export type { OaepHash } from "./rsa-oaep.js";
