import type { S3Client } from "@aws-sdk/client-s3";
import type { WrapAlgorithm } from "@s3ec/materials";
import type { KeyQuestion } from "../key-question/key-question.js";
import type { StoredObject } from "../sources/stored-object.js";
import type { AuditReader } from "./audit-reader.js";
import type { Address, Request } from "./stored-text.js";

/** How each object is looked at. */
export interface Auditing {
  /** One that does not encrypt. */
  readonly client: S3Client;
  readonly Bucket: string;
  readonly keyQuestion: KeyQuestion | undefined;
  readonly keyQuestions: Readonly<Record<string, KeyQuestion>> | undefined;
  readonly reader: AuditReader | undefined;
  /** Whether something is asked about all wraps there are. */
  readonly isAsked: boolean;
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  readonly instructionFileSuffixes: readonly string[];
  /** Whether files beside objects come by themselves, as in a listing, and need not be asked for. */
  readonly areFilesListed: boolean;
  /** Suffixes of files that are looked at beside each object all the same. */
  readonly suffixesRead: readonly string[];
  /** Whether what has no envelope is looked into, however long it is. */
  readonly looksForMessages: boolean;
  /** What one object has shown of the store counts for all of them. */
  readonly store: { knowsAnnotations: boolean; hidesAnnotations: boolean };
  readonly request: Request;
}

/** One object that is looked at. */
export interface AuditTarget {
  readonly auditing: Auditing;
  readonly stored: StoredObject;
  readonly address: Address;
  /** What of it could not be told, in sentences. */
  readonly problems: string[];
}
