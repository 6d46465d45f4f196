import { S3EncryptionError } from "@s3ec/materials";

/** Somebody who was to be added is a recipient already, or who was to be removed is none. Nothing was changed. */
export class RecipientStateError extends S3EncryptionError {
  declare readonly code: "invalid-argument";
  /** Whether there is such a recipient. */
  readonly isRecipient: boolean;

  constructor(message: string, isRecipient: boolean) {
    super("invalid-argument", message);
    this.name = "RecipientStateError";
    this.isRecipient = isRecipient;
  }
}
