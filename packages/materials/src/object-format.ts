import type { ByteRange, CommitmentPolicy, ContentProof, StringMap, WrapAlgorithm } from "@s3ec/envelope";
import type { MaterialsManager, RequestedObject } from "./materials-manager.js";

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

  /** What it knows of the files that may stand beside its objects; absent where there are none. */
  readonly siblings?: SiblingRules;

  /** Throws `commitment-policy` or `invalid-configuration` where objects of this format can never be written under it. */
  assertMayWrite(commitmentPolicy: CommitmentPolicy): void;

  /**
   * What an object's user metadata says of it. Pure. Throws `malformed-envelope` for what can only be of this format, and
   * cannot be right.
   */
  recognise(metadata: Readonly<Record<string, string>>): Recognition;

  /**
   * The head that these first bytes of an object are: `null` where no object of this format begins so, `"incomplete"`
   * where it takes more bytes to tell. Asked only of a format whose `recognise` said `"by-body"`. Pure, and bounded by the
   * format's own limits. Throws `malformed-envelope` for what begins like one and is none.
   */
  readHead?(start: Uint8Array): ObjectHead | "incomplete" | null;

  /**
   * What to fetch for a range of plaintext of an object of which nothing is known yet, wide enough for whatever it turns
   * out to be: the value of a `Range` header. Absent where an object has to be begun with its head. Throws `legacy-disabled`
   * where no range may be read.
   */
  rangeToFetch?(range: ByteRange): string;

  /**
   * Every gate, then the materials, then the commitment: all before a byte of content is looked at (S5, S6). Throws
   * `not-encrypted` where the object turns out not to be of this format.
   */
  open(object: ObjectToOpen): Promise<OpenedObject>;

  /**
   * Refuses what must not be written, gets materials, and starts the one pass of encryption (S18). Throws
   * `commitment-policy`, `invalid-argument`, `content-too-large`, and what the manager throws.
   */
  seal(object: ObjectToSeal): Promise<SealedObject>;

  /**
   * Plaintext bytes of an object, by arithmetic on what S3 says of it without a request or a key; undefined where that does
   * not say. Not authenticated.
   */
  plaintextLength(metadata: Readonly<Record<string, string>>, storedLength: number): number | undefined;

  /** What is stored about an object, found without any key: nothing of it is secret, nothing of it is authenticated. */
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

/** What a call says, for the format to make of it what it can. */
export interface ObjectRequest extends RequestedObject {
  readonly materialsManager: MaterialsManager;
  readonly commitmentPolicy: CommitmentPolicy;
  /** Must be what is stored (S10). */
  readonly encryptionContext: StringMap;
  readonly materialDescription?: StringMap;
  /** Suffix of the file that the call names. */
  readonly siblingSuffix?: string;
}

/** An object as S3 answered, to be opened. */
export interface ObjectToOpen extends ObjectRequest {
  readonly metadata: Readonly<Record<string, string>>;
  /** What `readHead` of the same format gave. */
  readonly head?: ObjectHead;
  /** Take what is needed from the file beside the object, although its metadata has it too. */
  readonly preferSibling?: boolean;
  /** Only a range is going to be read: what must not be is refused before a key is used. */
  readonly partial?: boolean;
  readonly siblings: SiblingReader;
}

/** Reads files beside one object: of the key of the object plus a suffix. */
export interface SiblingReader {
  /**
   * The file with this suffix, verbatim, at most 64 KiB and one byte of it (S14); undefined where there is none. Any other
   * failure is S3's own (H34).
   */
  read(suffix: string): Promise<string | undefined>;
}

/** Content whose key is known, and committed to where its format can. */
export interface OpenedObject {
  /** What is known of a piece once it is decrypted: that it is authentic, nothing before the end, or nothing at all. */
  readonly proves: "pieces" | "whole" | "nothing";

  /** Plaintext bytes of an object of this many bytes; undefined where only its end will tell. Throws `decryption-failed`. */
  plaintextLength(storedLength: number): number | undefined;

  /**
   * Proves the content without making its plaintext; `inPieces` where it is not kept in our own memory meanwhile. Absent
   * or undefined where only decrypting it tells.
   */
  proof?(inPieces: boolean): ContentProof | undefined;

