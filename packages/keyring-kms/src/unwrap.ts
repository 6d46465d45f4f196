import { AWS_KMS_PROVIDER, KMS, KMS_CONTEXT } from "@s3ec/envelope";
import {
  type DecryptionMaterials,
  decryptionFailed,
  type EncryptedDataKey,
  importDataKey,
  isSameWrapAlgorithm,
  type StringMap,
  type WrapAlgorithm,
  withDataKey,
} from "@s3ec/materials";
import { boundContext } from "./bound-context.js";
import { legacyContext } from "./legacy-context.js";

const S3_WRAPS: readonly WrapAlgorithm[] = [KMS_CONTEXT, KMS];
export const KMS_WRAP_ALGORITHMS: readonly WrapAlgorithm[] = Object.freeze([...S3_WRAPS, AWS_KMS_PROVIDER]);

export interface UnwrapOptions {
  /** See `KmsKeyringOptions.acceptUnstoredContext`. */
  readonly acceptUnstoredContext: boolean;
  /** Opens a blob; throws typed errors. The bytes are taken over and zeroed. */
  decrypt(context: StringMap, blob: Uint8Array): Promise<Uint8Array>;
}

/** The first of the KMS wraps that opens; when none does, the first one's error; null when there is none at all. */
export async function unwrapDataKey(
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
  options: UnwrapOptions,
): Promise<DecryptionMaterials | null> {
  const errors: unknown[] = [];
  for (const encryptedDataKey of encryptedDataKeys) {
    const { wrapAlgorithm } = encryptedDataKey;
    if (!S3_WRAPS.some((entry) => isSameWrapAlgorithm(entry, wrapAlgorithm))) continue;
    try {
      return await unwrapOne(materials, encryptedDataKey, options);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return null;
}

async function unwrapOne(
  materials: DecryptionMaterials,
  { wrapAlgorithm, ciphertext, description }: EncryptedDataKey,
  { acceptUnstoredContext, decrypt }: UnwrapOptions,
): Promise<DecryptionMaterials> {
  const context = wrapAlgorithm.legacy
    ? legacyContext(materials.encryptionContext, description)
    : boundContext(materials, description, acceptUnstoredContext);
  const plaintext = await decrypt(context, ciphertext);
  if (!materials.suite.dataKeyLengths.includes(plaintext.length)) {
    plaintext.fill(0);
    throw decryptionFailed();
  }
  return withDataKey(materials, importDataKey(plaintext));
}
