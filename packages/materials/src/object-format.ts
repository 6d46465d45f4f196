import type { KeyObject } from "node:crypto";
import type { ByteRange, CommitmentPolicy, ContentParts, WrapAlgorithm } from "@s3ec/envelope";
import type { ObjectRequest } from "./object-request.js";
import type { OpenedObject } from "./opened-object.js";
import type { AnnotationReader, SiblingFile, SiblingReader, SiblingRules, Siblings } from "./siblings.js";
import type { WrapRules } from "./wrap-rules.js";

/**
 * One way to store an encrypted object: everything that a client has to know of it. A client is given formats, writes with
 * one, reads with the one that recognises the object, and knows none of them by name.
 */
export interface ObjectFormat {
  /** What a call's `format` names it by, such as `"s3"`. No two formats of a client have the same. */
  readonly name: string;

  /**
   * Whether all content is proven before it is final, so that a checksum of S3's would find nothing that this does not.
   * False where a format reads content without a tag, or ranges of content that has one tag for all of it.
   */
  readonly provesAll: boolean;

  /**
   * Names of user metadata that are this format's own, in lower case: they stay when a copy replaces the metadata, and are
   * dropped from what a caller puts, since a get has shown them. Absent where it keeps nothing there.
   */
  readonly metadataNames?: readonly string[];

  /** What it knows of the files that may stand beside its objects; absent where there are none. */
  readonly siblings?: SiblingRules;

  /** How the data key of a stored object is given another wrap; absent where that must not be. */
  readonly wraps?: WrapRules;

  /**
   * Refuses a policy under which objects of this format can never be written.
   *
   * @throws S3EncryptionError `commitment-policy`, or `invalid-configuration` where the format's own options forbid it
   */
  assertMayWrite(commitmentPolicy: CommitmentPolicy): void;

  /**
   * What an object's user metadata says of it. Pure.
   *
   * @throws S3EncryptionError `malformed-envelope` for what can only be of this format, and cannot be right
   */
  recognise(metadata: Readonly<Record<string, string>>): Recognition;

  /**
   * The head that these first bytes of an object are: `null` where no object of this format begins so, `"incomplete"`
   * where it takes more bytes to tell. Asked only of a format whose `recognise` said `"by-body"`. Pure, and bounded by the
   * format's own limits.
   *
   * @throws S3EncryptionError `malformed-envelope` for what begins like one and is none
   */
  readHead?(start: Uint8Array): ObjectHead | "incomplete" | null;

  /**
   * What to fetch for a range of plaintext of an object of which nothing is known yet, wide enough for whatever it turns
   * out to be: the value of a `Range` header. Absent where an object has to be begun with its head.
   *
   * @throws S3EncryptionError `legacy-disabled` where no range may be read
   */
  rangeToFetch?(range: ByteRange): string;

  /**
   * Every gate, then the materials, then the commitment: all before a byte of content is looked at (S5, S6).
   *
   * @throws S3EncryptionError `not-encrypted` where the object turns out not to be of this format; `malformed-envelope`,
   *   `commitment-policy`, `legacy-disabled`, `context-mismatch`; what the manager throws; `decryption-failed` from the
   *   unwrapping on
   */
  open(object: ObjectToOpen): Promise<OpenedObject>;

  /**
   * Refuses what must not be written, gets materials, and starts the one pass of encryption (S18).
   *
   * @throws S3EncryptionError `commitment-policy`, `invalid-argument`, `content-too-large`; what the manager throws
   */
  seal(object: ObjectToSeal): Promise<SealedObject>;

  /**
   * The same for an object whose content is given part by part, in any order, and can be given again (S18). Absent where
   * the format, or this runtime, cannot: nothing was asked for a key then.
   *
   * @throws S3EncryptionError `commitment-policy`, `invalid-argument`, `content-too-large`; what the manager throws
   */
  readonly sealInParts?: ((object: ObjectToSealInParts) => Promise<ObjectInParts>) | undefined;

  /**
   * Goes on with an object that `sealInParts` began in another process: what was kept of it passes every gate of a read, with
   * nothing in it that this format does not write, before its data key is unwrapped. Nothing of it is proven by that: the
   * caller has to authenticate all that was kept, under `stateKey`, before a part is sealed (G7).
   *
   * @throws S3EncryptionError `malformed-envelope`, `commitment-policy`, `legacy-disabled`, `context-mismatch`,
   *   `no-matching-key`, `content-too-large`; what the manager throws; `decryption-failed` from the unwrapping on
   */
  readonly resumeInParts?: ((object: ObjectToResume) => Promise<ObjectInParts>) | undefined;

