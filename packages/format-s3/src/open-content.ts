import type { KeyObject } from "node:crypto";
import {
  assertMayDecrypt,
  type ContentKey,
  classifyEnvelope,
  type Envelope,
  holdsEnvelope,
  type InstructionFile,
  openContentKey,
  type WrapAlgorithm,
} from "@s3ec/envelope";
import { type ObjectRequest, type ObjectToOpen, S3EncryptionError } from "@s3ec/materials";
import { completeUnlessStale, fetchInstructionFile, findInstructionFile } from "./instruction-files.js";
import type { ResolvedS3FormatOptions } from "./s3-format-options.js";

/**
 * From what S3 answered to the key of the content: the envelope, every gate, the materials, the commitment. A suffix that the
 * call names means that file and no other; one that the client names means that file first, then the metadata's wrapped
 * key; without one, it is the metadata's, and `.instruction` where there is none (3.4 item 4).
 */
export async function openContent(options: ResolvedS3FormatOptions, object: ObjectToOpen): Promise<ContentKey> {
  const { instructionFiles } = options;
  const { metadata, siblings, materialsManager } = object;
  const { wrapAlgorithms } = materialsManager;
  const ofObject = classifyEnvelope(metadata, { wrapAlgorithms });
  const isNamed = object.siblingSuffix !== undefined || object.preferSibling === true;
  if (ofObject.placement === "metadata" && !isNamed) {
    const { suffix, read } = instructionFiles;
    const file = read && suffix !== undefined ? await findInstructionFile(siblings, suffix) : undefined;
    return file === undefined
      ? openAlone(options, object, ofObject.envelope, read ? suffix : undefined)
      : openEither(options, object, () => complete(metadata, wrapAlgorithms, file), ofObject.envelope);
  }
  if (!instructionFiles.read) {
    throw new S3EncryptionError(
      "not-encrypted",
      isNamed
        ? "An instruction file was asked for, and reading them is disabled (disableInstructionFile)."
        : "The object's metadata holds no wrapped key, and reading instruction files is disabled (disableInstructionFile).",
    );
  }
  const suffix = object.siblingSuffix ?? instructionFiles.suffix;
  // What its first client stores has nothing on the object.
  const mayBeDotNets = options.enableLegacyWrappingAlgorithms && !holdsEnvelope(metadata);
  const file = await fetchInstructionFile(siblings, metadata, { suffix, tryDotNetV1: mayBeDotNets });
  const completed = (from: InstructionFile): Envelope => complete(metadata, wrapAlgorithms, from);
  return openEnvelope(
    options,
    object,
    suffix === undefined && mayBeDotNets ? await completeUnlessStale(siblings, file, completed) : completed(file),
  );
}

/** The envelope with a file's wrapped key, checked against what the object's own metadata says of its content (S19). */
function complete(
  metadata: Readonly<Record<string, string>>,
  wrapAlgorithms: readonly WrapAlgorithm[],
  file: InstructionFile,
): Envelope {
  return classifyEnvelope(metadata, { wrapAlgorithms, preferInstructionFile: true }).complete(file);
}

/** What a file of another object may end in: it disagrees with the metadata, or its key is not this object's. */
const OF_ANOTHER_OBJECT: ReadonlySet<string> = new Set([
  "malformed-envelope",
  "context-mismatch",
  "no-matching-key",
  "decryption-failed",
]);

/** By the file; by the metadata where the file is not of this object, which on V3 the commitment decides (S19). */
async function openEither(
  options: ResolvedS3FormatOptions,
  object: ObjectToOpen,
  fromFile: () => Envelope,
  fromMetadata: Envelope,
): Promise<ContentKey> {
  try {
    return await openEnvelope(options, object, fromFile());
  } catch (error) {
    if (!(error instanceof S3EncryptionError) || !OF_ANOTHER_OBJECT.has(error.code)) throw error;
    try {
      return await openEnvelope(options, object, fromMetadata);
    } catch {
      throw error;
    }
  }
}

/** @param suffix of the file that was looked for first, and is not there */
async function openAlone(
  options: ResolvedS3FormatOptions,
  object: ObjectToOpen,
  envelope: Envelope,
  suffix: string | undefined,
): Promise<ContentKey> {
  try {
    return await openEnvelope(options, object, envelope);
  } catch (error) {
    if (suffix === undefined || !(error instanceof S3EncryptionError) || error.code !== "no-matching-key") throw error;
    const message = `${error.message} There is no instruction file at the object's key plus "${suffix}" either.`;
    throw new S3EncryptionError(error.code, message, { cause: error });
  }
}

/** Gates first, then materials, then the commitment: the order that keeps keys out of refused objects' reach (S6). */
export async function openEnvelope(
  options: ResolvedS3FormatOptions,
  object: ObjectRequest,
  envelope: Envelope,
): Promise<ContentKey> {
  return (await unwrapEnvelope(options, object, envelope)).content;
}

/** The same, with the data key itself. */
export async function unwrapEnvelope(
  options: ResolvedS3FormatOptions,
  object: ObjectRequest,
  envelope: Envelope,
): Promise<{ readonly dataKey: KeyObject; readonly content: ContentKey }> {
  const { materialsManager, commitmentPolicy, encryptionContext, materialDescription, bucket, key } = object;
  assertMayDecrypt(envelope, { ...options, commitmentPolicy }, materialsManager.wrapAlgorithms);
  const { dataKey } = await materialsManager.getDecryptionMaterials({
    suite: envelope.suite,
    algorithmBinding: envelope.algorithmBinding,
    commitmentPolicy,
    encryptionContext,
    bucket,
    key,
    ...(materialDescription === undefined ? {} : { materialDescription }),
    encryptedDataKeys: [envelope.encryptedDataKey],
  });
  return { dataKey, content: openContentKey(envelope, dataKey) };
}
