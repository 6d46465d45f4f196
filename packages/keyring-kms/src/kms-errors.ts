import { decryptionFailed, isError, S3EncryptionError } from "@s3ec/materials";

export type KmsPermission =
  | "kms:Decrypt"
  | "kms:GenerateDataKey"
  | "kms:Encrypt"
  | "kms:ReEncryptFrom and kms:ReEncryptTo";

/** What to do about an SDK error, by its name; told the permission of the call, and the key in words. */
const REMEDIES: Readonly<Record<string, (permission: string, key: string) => string>> = {
  AccessDeniedException: (permission, key) =>
    `KMS denied the call: the caller needs the permission ${permission} on ${key}, in its policy or by IAM.`,
  NotFoundException: (_, key) =>
    `KMS does not find ${key}: check keyId (an alias starts with alias/), the account and the region.`,
  DisabledException: (permission, key) => `KMS has disabled ${key}: enable it to use ${permission} again.`,
  KMSInvalidStateException: (permission, key) =>
    `KMS has ${key} in a state that does not allow ${permission}, such as pending deletion.`,
  KeyUnavailableException: (permission, key) => `KMS cannot use ${key} at the moment; try ${permission} again later.`,
  InvalidKeyUsageException: (permission, key) =>
    `KMS has ${key} for another use: ${permission} needs a symmetric encryption key here.`,
  InvalidGrantTokenException: () => "KMS does not accept one of the grantTokens.",
  ValidationException: (permission) =>
    `KMS found the ${permission} request not valid: check keyId and the length of the encryption context.`,
  CredentialsProviderError: (permission) =>
    `No AWS credentials were found for ${permission}: configure them for the KMS client.`,
  UnrecognizedClientException: (permission) =>
    `KMS does not know the AWS credentials that ${permission} was called with.`,
  ExpiredTokenException: (permission) => `The AWS credentials that ${permission} was called with have expired.`,
  InvalidSignatureException: (permission) =>
    `KMS did not accept the signature of the ${permission} request: check the AWS credentials.`,
};
const REGION_MISSING = "The region of KMS is missing: pass region (or a client that has one), or set AWS_REGION.";
const unreachable = (permission: string): string =>
  `KMS could not be reached or could not answer ${permission}: check the network, the endpoint and the region.`;

const INCORRECT_KEY = "IncorrectKeyException";

/** Whether a typed error says that the blob is another KMS key's. */
export function isOfAnotherKey(error: unknown): boolean {
  return isError(error) && isError(error.cause) && error.cause.name === INCORRECT_KEY;
}

/**
 * The typed error for a failed KMS call, with the SDK's error as cause. A blob that KMS does not open, or not with the
 * pinned key, is the uniform `decryption-failed` (S11, S16); everything else is `key-unavailable` with its remedy.
 *
 * @param keyIds of the keys that were named in the call; none where KMS chooses
 */
export function kmsError(error: unknown, permission: KmsPermission, ...keyIds: readonly string[]): S3EncryptionError {
  const name = isError(error) ? error.name : "";
  if (name === "InvalidCiphertextException" || name === INCORRECT_KEY) return decryptionFailed(error);
  const isRegionMissing = isError(error) && error.message === "Region is missing";
  const remedy = (Object.hasOwn(REMEDIES, name) ? REMEDIES[name] : undefined) ?? unreachable;
  const key = keyIds.length === 0 ? "the key that the object names" : `the key ${keyIds.join(" or ")}`;
  const message = isRegionMissing ? REGION_MISSING : remedy(permission, key);
  return new S3EncryptionError("key-unavailable", message, { cause: error });
}
