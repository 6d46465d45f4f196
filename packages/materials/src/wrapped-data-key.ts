import type { EncryptedDataKey } from "@s3ec/envelope";
import { createDataKey, lendDataKey } from "./data-key.js";
import { type EncryptionMaterials, type WithDataKey, withDataKey, withEncryptedDataKey } from "./materials.js";

/**
 * The same materials with one more wrap of their data key, which is created where they hold none. `wrap` borrows the key's
 * bytes: they are zeroed once it is done.
 * @throws S3EncryptionError `invalid-argument` for a data key that is no secret key, and what `wrap` throws
 */
export async function withWrappedDataKey(
  materials: EncryptionMaterials,
  wrap: (dataKey: Uint8Array) => EncryptedDataKey | Promise<EncryptedDataKey>,
): Promise<WithDataKey<EncryptionMaterials>> {
  const dataKey = materials.dataKey ?? createDataKey(materials.suite);
  return withEncryptedDataKey(withDataKey(materials, dataKey), await lendDataKey(dataKey, wrap));
}
