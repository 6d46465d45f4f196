import { GetObjectCommand, NoSuchKey, type S3Client } from "@aws-sdk/client-s3";
import {
  classifyEnvelope,
  completeFromBoth,
  DEFAULT_INSTRUCTION_FILE_SUFFIX,
  DOTNET_V1_SUFFIX,
  type Envelope,
  holdsEnvelope,
  type InstructionFile,
  MAX_INSTRUCTION_FILE_LENGTH,
  plaintextLength,
  readAtMost,
  unknownDescriptionText,
  type WrapAlgorithm,
} from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { headObject } from "./head-object.js";
import { inspectMessage, type MessageInspection } from "./inspect-message.js";
import { isServiceError } from "./service-message.js";
import { siblingSuffixes, whereElseToLook } from "./sibling-suffixes.js";

/** Which object to look at. */
export interface InspectOptions {
  /** The bucket's name, or an access point's ARN. */
  readonly Bucket: string;
  /** The object's key. */
  readonly Key: string;
  /** Default: the current version. */
  readonly VersionId?: string;
  /** The instruction file to look at, even when the metadata holds a wrapped key; default `.instruction`, as a reader would. */
  readonly instructionFileSuffix?: string;
}

/** What is stored about an encrypted object; nothing of it is secret, and nothing of it is authenticated. */
export interface Inspection {
  /** `V1`, `V2` or `V3`, by the names of the fields that are stored. */
  readonly format: Envelope["format"];
  /** Specification name of the algorithm suite. */
  readonly suite: string;
  /** The wrap, as the sibling clients call it. */
  readonly wrapAlgorithm: string;
  /** Where the wrapped key is. */
  readonly placement: Envelope["placement"];
  /** Key of the instruction file that holds the wrapped key; null where the metadata does. */
  readonly instructionFile: string | null;
  /** What `description` is to the wrap. */
  readonly descriptionKind: WrapAlgorithm["describedBy"];
  /** The encryption context or material description, as stored. */
  readonly description: Readonly<Record<string, string>>;
  /** A description as stored, where it is JSON but no map of strings, and so selects no key; otherwise null. */
  readonly unreadDescription: string | null;
  /** Bytes in S3. */
  readonly storedLength: number;
  /** Plaintext bytes; null for CBC, whose padding hides them, unless the writer stated them. */
  readonly contentLength: number | null;
  /** Bytes of the wrapped key. */
  readonly encryptedDataKeyLength: number;
  /** What follows the object's key in others that could be its instruction files; null where they may not be listed. */
  readonly siblingSuffixes: readonly string[] | null;
}

/**
 * Reads an object's envelope, or the header of a message, with a plain `S3Client`; needs no key.
 * @throws S3EncryptionError `not-encrypted` or `malformed-envelope`; and what S3 answers, as the AWS SDK throws it
 */
export async function inspectObject(
  client: S3Client,
  options: InspectOptions,
): Promise<{ inspection: Inspection; envelope: Envelope } | { message: MessageInspection }> {
  const { instructionFileSuffix, ...object } = options;
  const { Metadata = {}, ContentLength: storedLength = 0 } = await headObject(client, object);
  if (!holdsEnvelope(Metadata) && instructionFileSuffix === undefined) {
    const message = await inspectMessage(client, object, storedLength);
    if (message !== undefined) return { message };
  }
  const classified = classifyEnvelope(Metadata, { preferInstructionFile: instructionFileSuffix !== undefined });
  const { envelope, file } =
    classified.placement === "metadata"
      ? { envelope: classified.envelope, file: undefined }
      : await completeFrom(client, options, classified.complete, holdsEnvelope(Metadata));
  const { suite, encryptedDataKey, statedPlaintextLength } = envelope;
  const inspection: Inspection = {
    format: envelope.format,
    suite: suite.name,
    wrapAlgorithm: encryptedDataKey.wrapAlgorithm.name,
    placement: envelope.placement,
    instructionFile: file === undefined ? null : `${object.Key}${file.suffix}`,
    descriptionKind: encryptedDataKey.wrapAlgorithm.describedBy,
    description: encryptedDataKey.description,
    unreadDescription: unknownDescriptionText(encryptedDataKey.description) ?? null,
    storedLength,
    contentLength: plaintextLength(suite, storedLength) ?? statedPlaintextLength ?? null,
    encryptedDataKeyLength: encryptedDataKey.ciphertext.length,
    siblingSuffixes: await siblingSuffixes(client, object),
  };
  return { inspection, envelope };
}

async function completeFrom(
  client: S3Client,
  options: InspectOptions,
  complete: (file: InstructionFile) => Envelope,
  isEncrypted: boolean,
): Promise<{ envelope: Envelope; file: InstructionFile }> {
  const { instructionFileSuffix } = options;
  const suffixes =
    instructionFileSuffix === undefined ? [DEFAULT_INSTRUCTION_FILE_SUFFIX, DOTNET_V1_SUFFIX] : [instructionFileSuffix];
  const files: InstructionFile[] = [];
  for (const suffix of suffixes) {
    const text = await instructionText(client, options, suffix).catch((error: unknown) => {
      // Without s3:ListBucket a second file that is not there is a refusal; the first one is an answer.
      if (files.length > 0 && isServiceError(error) && error.$metadata.httpStatusCode === 403) return undefined;
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
  const elsewhere = whereElseToLook(await siblingSuffixes(client, options));
  throw new S3EncryptionError(
    "not-encrypted",
    isEncrypted
      ? `The object's wrapped key was not found: ${places}. ${elsewhere}`
      : `The object was not written by an S3 encryption client: its metadata holds no wrapped key, and ${places}. ${elsewhere}`,
  );
}

async function instructionText(
  client: S3Client,
  { Bucket, Key }: InspectOptions,
  suffix: string,
): Promise<string | undefined> {
  try {
    // One byte more than may be there is enough to be refused (S14).
    const Range = `bytes=0-${MAX_INSTRUCTION_FILE_LENGTH}`;
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: `${Key}${suffix}`, Range }));
    const bytes = await readAtMost(Body as AsyncIterable<Uint8Array>, MAX_INSTRUCTION_FILE_LENGTH + 1);
    return Buffer.from(bytes).toString("utf8");
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}
