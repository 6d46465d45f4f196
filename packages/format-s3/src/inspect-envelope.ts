import {
  classifyEnvelope,
  completeFromBoth,
  DEFAULT_INSTRUCTION_FILE_SUFFIX,
  DOTNET_V1_SUFFIX,
  type Envelope,
  holdsEnvelope,
  type InstructionFile,
  plaintextLength,
  unknownDescriptionText,
  type WrapAlgorithm,
} from "@s3ec/envelope";
import { type Inspection, type ObjectToInspect, S3EncryptionError } from "@s3ec/materials";
import { isForbidden } from "./instruction-files.js";

/** What is stored about an object of the S3 encryption clients. */
export interface EnvelopeInspection extends Inspection {
  readonly format: Envelope["format"];
  /** Specification name of the algorithm suite. */
  readonly suite: string;
  /** Whether the content key is committed to. */
  readonly committing: boolean;
  /** Whether the content has a tag. */
  readonly authenticated: boolean;
  /** The wrap, as the sibling clients call it. */
  readonly wrapAlgorithm: string;
  /** Whether the wrap is not bound to the content's cipher. */
  readonly legacyWrap: boolean;
  /** What the wrapping key is: a KMS key, an RSA or an AES key. */
  readonly keyKind: WrapAlgorithm["keyKind"];
  /** Where the wrapped key was found: in the object's metadata or in an instruction file. */
  readonly placement: Envelope["placement"];
  /** What follows the object's key in that of the instruction file that holds the wrapped key. */
  readonly instructionFileSuffix: string | null;
  /** What `description` is: an encryption context, which KMS authenticates, or a material description. */
  readonly descriptionKind: WrapAlgorithm["describedBy"];
  /** What is stored to describe the wrapped key; empty where there is nothing. */
  readonly description: Readonly<Record<string, string>>;
  /** A description as stored, where it is JSON but no map of strings; it then selects no key. */
  readonly unreadDescription: string | null;
  /** Bytes of the wrapped key. */
  readonly encryptedDataKeyLength: number;
}

/** Throws `not-encrypted` or `malformed-envelope`. */
export async function inspectEnvelope(object: ObjectToInspect): Promise<EnvelopeInspection> {
  const { metadata, siblingSuffix, storedLength, wrapAlgorithms = [] } = object;
  const classified = classifyEnvelope(metadata, { wrapAlgorithms, preferInstructionFile: siblingSuffix !== undefined });
  const { envelope, file } =
    classified.placement === "metadata"
      ? { envelope: classified.envelope, file: undefined }
      : await completeFrom(object, classified.complete);
  const { suite, encryptedDataKey, statedPlaintextLength } = envelope;
  const { wrapAlgorithm, description } = encryptedDataKey;
  return {
    format: envelope.format,
    suite: suite.name,
    committing: suite.committing,
    authenticated: suite.cipher !== "cbc",
    wrapAlgorithm: wrapAlgorithm.name,
    legacyWrap: wrapAlgorithm.legacy,
    keyKind: wrapAlgorithm.keyKind,
    placement: envelope.placement,
    instructionFileSuffix: file === undefined ? null : file.suffix,
    descriptionKind: wrapAlgorithm.describedBy,
    description,
    unreadDescription: unknownDescriptionText(description) ?? null,
    storedLength,
    contentLength: plaintextLength(suite, storedLength) ?? statedPlaintextLength ?? null,
    encryptedDataKeyLength: encryptedDataKey.ciphertext.length,
  };
}

async function completeFrom(
  { metadata, siblings, siblingSuffix }: ObjectToInspect,
  complete: (file: InstructionFile) => Envelope,
): Promise<{ envelope: Envelope; file: InstructionFile }> {
  const isEncrypted = holdsEnvelope(metadata);
  const suffixes = siblingSuffix === undefined ? [DEFAULT_INSTRUCTION_FILE_SUFFIX, DOTNET_V1_SUFFIX] : [siblingSuffix];
  const files: InstructionFile[] = [];
  for (const suffix of suffixes) {
    const text = await siblings.read(suffix).catch((error: unknown) => {
      // Without s3:ListBucket a second file that is not there is a refusal; the first one is an answer.
      if (files.length > 0 && isForbidden(error)) return undefined;
      throw error;
    });
    if (text !== undefined) files.push({ suffix, text });
    // What V3 leaves on the object is not of .NET's first client.
    if (isEncrypted && files.length > 0) break;
  }
  const [file, other] = files;
  if (file !== undefined) {
    return { envelope: other === undefined ? complete(file) : completeFromBoth(complete, [file, other]), file };
  }
  const places = `there is no instruction file at its key plus ${suffixes.map((suffix) => `"${suffix}"`).join(" or ")}`;
  throw new S3EncryptionError(
    "not-encrypted",
    isEncrypted
      ? `The object's wrapped key was not found: ${places}.`
      : `The object was not written by an S3 encryption client: its metadata holds no wrapped key, and ${places}.`,
  );
}
