import { COMMITTED } from "@s3ec/format-aws-message";
import {
  type AlgorithmSuite,
  type DecryptionMaterials,
  type DecryptionRequest,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type EncryptionRequest,
  stringMap,
} from "@s3ec/materials";
import { forReading, forWriting } from "@s3ec/test-support";

export const CONTEXT: Readonly<Record<string, string>> = { tenant: "a", purpose: "test" };
export const NAME = { namespace: "test keys", name: "schlüssel" };

export function toEncrypt(suite: AlgorithmSuite = COMMITTED): EncryptionMaterials {
  return forWriting(suite, { encryptionContext: stringMap(Object.entries(CONTEXT)) });
}

export function toDecrypt(
  suite: AlgorithmSuite = COMMITTED,
  context: Readonly<Record<string, string>> = CONTEXT,
): DecryptionMaterials {
  return forReading(suite, { encryptionContext: stringMap(Object.entries(context)) });
}

export function encryptionRequest(suite: AlgorithmSuite = COMMITTED): EncryptionRequest {
  const { encryptedDataKeys: _, ...request } = toEncrypt(suite);
  return { ...request, commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" };
}

export function decryptionRequest(
  suite: AlgorithmSuite,
  encryptionContext: Readonly<Record<string, string>>,
  encryptedDataKeys: readonly EncryptedDataKey[],
): DecryptionRequest {
  const request = toDecrypt(suite, encryptionContext);
  return { ...request, commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT", encryptedDataKeys };
}
