import type { KmsAnswer } from "./vector.js";

/** Who wrote a message. */
export interface MessageWriter {
  /** The name of its package. */
  readonly client: "aws-encryption-sdk" | "aws-encryption-sdk-java" | "@aws-crypto/client-node";
  /** What it is written in. */
  readonly language: MessageLanguage;
  /** The release that wrote it. */
  readonly version: string;
}

/** Languages of the AWS Encryption SDKs that messages were tried with. */
export type MessageLanguage = "java" | "javascript" | "python";

/** A keyring of the SDK, by what it is made of. */
export type MessageKeyring =
  | {
      readonly type: "aes";
      /** The key provider's id. */
      readonly namespace: string;
      /** The key's, within its namespace. */
      readonly name: string;
      /** The key, in base64. */
      readonly base64: string;
    }
  | {
      readonly type: "rsa";
      /** The key provider's id. */
      readonly namespace: string;
      /** The key's, within its namespace. */
      readonly name: string;
      /** How data keys are padded; OAEP with one digest for label and mask. */
      readonly padding: "pkcs1" | "oaep-sha1" | "oaep-sha256" | "oaep-sha384" | "oaep-sha512";
      /** SPKI in PEM. */
      readonly publicKey: string;
      /** PKCS#8 in PEM. */
      readonly privateKey: string;
    }
  | {
      readonly type: "kms";
      /** The key's ARN. */
      readonly keyId: string;
    };

/** What a reader must have allowed. While it has not, the message must be refused before any key is used. */
export type MessageSwitch = "allow-non-committing";

/** An opt-in of its own, since granting it weakens a reader (README, "Opt-ins of messages"). */
export type MessageRequirement = "rsa-pkcs1";

/** The first check that fails in a reader that follows the message from its beginning (README, "Why a message is refused"). */
export type MessageFailure =
  | "malformed"
  | "truncated"
  | "trailing-bytes"
  | "unwrap"
  | "commitment"
  | "header-tag"
  | "body-tag"
  | "signature";

/** What a message is, whoever can read it. */
export interface StoredMessage {
  /** Unique among the messages. */
  readonly id: string;
  /** Who wrote it. */
  readonly writer: MessageWriter;
  /** Names in `loadMessageKeyrings()`, the one that made the data key first. Each alone opens the message. */
  readonly keyrings: readonly string[];
  /** Algorithm suite id, as `0x0478`. */
  readonly suite: string;
  /** In bytes; 0: one body without frames. */
  readonly frameLength: number;
  /** The caller's; a signed message stores its public key beside it. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** `length` in bytes, `sha256` in hex; `file` is relative to the package. */
  readonly message: { readonly file: string; readonly length: number; readonly sha256: string };
  /** What it was made of: `plaintextOf` gives it; `length` in bytes, `sha256` in hex. */
  readonly plaintext: { readonly seed: number; readonly length: number; readonly sha256: string };
  /** What KMS answers for the message's wrapped key, when one of the keyrings is a KMS key. */
  readonly kms?: KmsAnswer;
}

/** Decrypts to `plaintext`, whole and in any chunking, once its switches and its requirement are granted. */
export interface ReadableMessage extends StoredMessage {
  readonly expect?: never;
  /** All that a reader must have allowed; while one is missing, it must refuse. */
  readonly switches: readonly MessageSwitch[];
  /** What must be granted beside them. Default: nothing. */
  readonly requires?: MessageRequirement;
}

/** Must be refused even with every switch on, before or after a part of `plaintext` came out, and nothing else may come out. */
export interface RefusedMessage extends StoredMessage {
  readonly expect: "refuse";
  /** The id of the intact message that it was made from. */
  readonly madeFrom: string;
  /** What a reader finds wrong first. */
  readonly failure: MessageFailure;
  /** What was done to it. */
  readonly why: string;
  /** SDKs that opened it all the same, given the whole message in one call. */
  readonly openedBy?: readonly MessageLanguage[];
}

/** A message, and what a reader must make of it. */
export type MessageVector = ReadableMessage | RefusedMessage;
