import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, type KMSClient } from "@aws-sdk/client-kms";
import { decryptionFailed, S3EncryptionError, type StringMap } from "@s3ec/materials";
import { kmsError } from "./kms-errors.js";

/** A KMS key as this process reaches it. */
export interface KmsKey {
  readonly client: KMSClient;
  readonly keyId: string;
  readonly grantTokens: readonly string[];
}

/** KMS's own limits on a ciphertext blob; outside of them the request would not even be looked at. */
const MAX_BLOB_LENGTH = 6144;
const DATA_KEY_LENGTH = 32;

export async function generateDataKey(
  key: KmsKey,
  context: StringMap,
): Promise<{ readonly plaintext: Uint8Array; readonly blob: Uint8Array }> {
  const command = new GenerateDataKeyCommand({
    KeyId: key.keyId,
    KeySpec: "AES_256",
    EncryptionContext: { ...context },
    ...grants(key),
  });
  const { Plaintext, CiphertextBlob } = await key.client.send(command).catch((error: unknown) => {
    throw kmsError(error, "kms:GenerateDataKey");
  });
  if (Plaintext?.length !== DATA_KEY_LENGTH || !CiphertextBlob?.length) {
    Plaintext?.fill(0);
    throw unexpectedAnswer("GenerateDataKey");
  }
  return { plaintext: Plaintext, blob: CiphertextBlob };
}

export async function encryptDataKey(key: KmsKey, context: StringMap, plaintext: Uint8Array): Promise<Uint8Array> {
  const command = new EncryptCommand({
    KeyId: key.keyId,
    Plaintext: plaintext,
    EncryptionContext: { ...context },
    ...grants(key),
  });
  const { CiphertextBlob } = await key.client.send(command).catch((error: unknown) => {
    throw kmsError(error, "kms:Encrypt");
  });
  if (!CiphertextBlob?.length) throw unexpectedAnswer("Encrypt");
  return CiphertextBlob;
}

/** What KMS opened a blob to, and the ARN of the key it did that with. */
export interface DecryptedBlob {
  readonly plaintext: Uint8Array;
  readonly keyArn: string;
}

/** Without `keyId` KMS chooses the key by the blob: for discovery only (S11). */
export async function decryptBlob(
  key: Omit<KmsKey, "keyId"> & { readonly keyId?: string },
  context: StringMap,
  blob: Uint8Array,
): Promise<DecryptedBlob> {
  if (blob.length === 0 || blob.length > MAX_BLOB_LENGTH) throw decryptionFailed();
  const command = new DecryptCommand({
    ...(key.keyId === undefined ? {} : { KeyId: key.keyId }),
    CiphertextBlob: blob,
    EncryptionContext: { ...context },
    ...grants(key),
  });
  const { Plaintext, KeyId } = await key.client.send(command).catch((error: unknown) => {
    throw kmsError(error, "kms:Decrypt");
  });
  if (Plaintext === undefined || KeyId === undefined) throw unexpectedAnswer("Decrypt");
  return { plaintext: Plaintext, keyArn: KeyId };
}

function grants({ grantTokens }: { readonly grantTokens: readonly string[] }): { GrantTokens?: string[] } {
  return grantTokens.length === 0 ? {} : { GrantTokens: [...grantTokens] };
}

function unexpectedAnswer(operation: string): S3EncryptionError {
  return new S3EncryptionError(
    "key-unavailable",
    `KMS answered ${operation} without the key that was asked for: check the endpoint of the KMS client.`,
  );
}
