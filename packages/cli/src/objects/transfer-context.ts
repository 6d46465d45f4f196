import type { S3Client } from "@aws-sdk/client-s3";
import type { EncryptionCallOptions, S3EncryptionClient } from "@s3ec/client";
import type { DurableNames } from "./durable-names.js";
import type { FilesBeside } from "./files-beside.js";
import type { ObjectParameters } from "./object-parameters.js";

/** What becomes of objects that are not encrypted: they are refused unless something is said. */
export type PlainMode = "refuse" | "copy" | "skip" | "encrypt";

/** What all transfers of a command share. */
export interface TransferContext {
  /** Encrypts and decrypts. */
  readonly client: S3EncryptionClient;
  /** The same without that. */
  readonly plain: S3Client;
  readonly call: EncryptionCallOptions;
  readonly parameters: ObjectParameters;
  readonly plainMode: PlainMode;
  /** What is known of the files beside a bucket's objects, as those are read or as the sources of copies are. */
  readonly filesBeside: (bucket: string, read: "get" | "getSource") => FilesBeside;
  /** Of the files that are written. */
  readonly names: DurableNames;
  /** The configuration that was named. */
  readonly configuration: string | undefined;
  /** What was read goes, once it is stored. */
  readonly isMove: boolean;
  /** Whether what is there is replaced. */
  readonly overwrite: boolean;
  readonly expectedSize?: number;
  /** Whether more is told of each. */
  readonly verbose: boolean;
  readonly signal: AbortSignal;
}

/** What has become of one that was not encrypted. */
export type PlainOutcome = "copied" | "encrypted";

/** What came of one. */
export type TransferOutcome =
  | {
      readonly state: "done";
      readonly bytes: number;
      readonly etag?: string;
      readonly versionId?: string;
      readonly plain?: PlainOutcome;
      readonly details?: readonly string[];
    }
  | { readonly state: "skipped"; readonly reason: "there" | "plain" };

/** Told the bytes of one so far. */
export type OnBytes = (bytes: number) => void;
