export type { AwsCryptoKeyringOptions, EncryptionSdkKeyring } from "./aws-crypto-keyring.js";
export { AwsCryptoKeyring } from "./aws-crypto-keyring.js";
export type { AwsCryptoMaterialsManagerOptions, EncryptionSdkManager } from "./aws-crypto-materials-manager.js";
export { AwsCryptoMaterialsManager } from "./aws-crypto-materials-manager.js";
