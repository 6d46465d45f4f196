import { AWS_KMS_PROVIDER, EMPTY_STRING_MAP } from "@s3ec/envelope";
import {
  type DecryptionMaterials,
  decryptionFailed,
  type EncryptedDataKey,
  type EncryptionMaterials,
  importDataKey,
  isSameWrapAlgorithm,
  lendDataKey,
  S3EncryptionError,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";
import { isSameKey, type KmsKeyArn, parseKeyArn } from "./key-arn.js";
import { isOfAnotherKey } from "./kms-errors.js";
import {
  decryptBlob,
  encryptDataKey,
  generateDataKey,
  type KmsKey,
  unexpectedAnswer,
  type WrappedByKms,
} from "./kms-operations.js";

/** Adds the KMS wrap of the AWS Encryption SDK: bound to the encryption context as it is, with the key's ARN beside it. */
export async function wrapForMessage(key: KmsKey, materials: EncryptionMaterials): Promise<EncryptionMaterials> {
  const { suite, encryptionContext, dataKey } = materials;
  if (Object.hasOwn(encryptionContext, "__proto__")) {
    // The SDK's serializer would drop it and so leave it unbound.
    throw new S3EncryptionError(
      "invalid-argument",
      '"__proto__" is a reserved name: leave it out of the encryption context.',
    );
  }
  if (dataKey !== undefined) {
    const wrapped = await lendDataKey(dataKey, (bytes) => encryptDataKey(key, encryptionContext, bytes));
    return withEncryptedDataKey(materials, encryptedDataKey(wrapped, "Encrypt"));
  }
  const [NumberOfBytes = 32] = suite.dataKeyLengths;
  const { plaintext, ...wrapped } = await generateDataKey(key, encryptionContext, { NumberOfBytes });
  const generated = withDataKey(materials, importDataKey(plaintext));
  return withEncryptedDataKey(generated, encryptedDataKey(wrapped, "GenerateDataKey"));
}

export interface MessageUnwrapOptions {
  /** The key to open with what the key of this ARN wrapped; undefined where that is not for this keyring. */
  key(arn: KmsKeyArn, text: string): KmsKey | undefined;
}

/** The first of the wraps that opens; when none does, the first one's error; null when none is of this keyring's key. */
export async function unwrapFromMessage(
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
  options: MessageUnwrapOptions,
): Promise<DecryptionMaterials | null> {
  const errors: unknown[] = [];
  for (const { wrapAlgorithm, providerInfo, ciphertext } of encryptedDataKeys) {
    if (!isSameWrapAlgorithm(wrapAlgorithm, AWS_KMS_PROVIDER) || providerInfo === undefined) continue;
    const text = Buffer.from(providerInfo).toString();
    const arn = parseKeyArn(text);
    const key = arn === undefined ? undefined : options.key(arn, text);
    if (arn === undefined || key === undefined) continue;
    try {
      return await unwrapOne(materials, { key, arn, blob: ciphertext });
    } catch (error) {
      // An alias may stand for any key: that it is another one is known only now.
      if (!(key.keyId.includes("alias/") && isOfAnotherKey(error))) errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return null;
}

async function unwrapOne(
  materials: DecryptionMaterials,
  { key, arn, blob }: { readonly key: KmsKey; readonly arn: KmsKeyArn; readonly blob: Uint8Array },
): Promise<DecryptionMaterials> {
  const { plaintext, keyArn } = await decryptBlob(key, materials.encryptionContext, blob);
  const answered = parseKeyArn(keyArn);
  const isTheKey = answered !== undefined && isSameKey(answered, arn);
  if (isTheKey && materials.suite.dataKeyLengths.includes(plaintext.length)) {
    return withDataKey(materials, importDataKey(plaintext));
  }
  plaintext.fill(0);
  throw decryptionFailed();
}

function encryptedDataKey({ blob, keyArn = "" }: WrappedByKms, operation: string): EncryptedDataKey {
  if (parseKeyArn(keyArn) === undefined) throw unexpectedAnswer(operation);
  const providerInfo = Buffer.from(keyArn);
  return { wrapAlgorithm: AWS_KMS_PROVIDER, ciphertext: blob, description: EMPTY_STRING_MAP, providerInfo };
}
