import { decryptionFailed, isError, S3EncryptionError } from "@s3ec/materials";

export type KmsPermission =
  | "kms:Decrypt"
  | "kms:GenerateDataKey"
  | "kms:Encrypt"
  | "kms:ReEncryptFrom and kms:ReEncryptTo";

/** What to do about an SDK error, by its name. `%` stands for the permission of the call. */
const REMEDIES: Readonly<Record<string, string>> = {
  AccessDeniedException: "KMS denied the call: the caller needs the permission % on the key, in its policy or by IAM.",
  NotFoundException: "KMS has no such key: check keyId (an alias starts with alias/), the account and the region.",
  DisabledException: "The KMS key is disabled: enable it to use % again.",
  KMSInvalidStateException: "The KMS key is in a state that does not allow %, such as pending deletion.",
  KeyUnavailableException: "KMS cannot use the key at the moment; try % again later.",
  InvalidKeyUsageException: "The KMS key is not a symmetric encryption key, which % needs here.",
  InvalidGrantTokenException: "KMS does not accept one of the grantTokens.",
  ValidationException: "KMS found the % request not valid: check keyId and the length of the encryption context.",
  CredentialsProviderError: "No AWS credentials were found for %: configure them for the KMS client.",
  UnrecognizedClientException: "KMS does not know the AWS credentials that % was called with.",
  ExpiredTokenException: "The AWS credentials that % was called with have expired.",
  InvalidSignatureException: "KMS did not accept the signature of the % request: check the AWS credentials.",
};
const REGION_MISSING = "The region of KMS is missing: pass region (or a client that has one), or set AWS_REGION.";
const UNREACHABLE = "KMS could not be reached or could not answer %: check the network, the endpoint and the region.";

const INCORRECT_KEY = "IncorrectKeyException";

/** Whether a typed error says that the blob is another KMS key's. */
export function isOfAnotherKey(error: unknown): boolean {
  return isError(error) && isError(error.cause) && error.cause.name === INCORRECT_KEY;
}

/**
 * The typed error for a failed KMS call, with the SDK's error as cause. A blob that KMS does not open, or not with the
 * pinned key, is the uniform `decryption-failed` (S11, S16); everything else is `key-unavailable` with its remedy.
 */
export function kmsError(error: unknown, permission: KmsPermission): S3EncryptionError {
  const name = isError(error) ? error.name : "";
  if (name === "InvalidCiphertextException" || name === INCORRECT_KEY) return decryptionFailed(error);
  const isRegionMissing = isError(error) && error.message === "Region is missing";
  const remedy = isRegionMissing ? REGION_MISSING : Object.hasOwn(REMEDIES, name) ? REMEDIES[name] : UNREACHABLE;
  return new S3EncryptionError("key-unavailable", (remedy ?? UNREACHABLE).replace("%", permission), { cause: error });
}