  /** Decrypts all bytes behind the head. Ends without an error only where `proves` was kept. */
  decrypt(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;

  /**
   * What to fetch for a range of plaintext. Undefined when the range starts past the end. Throws `legacy-disabled` or
   * `unsupported-operation` where a part may not, or cannot, be read without the rest.
   */
  range(range: ByteRange, storedLength: number): OpenedRange | undefined;
}

/** A range of an object. First and last bytes are inclusive. */
export interface OpenedRange {
  readonly fetchFirst: number;
  readonly fetchLast: number;
  /** In plaintext bytes. */
  readonly first: number;
  readonly last: number;
  /** Whether `last` may be past the end, which is hidden until it is decrypted. */
  readonly endsEarlier: boolean;
  /** Plaintext bytes of the whole object, where the format says. */
  readonly total: number | undefined;
  /** Decrypts the fetched bytes to exactly the range. */
  decrypt(fetched: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}

/** An object to be written. */
export interface ObjectToSeal extends ObjectRequest {
  readonly plaintext: AsyncIterable<Uint8Array>;
  /** Plaintext bytes, where known; the plaintext then must have exactly as many. */
  readonly contentLength?: number;
}

/** An object ready to be stored: encrypted once, in order, as it is read. */
export interface SealedObject {
  /** To be stored beside the caller's own user metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly ciphertext: AsyncGenerator<Uint8Array>;
  /** Stored bytes; undefined where only the end will tell. */
  readonly length: number | undefined;
  readonly siblings: Siblings;
}

/** A file that is stored beside an object, at the object's key plus `suffix`. */
export interface SiblingFile {
  readonly suffix: string;
  readonly body: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a format stores beside an object, and how the object is told from every other one. */
export interface Siblings {
  readonly files: readonly SiblingFile[];
  /** Whether the object cannot be read without them. They are then written before it, and put back when it fails. */
  readonly first: boolean;
  /** Found by `markOf` on this object and no other; undefined where its format leaves nothing on the object. */
  readonly mark: string | undefined;
  /** Replace files, unconditionally, of which it cannot be told what they are of. */
  readonly replaceUnknown: boolean;
  /** An object's mark, from its user metadata. */
  markOf(metadata: Readonly<Record<string, string>>): string | undefined;
  /** The mark of the object that a file is of, from the file's user metadata. */
  fileMarkOf(metadata: Readonly<Record<string, string>>): string | undefined;
  /** Whether an object with this user metadata can be read without a file. */
  standsAlone(metadata: Readonly<Record<string, string>>): boolean;
}

/** What a format knows of the files beside its objects: to read an object's own one, and to take them along. */
export interface SiblingRules {
  /** Whether an object may be read by a file beside it. */
  readonly reads: boolean;
  /** Replace files, unconditionally, of which it cannot be told what they are of. */
  readonly replaceUnknown: boolean;
  /** Suffixes of the files that a reader looks for although nobody named them. */
  readonly unnamed: readonly string[];

  /**
   * Suffixes of the files that this format's own writer may put beside an object, to be looked at by a put over it.
   *
   * @param named the suffix that a call names
   */
  suffixes(materialsManager: MaterialsManager, named: string | undefined): readonly string[];

  /**
   * Every suffix under which a file of an object may stand, in the order in which they are read: those of our own files,
   * then other writers', which may as well be somebody else's objects (`isOurs`).
   */
  suffixesBeside(materialsManager: MaterialsManager, named: string | undefined): readonly string[];

  /** Suffixes that a call's suffix means, or the one that is read without any; as asked, and as our writer makes it. */
  suffixesOf(named: string | undefined): readonly string[];

  /** Whether a file is one of ours by its name alone. */
  isOurs(suffix: string): boolean;

  /** What an object's user metadata says of the files beside it. */
  kindOf(metadata: Readonly<Record<string, string>>): ObjectKind;

  /** The mark of the object that a file is of, from the file's user metadata. */
  fileMarkOf(metadata: Readonly<Record<string, string>>): string | undefined;

  /** A file's user metadata, with the mark of the object that it is of. */
  marked(metadata: Readonly<Record<string, string>>, mark: string): Readonly<Record<string, string>>;

  /** Whether a file could be of an object with this user metadata, as far as that shows without a key. */
  isFileFor(metadata: Readonly<Record<string, string>>, file: SiblingText, materialsManager: MaterialsManager): boolean;

  /** Whether a file is proven to be of this object, by a key or by what both say. Throws nothing. */
  isProven(
    object: ObjectRequest & { readonly metadata: Readonly<Record<string, string>> },
    file: SiblingText,
  ): Promise<boolean>;

  /** Throws `malformed-envelope` where files that were found beside one object are not for the same content. */
  refuseStale(
    metadata: Readonly<Record<string, string>>,
    files: readonly SiblingText[],
    materialsManager: MaterialsManager,
  ): void;

  /**
   * Whether what is on the object tells one file with its suffix from another, so that several may be tried: by a key
   * commitment, for example.
   */
  tells(metadata: Readonly<Record<string, string>>, materialsManager: MaterialsManager): boolean;
}

/** A file beside an object, as it was read. */
export interface SiblingText {
  readonly suffix: string;
  readonly text: string;
}

/** What an object's user metadata says of the files beside it. */
export interface ObjectKind {
  /** Tells it from every other object; undefined where its writer left nothing on it. */
  readonly mark: string | undefined;
  /** Whether it can be read without a file. */
  readonly standsAlone: boolean;
  /** Whether it is certain that it cannot. Neither is certain of an object with nothing of ours on it. */
  readonly needsFile: boolean;
}

/** Of a format that puts everything into the object itself. */
export const NO_SIBLINGS: Siblings = Object.freeze({
  files: Object.freeze([]),
  first: false,
  mark: undefined,
  replaceUnknown: false,
  markOf: () => undefined,
  fileMarkOf: () => undefined,
  standsAlone: () => true,
});

/** An object to be described, without a key. */
export interface ObjectToInspect {
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes in S3. */
  readonly storedLength: number;
  /** What `readHead` of the same format gave. */
  readonly head?: ObjectHead;
  /** The file to look at, even where the metadata has all that is needed. */
  readonly siblingSuffix?: string;
  /** Wraps beyond those that the format knows by itself, as a keyring declares them. */
  readonly wrapAlgorithms?: readonly WrapAlgorithm[];
  readonly siblings: SiblingReader;
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
