import {
  type AlgorithmSuite,
  COMMITTING_GCM,
  type EncryptedDataKey,
  type StringMap,
  stringMap,
  type WrapAlgorithm,
} from "@s3ec/envelope";
import type { DecryptionMaterials, EncryptionMaterials } from "@s3ec/materials";

/** A suite as keyrings and managers see that of a format which names key providers and authenticates the context. */
export const BY_PROVIDER: AlgorithmSuite = Object.freeze({
  ...COMMITTING_GCM,
  name: "ALG_OF_ANOTHER_FORMAT",
  wrapsNamedBy: "provider",
  holdsManyWraps: true,
  authenticatesContext: true,
  storedName: "0478",
});

/** What a keyring is asked to write with: bound to the suite's own name, without a context, unless `more` says otherwise. */
export function forWriting(
  suite: AlgorithmSuite = COMMITTING_GCM,
  more: Partial<EncryptionMaterials> = {},
): EncryptionMaterials {
  return Object.freeze({ ...forReading(suite), encryptedDataKeys: Object.freeze([]), ...more });
}

/** What a keyring is asked to read with. */
export function forReading(
  suite: AlgorithmSuite = COMMITTING_GCM,
  more: Partial<DecryptionMaterials> = {},
): DecryptionMaterials {
  return Object.freeze({ suite, algorithmBinding: suite.storedName, encryptionContext: stringMap([]), ...more });
}

/** A wrap as it was found with an object. */
export function encryptedDataKey(
  wrapAlgorithm: WrapAlgorithm,
  ciphertext: Uint8Array,
  description: StringMap = {},
): EncryptedDataKey {
  return Object.freeze({ wrapAlgorithm, ciphertext, description: Object.freeze(description) });
}
