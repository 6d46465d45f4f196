/** The names of errors, as they stand in `__type`. */
export type KmsErrorType =
  | "AlreadyExistsException"
  | "DisabledException"
  | "DryRunOperationException"
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

const statusOf: Partial<Readonly<Record<KmsErrorType, number>>> = {
  DryRunOperationException: 412,
  KMSInternalException: 500,
};

/** A refusal in the words of KMS. */
export class KmsError extends Error {
  /** The name of the error. */
  readonly type: KmsErrorType;
  /** The HTTP status. */
  readonly status: number;

  constructor(type: KmsErrorType, message: string) {
    super(message);
    this.name = "KmsError";
    this.type = type;
    this.status = statusOf[type] ?? 400;
  }
}
