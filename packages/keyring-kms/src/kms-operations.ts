import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  ReEncryptCommand,
} from "@aws-sdk/client-kms";
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

/** A data key wrapped by KMS, and the ARN of the key it did that with. */
export interface WrappedByKms {
  readonly blob: Uint8Array;
  readonly keyArn: string | undefined;
}

export async function generateDataKey(
  key: KmsKey,
  context: StringMap,
  size: { readonly KeySpec: "AES_256" } | { readonly NumberOfBytes: number } = { KeySpec: "AES_256" },
): Promise<WrappedByKms & { readonly plaintext: Uint8Array }> {
  const command = new GenerateDataKeyCommand({
    KeyId: key.keyId,
    ...size,
    EncryptionContext: { ...context },
    ...grants(key),
  });
  const { Plaintext, CiphertextBlob, KeyId } = await key.client.send(command).catch((error: unknown) => {
    throw kmsError(error, "kms:GenerateDataKey", key.keyId);
  });
  const length = "NumberOfBytes" in size ? size.NumberOfBytes : DATA_KEY_LENGTH;
  if (Plaintext?.length !== length || !CiphertextBlob?.length) {
    Plaintext?.fill(0);
    throw unexpectedAnswer("GenerateDataKey");
  }
  return { plaintext: Plaintext, blob: CiphertextBlob, keyArn: KeyId };
}

export async function encryptDataKey(key: KmsKey, context: StringMap, plaintext: Uint8Array): Promise<WrappedByKms> {
  const command = new EncryptCommand({
    KeyId: key.keyId,
    Plaintext: plaintext,
    EncryptionContext: { ...context },
    ...grants(key),
  });
  const { CiphertextBlob, KeyId } = await key.client.send(command).catch((error: unknown) => {
    throw kmsError(error, "kms:Encrypt", key.keyId);
  });
  if (!CiphertextBlob?.length) throw unexpectedAnswer("Encrypt");
  return { blob: CiphertextBlob, keyArn: KeyId };
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
    throw kmsError(error, "kms:Decrypt", ...(key.keyId === undefined ? [] : [key.keyId]));
  });
  if (Plaintext === undefined || KeyId === undefined) throw unexpectedAnswer("Decrypt");
  return { plaintext: Plaintext, keyArn: KeyId };
}

/** What KMS wrapped anew, and the ARN of the key that had wrapped it before. */
export interface ReencryptedBlob extends WrappedByKms {
  readonly keyArn: string;
  readonly sourceArn: string;
}

/** Both keys are pinned: what another key wrapped is not opened (S11). Sent by the client of the new key. */
export async function reencryptBlob(
  blob: Uint8Array,
  source: { readonly key: KmsKey; readonly context: StringMap },
  target: { readonly key: KmsKey; readonly context: StringMap },
): Promise<ReencryptedBlob> {
  if (blob.length === 0 || blob.length > MAX_BLOB_LENGTH) throw decryptionFailed();
  const grantTokens = [...new Set([...source.key.grantTokens, ...target.key.grantTokens])];
  const command = new ReEncryptCommand({
    CiphertextBlob: blob,
    SourceKeyId: source.key.keyId,
    SourceEncryptionContext: { ...source.context },
    DestinationKeyId: target.key.keyId,
    DestinationEncryptionContext: { ...target.context },
    ...grants({ grantTokens }),
  });
  const { CiphertextBlob, SourceKeyId, KeyId } = await target.key.client.send(command).catch((error: unknown) => {
    throw kmsError(error, "kms:ReEncryptFrom and kms:ReEncryptTo", source.key.keyId, target.key.keyId);
  });
  // Without their names nobody could tell that both keys are one.
  if (!CiphertextBlob?.length || SourceKeyId === undefined || KeyId === undefined) throw unexpectedAnswer("ReEncrypt");
  return { blob: CiphertextBlob, keyArn: KeyId, sourceArn: SourceKeyId };
}

function grants({ grantTokens }: { readonly grantTokens: readonly string[] }): { GrantTokens?: string[] } {
  return grantTokens.length === 0 ? {} : { GrantTokens: [...grantTokens] };
}

export function unexpectedAnswer(operation: string): S3EncryptionError {
  return new S3EncryptionError(
    "key-unavailable",
    `KMS answered ${operation} without the key that was asked for: check the endpoint of the KMS client.`,
  );
}
