/** What a reader must have allowed. While one of a vector's switches is missing, it must be refused before any key is used. */
export type Switch = "allow-non-committing" | "legacy-content" | "legacy-wrapping";

/** An opt-in of its own that a vector needs beside its switches, since granting it weakens a reader (README, "Opt-ins"). */
export type Requirement = "unpadded-rsa" | "cbc-rewrap-bound-to-gcm";

/** The client that wrote an object, and how it was configured. */
export interface Writer {
  /** The client's name. */
  readonly client: string;
  /** What it is written in. */
  readonly language: "cpp" | "dotnet" | "go" | "java" | "php" | "python" | "ruby";
  /** The release that wrote it. */
  readonly version: string;
  /** How it was configured, the wrap included, and whether the object was altered afterwards. */
  readonly mode: string;
  /** Java SDK v1 with BouncyCastle: as the preferred provider, or forced onto every operation. */
  readonly cryptoProvider?: "bc" | "bc-always";
}

/** An instruction file as it is stored. */
export interface InstructionFile {
  /** User metadata of the instruction object. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Its body. */
  readonly text: string;
}

/** The one question that KMS is asked about an object, and its answer. */
export interface KmsAnswer {
  /** What is asked to be decrypted, in base64. */
  readonly ciphertextBlob: string;
  /** What is asked with it. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** The key that KMS says it used. */
  readonly keyArn: string;
  /** The answer, in base64. */
  readonly plaintextDataKey: string;
}

/** What an object is, whoever can read it. */
export interface StoredObject {
  /** Unique among the vectors. */
  readonly id: string;
  /** Who wrote it. */
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
  /** What it was made of: `plaintextOf` gives it; `length` in bytes, `sha256` in hex. */
  readonly plaintext: { readonly seed: number; readonly length: number; readonly sha256: string };
  /** Absent for raw wrapping keys, and when KMS must answer with an error. */
  readonly kms?: KmsAnswer;
  /** What is remarkable about it. */
  readonly notes?: string;
}

/** Decrypts to `plaintext`, whole and in any chunking, once its switches and its requirement are granted. */
export interface ReadableVector extends StoredObject {
  readonly expect?: never;
  /** All that a reader must have allowed; while one is missing, it must refuse. */
  readonly switches: readonly Switch[];
  /** What must be granted beside them. Default: nothing. */
  readonly requires?: Requirement;
}

/** Must be refused even with every switch on. */
export interface RefusedVector extends StoredObject {
  readonly expect: "refuse";
  /** What Java S3EC 4.0.1 said, or the rule it overlooks. */
  readonly why: string;
}

/** An object, and what a reader must make of it. */
export type Vector = ReadableVector | RefusedVector;
