import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import {
  ciphertextLength,
  createContentKey,
  encryptContent,
  type InstructionFileToWrite,
  writeEnvelope,
} from "@s3ec/envelope";
import { type MessageFormat, S3EncryptionError } from "@s3ec/materials";
import { type CallOptions, callOptionsOf, refuseReservedNames } from "../call-options.js";
import { assertFormat, type ResolvedOptions } from "../options.js";
import { letGoOfBody } from "../streams.js";
import { type BodySource, type ObjectToSeal, sourceOfBody } from "./body.js";
import { withoutPlaintextChecksums } from "./plaintext-checksums.js";
import { takeBody } from "./taken-body.js";

/** An object ready to be stored: encrypted once, in order, as it is read. */
export interface SealedObject {
  /** The caller's input without `Body` and `ContentLength`, with the envelope in its `Metadata`. */
  readonly input: PutObjectCommandInput;
  readonly ciphertext: AsyncGenerator<Uint8Array>;
  /** Ciphertext bytes, where the plaintext's length is known. */
  readonly length: number | undefined;
  /** How many of them stand for no plaintext. */
  readonly overhead: number;
  readonly instructionFiles: readonly InstructionFileToWrite[];
  /** Whether the caller has all of the plaintext in memory anyway. */
  readonly isInMemory: boolean;
  /** Lets go of the caller's body; harmless after its end. */
  readonly destroy: () => void;
}

/** Refuses what must not be written, gets materials, and starts the one pass of encryption (S18: never a second). */
export async function sealObject(options: ResolvedOptions, given: ObjectToSeal): Promise<SealedObject> {
  takeBody(given.Body);
  try {
    return await sealChecked(options, given);
  } catch (error) {
    // Whatever was wrong, the caller's stream must not stay open.
    letGoOfBody(given.Body);
    throw error;
  }
}

async function sealChecked(options: ResolvedOptions, given: ObjectToSeal): Promise<SealedObject> {
  const call = callOptionsOf(given);
  refuseReservedNames(call);
  refuseReservedMetadata(given.Metadata);
  if (given.WriteOffsetBytes !== undefined) {
    throw new S3EncryptionError("unsupported-operation", "An encrypted object cannot be appended to; write it anew.");
  }
  const { messageFormat } = options;
  const format = call.format ?? options.writeFormat;
  assertFormat(messageFormat, format, "format");
  const source = sourceOfBody(given.Body, given.ContentLength);
  try {
    return format === "message" && messageFormat !== undefined
      ? await sealMessage(messageFormat, options, given, source, call)
      : await seal(options, given, source, call);
  } catch (error) {
    source.destroy();
    throw error;
  }
}

async function seal(
  options: ResolvedOptions,
  given: ObjectToSeal,
  body: BodySource,
  call: CallOptions,
): Promise<SealedObject> {
  const { suite, commitmentPolicy, materialsManager, instructionFiles } = options;
  const { input, source } = withoutPlaintextChecksums(given, body);
  if (source.length !== undefined && source.length > suite.maxContentLength) {
    throw new S3EncryptionError(
      "content-too-large",
      `The body has ${source.length} bytes, more than the ${suite.maxContentLength} that ${suite.name} can encrypt.`,
    );
  }
  const materials = await materialsManager.getEncryptionMaterials({
    suite,
    algorithmBinding: suite.storedName,
    commitmentPolicy,
    encryptionContext: call.encryptionContext,
    bucket: given.Bucket,
    key: given.Key,
    ...(call.materialDescription === undefined ? {} : { materialDescription: call.materialDescription }),
    ...(source.length === undefined ? {} : { contentLength: source.length }),
  });
  const { content, header } = createContentKey(suite, materials.dataKey);
  const suffix = call.instructionFileSuffix ?? instructionFiles.suffix;
  const envelope = writeEnvelope({
    header,
    encryptedDataKeys: materials.encryptedDataKeys,
    useInstructionFile: instructionFiles.write || call.instructionFileSuffix !== undefined,
    ...(suffix === undefined ? {} : { defaultSuffix: suffix }),
  });
  refuseConditionalInstructionFiles(input, envelope.instructionFiles.length);
  const { Body: _body, ContentLength: _length, ...rest } = input;
  return {
    input: { ...rest, Metadata: { ...input.Metadata, ...envelope.metadata } },
    ciphertext: encryptContent(content, source.chunks),
    length: source.length === undefined ? undefined : ciphertextLength(suite, source.length),
    overhead: suite.tagLength,
    instructionFiles: envelope.instructionFiles,
    isInMemory: source.isInMemory,
    destroy: source.destroy,
  };
}

/** The message holds everything itself: nothing is added to the caller's metadata, and there are no instruction files. */
async function sealMessage(
  messageFormat: MessageFormat,
  { materialsManager, commitmentPolicy }: ResolvedOptions,
  given: ObjectToSeal,
  body: BodySource,
  call: CallOptions,
): Promise<SealedObject> {
  if (call.instructionFileSuffix !== undefined) {
    throw new S3EncryptionError(
      "invalid-argument",
      "A message has no instruction file; leave instructionFileSuffix out.",
    );
  }
  const { input, source } = withoutPlaintextChecksums(given, body);
  const { ciphertext, length } = await messageFormat.seal({
    materialsManager,
    commitmentPolicy,
    encryptionContext: call.encryptionContext,
    bucket: given.Bucket,
    key: given.Key,
    ...(call.materialDescription === undefined ? {} : { materialDescription: call.materialDescription }),
    plaintext: source.chunks,
    ...(source.length === undefined ? {} : { contentLength: source.length }),
  });
  const { Body: _body, ContentLength: _length, ...rest } = input;
  const overhead = length === undefined || source.length === undefined ? 0 : length - source.length;
  const { isInMemory, destroy } = source;
  return { input: rest, ciphertext, length, overhead, instructionFiles: [], isInMemory, destroy };
}

/** User metadata under our names would be read as part of the envelope (H9, S17). */
function refuseReservedMetadata(metadata: Readonly<Record<string, string>> | undefined): void {
  for (const name of Object.keys(metadata ?? {})) {
    if (name.toLowerCase().startsWith("x-amz-")) {
      throw new S3EncryptionError(
        "invalid-argument",
        `Metadata must not hold "${name}": names that start with x-amz- are reserved for the encryption client.`,
      );
    }
  }
}

/** The file goes first (H29): if S3 then refused the object, the object already there would have lost its key. */
function refuseConditionalInstructionFiles(input: ObjectToSeal, files: number): void {
  if (files > 0 && (input.IfMatch !== undefined || input.IfNoneMatch !== undefined)) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A conditional put cannot be combined with instruction files: if S3 refused it, the object already there would be left with the new object's instruction file.",
    );
  }
}
