import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import {
  ciphertextLength,
  createContentKey,
  encryptContent,
  fileMark,
  holdsWrappedKey,
  objectMark,
  writeEnvelope,
} from "@s3ec/envelope";
import { type MessageFormat, S3EncryptionError } from "@s3ec/materials";
import { type CallOptions, callOptionsOf, refuseReservedNames } from "../call-options.js";
import { knownSuffixes } from "../instruction-files.js";
import { assertFormat, type ResolvedOptions } from "../options.js";
import { letGoOfBody } from "../streams.js";
import { type BodySource, type ObjectToSeal, sourceOfBody } from "./body.js";
import { checkUserMetadata, refuseImpossibleKeys, refuseOversizedMetadata } from "./metadata-limits.js";
import { withoutPlaintextChecksums } from "./plaintext-checksums.js";
import type { Siblings } from "./sibling-files.js";
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
  readonly siblings: Siblings;
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
  checkUserMetadata(given.Metadata);
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
    wrapPlacement: options.wrapPlacement,
    allowUncommittedChildren: options.enableUncommittedChildren,
    ...(suffix === undefined ? {} : { defaultSuffix: suffix }),
  });
  const { Body: _body, ContentLength: _length, ...rest } = input;
  const Metadata = { ...input.Metadata, ...envelope.metadata };
  refuseOversizedMetadata(Metadata, envelope.metadata);
  const files = envelope.instructionFiles;
  refuseImpossibleKeys(input.Key, files);
  return {
    input: { ...rest, Metadata },
    ciphertext: encryptContent(content, source.chunks),
    length: source.length === undefined ? undefined : ciphertextLength(suite, source.length),
    overhead: suite.tagLength,
    siblings: {
      verb: "Put",
      files,
      first: files.length > 0 && !holdsWrappedKey(envelope.metadata),
      mark: envelope.mark,
      // Without any file here, nothing says that there was one: it would take a request with every put.
      suffixes: files.length > 0 || mayHaveFiles(options) ? knownSuffixes(options, given) : [],
      replaceUnknown: instructionFiles.replaceUnknown,
      markOf: ({ Metadata = {} }) => objectMark(Metadata),
      fileMarkOf: fileMark,
      standsAlone: holdsWrappedKey,
    },
    isInMemory: source.isInMemory,
    destroy: source.destroy,
  };
}

/** A child that is missing in one put may have its file of an earlier one. */
function mayHaveFiles({ materialsManager }: ResolvedOptions): boolean {
  return (materialsManager.instructionFileSuffixes ?? []).length > 0;
}

const NO_SIBLINGS: Siblings = {
  verb: "Put",
  files: [],
  first: false,
  mark: undefined,
  suffixes: [],
  replaceUnknown: false,
  markOf: () => undefined,
  fileMarkOf: () => undefined,
  standsAlone: () => true,
};

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
  refuseOversizedMetadata(input.Metadata ?? {}, {});
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
  return { input: rest, ciphertext, length, overhead, siblings: NO_SIBLINGS, isInMemory, destroy };
}
