import type { WrapAlgorithm } from "@s3ec/envelope";
import type { StringMap, WrapPlace } from "@s3ec/materials";
import type { Need } from "../key-question/key-question.js";
import type { Readable } from "./audit-reader.js";

/** A wrapped key as it says of itself; nothing of it is authenticated. */
export interface AuditedWrap {
  /** Where it stands. */
  readonly place: WrapPlace;
  /** Whose it is, where a file or an annotation says so. */
  readonly recipient?: string;
  /** The wrap, as the sibling clients call it. */
  readonly wrapAlgorithm: string;
  /** What the wrapping key is. */
  readonly keyKind: WrapAlgorithm["keyKind"];
  /** Whether the wrap is not bound to the content's cipher. */
  readonly isLegacy: boolean;
  /** What is stored to describe it: an encryption context of KMS, or a material description. */
  readonly description: StringMap;
  /** ARN of the KMS key, where it is stored beside the wrap: a hint. */
  readonly wrappingKey?: string;
  /** Whether it needs the key that is asked about; absent where none is. */
  readonly needsKey?: Need;
  /** The same of each of several keys, by their names. */
  readonly needsKeys?: Readonly<Record<string, Need>>;
  /** Whether the reader that is asked about opens it; absent where none is. */
  readonly readable?: Readable;
  /** Why it does not, in a sentence. */
  readonly whyNot?: string;
}

/**
 * What an audit found at a key:
 *
 * - `encrypted`: an object of an S3 encryption client.
 * - `message`: its first bytes are those of a message of the AWS Encryption SDK, which it may be: `s3ec inspect` tells.
 * - `plain`: nothing says that it is encrypted.
 * - `instruction-file`, `orphaned-file`: a wrapped key for another object, which is there, or is not.
 * - `unreadable`: it is encrypted, or a file for an object that is, and its envelope is malformed or its wrapped key missing.
 * - `unknown`: it could not be looked at.
 * - `nothing`: a delete marker, or an object that was deleted since it was listed.
 */
export type AuditState =
  | "encrypted"
  | "message"
  | "plain"
  | "instruction-file"
  | "orphaned-file"
  | "unreadable"
  | "unknown"
  | "nothing";

/** What is stored at one key. */
export interface AuditedObject {
  /** Its key. */
  readonly Key: string;
  /** The version, where one was named. */
  readonly VersionId?: string;
  /** What was found. */
  readonly state: AuditState;
  /** What could not be read or told, in a sentence. Absent where all could. */
  readonly problem?: string;
  /** Of an encrypted object. */
  readonly format?: "V1" | "V2" | "V3";
  /** Of an encrypted object: the specification's name of its algorithm suite. */
  readonly suite?: string;
  /** Of an encrypted object: whether its content has a tag. */
  readonly isAuthenticated?: boolean;
  /** Of an encrypted object: whether its content key is committed to. */
  readonly isCommitting?: boolean;
  /** Bytes in S3. */
  readonly storedLength?: number;
  /** Of an encrypted object: bytes of plaintext, or null where nothing stored says how many. */
  readonly contentLength?: number | null;
  /** Of a file: the key of the object that it is beside. */
  readonly owner?: string;
  /** Of a file: whether its mark is another object's than the one that stands there. */
  readonly isOfAnother?: boolean;
  /** The wrapped keys that were found; of a file its own. */
  readonly wraps: readonly AuditedWrap[];
  /** Whether anything here needs the key that is asked about; absent where none is. */
  readonly needsKey?: Need;
  /** The same of each of several keys, by their names. */
  readonly needsKeys?: Readonly<Record<string, Need>>;
  /** Of an encrypted object, and what may be one: whether the reader that is asked about opens it, by any wrap that was found. */
  readonly readable?: Readable;
  /** Why it does not, in a sentence. */
  readonly whyNot?: string;
}
