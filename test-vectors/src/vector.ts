/** What a reader must have allowed. While one of a vector's switches is missing, it must be refused before any key is used. */
export type Switch = "allow-non-committing" | "legacy-content" | "legacy-wrapping";

/** An opt-in of its own that a vector needs beside its switches, since granting it weakens a reader (README, "Opt-ins"). */
export type Requirement = "unpadded-rsa" | "cbc-rewrap-bound-to-gcm";

/** The client that wrote an object, and how it was configured. */
export interface Writer {
  readonly client: string;
  readonly language: "cpp" | "dotnet" | "go" | "java" | "php" | "python" | "ruby";
  readonly version: string;
  readonly mode: string;
  /** Java SDK v1 with BouncyCastle: as the preferred provider, or forced onto every operation. */
  readonly cryptoProvider?: "bc" | "bc-always";
}

export interface InstructionFile {
  /** User metadata of the instruction object. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The one question that KMS is asked about an object, and its answer. Blob and data key are base64. */
export interface KmsAnswer {
  readonly ciphertextBlob: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly keyArn: string;
  readonly plaintextDataKey: string;
}

interface StoredObject {
  /** Unique among the vectors. */
  readonly id: string;
  readonly writer: Writer;
  /** S3 key that the object was written under. Not unique: a re-wrapped object appears once for each wrapping key. */
  readonly key: string;
  /** Name, in `loadKeys()`, of the wrapping key to read with. */
  readonly material: string;
  /** What a kms+context writer was given and a reader must be given again; absent means none. */
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** The writer's description: selects among raw keys, or is part of a `kms` object's stored context. */
  readonly materialDescription?: Readonly<Record<string, string>>;
  /** The object's user metadata, as S3 returns it: without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** By suffix. The first one is the one to read: `instructionFileToRead`. */
  readonly instructionFiles?: Readonly<Record<string, InstructionFile>>;
  /** `length` in bytes, `sha256` in hex; `file` is relative to the package. */
  readonly body: { readonly file: string; readonly length: number; readonly sha256: string };
  readonly plaintext: { readonly seed: number; readonly length: number; readonly sha256: string };
  /** Absent for raw wrapping keys, and when KMS must answer with an error. */
  readonly kms?: KmsAnswer;
  readonly notes?: string;
}

/** Decrypts to `plaintext`, whole and in any chunking, once its switches and its requirement are granted. */
export interface ReadableVector extends StoredObject {
  readonly expect?: never;
  readonly switches: readonly Switch[];
  readonly requires?: Requirement;
}

/** Must be refused even with every switch on. */
export interface RefusedVector extends StoredObject {
  readonly expect: "refuse";
  /** What Java S3EC 4.0.1 said, or the rule it overlooks. */
  readonly why: string;
}

export type Vector = ReadableVector | RefusedVector;
