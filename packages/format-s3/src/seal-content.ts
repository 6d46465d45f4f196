import {
  type AlgorithmSuite,
  type ContentKey,
  ContentParts,
  ciphertextLength,
  createContentKey,
  encryptContent,
  fileMark,
  holdsWrappedKey,
  objectMark,
  writeEnvelope,
} from "@s3ec/envelope";
import {
  type ObjectInParts,
  type ObjectToSeal,
  type ObjectToSealInParts,
  S3EncryptionError,
  type SealedObject,
  type Siblings,
} from "@s3ec/materials";
import { type ResolvedS3FormatOptions, suiteToWrite } from "./s3-format-options.js";

/** Starts the one pass of encryption (S18: never a second). */
export async function sealContent(options: ResolvedS3FormatOptions, object: ObjectToSeal): Promise<SealedObject> {
  const { contentLength, plaintext } = object;
  const { suite, content, metadata, siblings } = await newContent(options, object);
  return {
    metadata,
    ciphertext: encryptContent(content, plaintext),
    length: contentLength === undefined ? undefined : ciphertextLength(suite, contentLength),
    siblings,
  };
}

/** The same for content that comes in parts, each of which is encrypted once, or again the same (S18). */
export async function sealContentInParts(
  options: ResolvedS3FormatOptions,
  object: ObjectToSealInParts,
): Promise<ObjectInParts> {
  const { content, metadata, siblings } = await newContent(options, object);
  return { metadata, parts: new ContentParts(content), siblings };
}

interface NewContent {
  readonly suite: AlgorithmSuite;
  readonly content: ContentKey;
  readonly metadata: Readonly<Record<string, string>>;
  readonly siblings: Siblings;
}

/** Gets materials, and lays out the envelope. */
async function newContent(options: ResolvedS3FormatOptions, object: ObjectToSealInParts): Promise<NewContent> {
  const { commitmentPolicy, materialsManager, encryptionContext, materialDescription, contentLength } = object;
  const suite = suiteToWrite(options, commitmentPolicy);
  if (contentLength !== undefined && contentLength > suite.maxContentLength) {
    throw new S3EncryptionError(
      "content-too-large",
      `The body has ${contentLength} bytes, more than the ${suite.maxContentLength} that ${suite.name} can encrypt.`,
    );
  }
  const materials = await materialsManager.getEncryptionMaterials({
    suite,
    algorithmBinding: suite.storedName,
    commitmentPolicy,
    encryptionContext,
    bucket: object.bucket,
    key: object.key,
    ...(materialDescription === undefined ? {} : { materialDescription }),
    ...(contentLength === undefined ? {} : { contentLength }),
  });
  const { content, header } = createContentKey(suite, materials.dataKey);
  const { instructionFiles, wrapPlacement } = options;
  const suffix = object.siblingSuffix ?? instructionFiles.suffix;
  const envelope = writeEnvelope({
    header,
    encryptedDataKeys: materials.encryptedDataKeys,
    useInstructionFile: instructionFiles.write || object.siblingSuffix !== undefined,
    wrapPlacement,
    allowUncommittedChildren: options.enableUncommittedChildren,
    ...(suffix === undefined ? {} : { defaultSuffix: suffix }),
  });
  const files = envelope.instructionFiles;
  return {
    suite,
    content,
    metadata: envelope.metadata,
    siblings: {
      files,
      first: files.length > 0 && !holdsWrappedKey(envelope.metadata),
      mark: envelope.mark,
      replaceUnknown: instructionFiles.replaceUnknown,
      markOf: objectMark,
      fileMarkOf: fileMark,
      standsAlone: holdsWrappedKey,
    },
  };
}
