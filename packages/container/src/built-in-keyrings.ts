import type { KeyringDescriptor } from "./keyring-descriptor.js";
import { kms, kmsDiscovery } from "./keyrings/kms.js";
import { multi } from "./keyrings/multi.js";
import { pkcs11 } from "./keyrings/pkcs11.js";
import { rawAes } from "./keyrings/raw-aes.js";
import { rawRsa } from "./keyrings/raw-rsa.js";

/** The keyring types of the sibling packages, each loaded only when a configuration names it. */
export const BUILT_IN_KEYRINGS: readonly KeyringDescriptor[] = Object.freeze([
  rawAes,
  rawRsa,
  kms,
  kmsDiscovery,
  pkcs11,
  multi,
]);
