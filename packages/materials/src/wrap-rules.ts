import type { KeyObject } from "node:crypto";
import type { AlgorithmSuite, EncryptedDataKey } from "@s3ec/envelope";
import type { ObjectRequest } from "./object-request.js";
import type { OpenedObject } from "./opened-object.js";
import type { SiblingAnnotation, Siblings } from "./siblings.js";

/**
 * How a format gives the data key of a stored object another wrap, while the content stays as it is. Absent from a format
 * whose header is authenticated under the content's own key: a second header under the same key and nonce would give that
 * away.
 */
export interface WrapRules {
  /** What comes first in the name of an annotation that holds a wrap; the recipient's name follows. Absent: no annotations. */
  readonly annotationPrefix?: string;

  /**
   * What is stored at a place, once every gate has let it pass (S6). No key is used, no content is read.
   *
   * @throws S3EncryptionError `not-encrypted`, `malformed-envelope`, `commitment-policy`, `legacy-disabled`;
   *   `no-matching-key` where the manager unwraps no such wrap
   */
  find(object: ObjectWithWrap): StoredWrap;

  /**
   * Refuses what the format puts nowhere: a place that cannot say how its key is wrapped, a further recipient that nothing holds
   * to the content (S19). No key is used, so that whoever was refused learns nothing of one (S16).
   *
   * @throws S3EncryptionError `unsupported-operation`
   */
  assertMayHold(stored: StoredWrap, request: Pick<WrapRequest, "place" | "isFurther">): void;

  /**
   * The data key of a wrap, by the manager of the request, and checked against the commitment where there is one.
   *
   * @throws S3EncryptionError what the manager throws, and `decryption-failed` from the unwrapping on
   */
  unwrap(stored: StoredWrap, request: ObjectRequest): Promise<HeldDataKey>;

  /**
   * The data key wrapped by another manager and laid out for a place. Unless `isTrusted`, that manager has opened it again.
   *
   * @throws S3EncryptionError `invalid-configuration` where the manager does not wrap the data key it is given, or not in
   *   words of the format; what `assertMayHold` and the manager throw
   */
  wrap(held: HeldDataKey, request: WrapRequest): Promise<LaidOutWrap>;

  /**
   * The data key wrapped for all that the manager wraps for, laid out as a put of an object with this content would be: for a copy
   * whose readers are others. The manager has opened the first of the wraps again.
   *
   * @throws S3EncryptionError `unsupported-operation` where nothing proves the data key to be the content's; as `wrap`
   */
  wrapAnew(held: HeldDataKey, request: ObjectRequest): Promise<LaidOutObject>;

  /**
   * The same as `wrap`, inside the key store that both managers' keyrings use: the data key is not given out, and nothing is proven of
   * it. Undefined where the new keyring's store cannot do that with any wrap.
   *
   * @throws S3EncryptionError `unsupported-operation` where it can, and not with this one; as `unwrap` and `wrap`
   */
  reencrypt?(
    stored: StoredWrap,
    from: ObjectRequest,
    to: WrapRequest,
  ): Promise<(LaidOutWrap & { readonly isSameKey: boolean }) | undefined>;
}

/** Where a wrapped key of an object stands, or is to stand: its own user metadata, a file beside it, or an annotation. */
export type WrapPlace =
  | { readonly in: "metadata" }
  | {
      readonly in: "instruction-file";
      /** What follows the object's key in the file's. */
      readonly suffix: string;
    }
  | {
      readonly in: "annotation";
      /** The annotation's full name. */
      readonly name: string;
    };

/** An object, and the place at which to look. */
export interface ObjectWithWrap {
  /** The object's user metadata, as S3 answered it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Where to look. */
  readonly place: WrapPlace;
  /** The text of the file or annotation, verbatim; absent for the metadata. */
  readonly text?: string;
  /** Who is to unwrap it, and what may be read. */
  readonly request: ObjectRequest;
}

/** A wrapped key as it stands, which may be opened. Opaque but for what is said here: it goes back to the same format. */
export interface StoredWrap {
  /** Where it stands. */
  readonly place: WrapPlace;
  /** What the content is encrypted with. */
  readonly suite: AlgorithmSuite;
  /** The text that wraps of this data key must be bound to. */
  readonly algorithmBinding: string;
  /** What is stored. */
  readonly encryptedDataKey: EncryptedDataKey;
}

/** A data key in the clear, and what is known of it. */
export interface HeldDataKey {
  /** The wrap that it came from. */
  readonly stored: StoredWrap;
  /** The data key. */
  readonly dataKey: KeyObject;
  /** Whether it is proven to be the key of this object's content: by a commitment, or, by whoever has read that, its tag. */
  readonly isProven: boolean;
  /** The content under this key: a proof of it proves the key where nothing is committed to. */
  readonly opened: OpenedObject;
}

/**
 * What to wrap a data key with, and for where. Of several wraps that the manager makes, the one that it has for this place
 * is taken.
 */
export interface WrapRequest extends ObjectRequest {
  /** Where it goes. */
  readonly place: WrapPlace;
  /** Whether the wrap that stands stays, and this is a further recipient's. */
  readonly isFurther: boolean;
  /** Take the manager's word: it wraps for somebody whose key cannot be used here, and so is not asked to open it. */
  readonly isTrusted: boolean;
}

/** A new wrapped key, as it is to be stored. */
export interface LaidOutWrap {
  /** Where it goes. */
  readonly place: WrapPlace;
  /** The new wrap. */
  readonly encryptedDataKey: EncryptedDataKey;
  /** In the metadata: the whole envelope, beside what is the user's. Of a file: its user metadata. Else empty. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the metadata: names that stand now, as they stand, and go. Else empty. */
  readonly replaces: readonly string[];
  /** The text of the file or annotation; absent for the metadata. */
  readonly text?: string;
  /** What describes the object from now on, in an annotation of it; absent where the format leaves none. */
  readonly describes?: SiblingAnnotation;
}

/** All that is stored of an object's keys, as a put would store it. */
export interface LaidOutObject {
  /** The whole envelope, beside what is the user's. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What goes beside the object: its further recipients' wraps. */
  readonly siblings: Siblings;
}
