import type { KeyObject } from "node:crypto";
import {
  type AlgorithmSuite,
  type ContentHeader,
  type ContentKey,
  ContentParts,
  ciphertextLength,
  createContentKey,
  DESCRIBING_ANNOTATION,
  describingText,
  type EncryptedDataKey,
  encryptContent,
  fileMark,
  holdsWrappedKey,
  isSameWrapAlgorithm,
  objectMark,
  recipientOfAnnotation,
  uploadStateKey,
  writeEnvelope,
} from "@s3ec/envelope";
import {
  type ObjectInParts,
  type ObjectToSeal,
  type ObjectToSealInParts,
  S3EncryptionError,
  type SealedObject,
  type SiblingAnnotation,
  type SiblingFile,
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
  const { suite, dataKey, wraps, header, content, metadata, siblings } = await newContent(options, object);
  const { materialsManager } = object;
  const { wrapAlgorithms } = materialsManager;
  return {
    metadata,
    parts: new ContentParts(content, () => materialsManager.forget?.(dataKey)),
    siblings,
    isResumable:
      // What is kept of an upload holds files only.
      siblings.annotations.length === 0 &&
      wraps.some(({ wrapAlgorithm }) => wrapAlgorithms.some((own) => isSameWrapAlgorithm(own, wrapAlgorithm))),
    stateKey: (secret) => uploadStateKey(suite, dataKey, header.format === "V3" ? header.messageId : header.iv, secret),
  };
}

interface NewContent {
  readonly suite: AlgorithmSuite;
  readonly dataKey: KeyObject;
  readonly wraps: readonly EncryptedDataKey[];
  readonly header: ContentHeader;
  readonly content: ContentKey;
  readonly metadata: Readonly<Record<string, string>>;
  readonly siblings: Siblings & Required<Pick<Siblings, "annotations">>;
}

/** Gets materials, and lays out the envelope. */
async function newContent(options: ResolvedS3FormatOptions, object: ObjectToSealInParts): Promise<NewContent> {
  const { commitmentPolicy, materialsManager, encryptionContext, materialDescription, contentLength } = object;
  const suite = suiteFor(options, object);
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
  return {
    suite,
    dataKey: materials.dataKey,
    wraps: materials.encryptedDataKeys,
    header,
    content,
    ...laidOut(options, header, materials.encryptedDataKeys, object.siblingSuffix),
  };
}

/** Where the wrapped keys of a content go, as the client writes them. */
export function laidOut(
  options: ResolvedS3FormatOptions,
  header: ContentHeader,
  encryptedDataKeys: readonly EncryptedDataKey[],
  siblingSuffix: string | undefined,
): Pick<NewContent, "metadata" | "siblings"> {
  const { instructionFiles, wrapPlacement } = options;
  const suffix = siblingSuffix ?? instructionFiles.suffix;
  const envelope = writeEnvelope({
    header,
    encryptedDataKeys,
    useInstructionFile: instructionFiles.write || siblingSuffix !== undefined,
    wrapPlacement,
    allowUncommittedChildren: options.enableUncommittedChildren,
    ...(suffix === undefined ? {} : { defaultSuffix: suffix }),
  });
  const annotated = (envelope.annotations ?? []).map((each) => ({
    ...each,
    recipient: recipientOfAnnotation(each.name) ?? "",
  }));
  return {
    metadata: envelope.metadata,
    siblings: {
      ...siblingsOf(options, envelope.metadata, envelope.instructionFiles, envelope.mark),
      annotations: [...annotated, ...(options.describeInAnnotation ? [described(header, encryptedDataKeys)] : [])],
    },
  };
}

/** Of the wrapped key that names no place of its own, and the recipients of the others. */
function described({ format }: ContentHeader, keys: readonly EncryptedDataKey[]): SiblingAnnotation {
  const own = keys.find(({ instructionFileSuffix }) => instructionFileSuffix === undefined) ?? keys[0];
  if (own === undefined) throw new Error("There is no wrapped key.");
  const recipients = keys.flatMap(({ instructionFileSuffix: suffix }) =>
    suffix === undefined ? [] : [suffix.replace(/^\.+/, "")],
  );
  return { name: DESCRIBING_ANNOTATION, text: describingText(format, own, recipients) };
}

/**
 * What to write, if it can hold as much.
 * @throws S3EncryptionError `commitment-policy`, `content-too-large`
 */
export function suiteFor(
  options: ResolvedS3FormatOptions,
  { commitmentPolicy, contentLength }: ObjectToSealInParts,
): AlgorithmSuite {
  const suite = suiteToWrite(options, commitmentPolicy);
  if (contentLength === undefined || contentLength <= suite.maxContentLength) return suite;
  throw new S3EncryptionError(
    "content-too-large",
    `The body has ${contentLength} bytes, more than the ${suite.maxContentLength} that ${suite.name} can encrypt.`,
  );
}

/** What is stored beside an object with this envelope. */
export function siblingsOf(
  { instructionFiles: { replaceUnknown } }: ResolvedS3FormatOptions,
  metadata: Readonly<Record<string, string>>,
  files: readonly SiblingFile[],
  mark: string | undefined,
): Siblings {
  return {
    files,
    first: files.length > 0 && !holdsWrappedKey(metadata),
    mark,
    replaceUnknown,
    markOf: objectMark,
    fileMarkOf: fileMark,
    standsAlone: holdsWrappedKey,
  };
}
