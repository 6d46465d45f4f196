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

export const CONTEXT: Readonly<Record<string, string>> = { tenant: "a", purpose: "test" };
export const NAME = { namespace: "test keys", name: "schlüssel" };

export function bytes(from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => from + index);
}

export function toEncrypt(suite: AlgorithmSuite = COMMITTED): EncryptionMaterials {
  return Object.freeze({
    suite,
    algorithmBinding: suite.storedName,
    encryptionContext: stringMap(Object.entries(CONTEXT)),
    encryptedDataKeys: Object.freeze([]),
  });
}

export function toDecrypt(
  suite: AlgorithmSuite = COMMITTED,
  context: Readonly<Record<string, string>> = CONTEXT,
): DecryptionMaterials {
  return Object.freeze({
    suite,
    algorithmBinding: suite.storedName,
    encryptionContext: stringMap(Object.entries(context)),
  });
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
