import type { S3EncryptionErrorCode } from "@s3ec/materials";

/** How a command ended; `s3ec --help` says what each one means. */
export type Outcome =
  | "ok"
  | "unexpected"
  | "usage"
  | "configuration"
  | "refused"
  | "key"
  | "decryption"
  | "storage"
  | "open"
  | "partial"
  | "interrupted"
  | "unread"
  | "terminated";

/** What a script can tell apart; `s3ec --help` lists them. */
export const EXIT_CODES: Readonly<Record<Outcome, number>> = Object.freeze({
  ok: 0,
  unexpected: 1,
  usage: 2,
  configuration: 3,
  refused: 4,
  key: 5,
  decryption: 6,
  storage: 7,
  open: 8,
  partial: 9,
  interrupted: 130,
  unread: 141,
  terminated: 143,
});

export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  an error that none of the following names
  2  wrong arguments
  3  invalid configuration, or no region or credentials
  4  refused: not encrypted, a malformed envelope, or not allowed by the policy
  5  no key: none of the keyrings has it, its store refused, or the wrong encryption context
  6  could not be decrypted: altered, or another key
  7  the file system, S3 or the network failed, or what was named is not there
  8  of many objects some could not be done, still need the key, or are not read;
     or a recipient may still be there: the output says which
  9  nothing in this list needs the key, or is beyond the reader, and it is not
     the whole bucket
  130, 143  interrupted, terminated
  141  whoever reads what cat or ls prints has stopped`;

/** A command has said all that there is to say, and ends with this code. */
export class Verdict extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("What was printed says it.");
    this.exitCode = exitCode;
  }
}

/** What was named is not there. */
export class NothingThere extends Error {}

/** Of an `S3EncryptionError`, by its code. */
export const EXIT_CODE_OF: Readonly<Record<S3EncryptionErrorCode, number>> = {
  "not-encrypted": EXIT_CODES.refused,
  "malformed-envelope": EXIT_CODES.refused,
  "commitment-policy": EXIT_CODES.refused,
  "legacy-disabled": EXIT_CODES.refused,
  "context-mismatch": EXIT_CODES.key,
  "no-matching-key": EXIT_CODES.key,
  "key-unavailable": EXIT_CODES.key,
  "decryption-failed": EXIT_CODES.decryption,
  "content-mismatch": EXIT_CODES.decryption,
  "unsupported-operation": EXIT_CODES.refused,
  "invalid-argument": EXIT_CODES.usage,
  "invalid-configuration": EXIT_CODES.configuration,
  "content-too-large": EXIT_CODES.refused,
  "instruction-file-failed": EXIT_CODES.storage,
  "outcome-unknown": EXIT_CODES.storage,
  "transfer-in-use": EXIT_CODES.storage,
};
