import {
  ciphertextLength,
  createContentKey,
  encryptContent,
  fileMark,
  holdsWrappedKey,
  objectMark,
  writeEnvelope,
} from "@s3ec/envelope";
import { type ObjectToSeal, S3EncryptionError, type SealedObject } from "@s3ec/materials";
import { type ResolvedS3FormatOptions, suiteToWrite } from "./s3-format-options.js";

/** Gets materials, lays out the envelope, and starts the one pass of encryption (S18: never a second). */
export async function sealContent(options: ResolvedS3FormatOptions, object: ObjectToSeal): Promise<SealedObject> {
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
    metadata: envelope.metadata,
    ciphertext: encryptContent(content, object.plaintext),
    length: contentLength === undefined ? undefined : ciphertextLength(suite, contentLength),
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
