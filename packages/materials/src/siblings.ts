import type { MaterialsManager } from "./materials-manager.js";
import type { ObjectRequest } from "./object-request.js";

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
   *
   * @param named the suffix that a call names
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

  /** Whether what lies at a file's key is such a file at all, of whichever object: not somebody's object of that name. */
  isFile(file: SiblingText, metadata: Readonly<Record<string, string>>): boolean;

  /** A file's user metadata, with the mark of the object that it is of. */
  marked(metadata: Readonly<Record<string, string>>, mark: string): Readonly<Record<string, string>>;

  /** Whether a file could be of an object with this user metadata, as far as that shows without a key. */
  isFileFor(metadata: Readonly<Record<string, string>>, file: SiblingText, materialsManager: MaterialsManager): boolean;

  /** Whether a file is proven to be of this object, by a key or by what both say. Throws nothing. */
  isProven(
    object: ObjectRequest & { readonly metadata: Readonly<Record<string, string>> },
    file: SiblingText,
  ): Promise<boolean>;

  /**
   * Refuses files that were found beside one object and are not for the same content.
   *
   * @throws S3EncryptionError `malformed-envelope`
   */
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

/** What an object's user metadata says of the files beside it. */
export interface ObjectKind {
  /** Tells it from every other object; undefined where its writer left nothing on it. */
  readonly mark: string | undefined;
  /** Whether it can be read without a file. */
  readonly standsAlone: boolean;
  /** Whether it is certain that it cannot. Neither is certain of an object with nothing of ours on it. */
  readonly needsFile: boolean;
}

/** A file beside an object, as it was read. */
export interface SiblingText {
  /** What follows the object's key in the file's. */
  readonly suffix: string;
  /** Its body, verbatim; not authenticated. */
  readonly text: string;
}

/** Reads files beside one object: of the key of the object plus a suffix. */
export interface SiblingReader {
  /**
   * The file with this suffix, verbatim, at most 64 KiB and one byte of it (S14); undefined where there is none. Any other
   * failure is S3's own (H34).
   */
  read(suffix: string): Promise<string | undefined>;
}

/** A file that is stored beside an object, at the object's key plus `suffix`. */
export interface SiblingFile {
  /** What follows the object's key in the file's, such as `.instruction`. */
  readonly suffix: string;
  /** The file's text; holds wrapped keys only. */
  readonly body: string;
  /** The file's user metadata. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A wrapped key that is stored in an annotation of an object, or what describes it. */
export interface SiblingAnnotation {
  /** The annotation's. */
  readonly name: string;
  /** Whose key it is, as the writer calls the recipient; absent for what holds none. */
  readonly recipient?: string;
  /** The annotation's text. */
  readonly text: string;
}

/** Reads annotations of one object, or of the version of it that is read. */
export interface AnnotationReader {
  /**
   * Names and sizes in bytes of those whose name begins so.
   *
   * @throws S3EncryptionError `unsupported-operation` where the store knows none; S3's own errors
   */
  list(prefix: string): Promise<readonly { readonly name: string; readonly size: number }[]>;
  /** The text, at most 64 KiB and one byte of it (S14); undefined where there is none. */
  read(name: string): Promise<string | undefined>;
}

/** What a format stores beside an object, and how the object is told from every other one. */
export interface Siblings {
  /** In the order in which they are written. */
  readonly files: readonly SiblingFile[];
  /** In annotations of the object, once that is stored; default none. */
  readonly annotations?: readonly SiblingAnnotation[];
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