  /**
   * Plaintext bytes of an object, by arithmetic on what S3 says of it without a request or a key; undefined where that does
   * not say. Not authenticated.
   */
  plaintextLength(metadata: Readonly<Record<string, string>>, storedLength: number): number | undefined;

  /**
   * What is stored about an object, found without any key: nothing of it is secret, nothing of it is authenticated.
   *
   * @throws S3EncryptionError `not-encrypted` where nothing of this format is found, `malformed-envelope`
   */
  inspect(object: ObjectToInspect): Promise<Inspection>;
}

/**
 * Whether an object is of a format: it is, by its metadata; its first bytes decide; a file beside it decides, which is
 * asked for only when nothing else was recognised; or it is not.
 */
export type Recognition = "by-metadata" | "by-body" | "by-sibling" | "no";

/** What an object of a format begins with. */
export interface ObjectHead {
  /** Bytes that it takes up at the beginning of the object. */
  readonly length: number;
}

/** An object as S3 answered, to be opened. */
export interface ObjectToOpen extends ObjectRequest {
  /** Its user metadata, as S3 answered it; not authenticated. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What `readHead` of the same format gave; absent for a format that has no heads. */
  readonly head?: ObjectHead;
  /** Take what is needed from the file beside the object, although its metadata has it too. Default false. */
  readonly preferSibling?: boolean;
  /** Only a range is going to be read: what must not be is refused before a key is used. Default false. */
  readonly partial?: boolean;
  /** Reads the files beside it, when the format asks. */
  readonly siblings: SiblingReader;
  /** Reads its annotations, when the format asks. Default: there are none. */
  readonly annotations?: AnnotationReader;
}

/** An object to be written. */
export interface ObjectToSeal extends ObjectRequest {
  /** The caller's bytes, read once. */
  readonly plaintext: AsyncIterable<Uint8Array>;
  /** Plaintext bytes, where known; the plaintext then must have exactly as many. */
  readonly contentLength?: number;
}

/** An object ready to be stored: encrypted once, in order, as it is read. */
export interface SealedObject {
  /** To be stored beside the caller's own user metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What is stored, encrypted as it is read; to be read once, or returned. */
  readonly ciphertext: AsyncGenerator<Uint8Array>;
  /** Stored bytes; undefined where only the end will tell. */
  readonly length: number | undefined;
  /** What to store beside it; `NO_SIBLINGS` for nothing. */
  readonly siblings: Siblings;
}

/** An object to be written in parts. */
export interface ObjectToSealInParts extends ObjectRequest {
  /** Plaintext bytes of the whole, where known. */
  readonly contentLength?: number;
}

/** An object that another process has begun to write, as it was kept. */
export interface ObjectToResume extends ObjectToSealInParts {
  /** What the format has stored with it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What it stores beside it. */
  readonly files: readonly SiblingFile[];
}

/** An object whose content is encrypted part by part. */
export interface ObjectInParts {
  /** To be stored beside the caller's own user metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Encrypts each part, and says what is stored behind the last one. */
  readonly parts: ContentParts;
  /** Whether the manager unwraps what it has wrapped, so that another process can go on with the object. */
  readonly isResumable: boolean;
  /**
   * The key that authenticates what is kept of the object outside of this process (G7).
   *
   * @param secret 32 bytes that this user keeps; the data key alone would not do, which others can choose
   * @throws S3EncryptionError `invalid-argument` for another length
   */
  stateKey(secret: Uint8Array): KeyObject;
  /** What to store beside it; `NO_SIBLINGS` for nothing. */
  readonly siblings: Siblings;
}

/** An object to be described, without a key. */
export interface ObjectToInspect {
  /** Its user metadata, as S3 answered it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes in S3. */
  readonly storedLength: number;
  /** What `readHead` of the same format gave; absent for a format that has no heads. */
  readonly head?: ObjectHead;
  /** The file to look at, even where the metadata has all that is needed. Default: as a reader would. */
  readonly siblingSuffix?: string;
  /** Wraps beyond those that the format knows by itself, as a keyring declares them. Default: none. */
  readonly wrapAlgorithms?: readonly WrapAlgorithm[];
  /** Reads the files beside it, when the format asks. */
  readonly siblings: SiblingReader;
  /** Reads its annotations, when the format asks. Default: there are none. */
  readonly annotations?: AnnotationReader;
}

/** What a format says of an object: beside what every format says, anything that JSON can hold. */
export interface Inspection {
  /** The format, or which of its versions. */
  readonly format: string;
  /** Bytes in S3. */
  readonly storedLength: number;
  /** Plaintext bytes; null where only the object's end tells. */
  readonly contentLength: number | null;
}
