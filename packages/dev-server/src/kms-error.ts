export type KmsErrorType =
  | "AlreadyExistsException"
  | "DisabledException"
  | "IncompleteSignature"
  | "IncorrectKeyException"
  | "InvalidCiphertextException"
  | "InvalidKeyUsageException"
  | "InvalidSignatureException"
  | "KMSInternalException"
  | "KMSInvalidStateException"
  | "MissingAuthenticationToken"
  | "NotFoundException"
  | "UnknownOperationException"
  | "UnrecognizedClientException"
  | "UnsupportedOperationException"
  | "ValidationException";

/** A refusal in the words of KMS. */
export class KmsError extends Error {
  readonly type: KmsErrorType;
  readonly status: number;

  constructor(type: KmsErrorType, message: string) {
    super(message);
    this.name = "KmsError";
    this.type = type;
    this.status = type === "KMSInternalException" ? 500 : 400;
  }
}
