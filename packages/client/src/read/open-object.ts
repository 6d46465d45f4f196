import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
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
import { S3EncryptionError } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import { fetchInstructionFile, findInstructionFile } from "../instruction-files.js";
import type { ResolvedOptions } from "../options.js";
import { completeUnlessStale } from "./stale-file.js";

type Get = (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>;
type Open = (envelope: Envelope) => Promise<ContentKey>;

/**
 * From what S3 answered to the key of the content: the envelope, every gate, the materials, the commitment. A suffix that the
 * call names means that file and no other; one that the client names means that file first, then the metadata's wrapped
 * key; without one, it is the metadata's, and `.instruction` where there is none (3.4 item 4).
 */
export async function openObject(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  { Metadata = {} }: GetObjectCommandOutput,
  get: Get,
): Promise<ContentKey> {
  const { instructionFiles, materialsManager } = options;
  const { wrapAlgorithms } = materialsManager;
  const open: Open = (envelope) => contentKey(options, call, input, envelope);
  const ofObject = classifyEnvelope(Metadata, { wrapAlgorithms });
  const isNamed = call.instructionFileSuffix !== undefined || call.preferInstructionFile;
  if (ofObject.placement === "metadata" && !isNamed) {
    const { suffix, read } = instructionFiles;
    const file = read && suffix !== undefined ? await findInstructionFile(get, input, suffix) : undefined;
    return file === undefined
      ? openAlone(open, ofObject.envelope, read ? suffix : undefined)
      : openEither(open, () => complete(Metadata, wrapAlgorithms, file), ofObject.envelope);
  }
  if (!instructionFiles.read) {
    throw new S3EncryptionError(
      "not-encrypted",
      isNamed
        ? "An instruction file was asked for, and reading them is disabled (disableInstructionFile)."
        : "The object's metadata holds no wrapped key, and reading instruction files is disabled (disableInstructionFile).",
    );
  }
  const suffix = call.instructionFileSuffix ?? instructionFiles.suffix;
  // What its first client stores has nothing on the object.
  const mayBeDotNets = options.enableLegacyWrappingAlgorithms && !holdsEnvelope(Metadata);
  const file = await fetchInstructionFile(get, input, {
    suffix,
    tryDotNetV1: mayBeDotNets,
    holdsEnvelope: holdsEnvelope(Metadata),
    triedMessage: options.messageFormat !== undefined,
  });
  const completed = (found: InstructionFile): Envelope => complete(Metadata, wrapAlgorithms, found);
  return open(
    suffix === undefined && mayBeDotNets ? await completeUnlessStale(get, input, file, completed) : completed(file),
  );
}

/** The envelope with a file's wrapped key, checked against what the object's own metadata says of its content (S19). */
function complete(
  metadata: Readonly<Record<string, string>>,
  wrapAlgorithms: readonly WrapAlgorithm[],
  file: InstructionFile,
): Envelope {
  const beside = classifyEnvelope(metadata, { wrapAlgorithms, preferInstructionFile: true });
  return beside.placement === "metadata" ? beside.envelope : beside.complete(file);
}

/** What a file of another object may end in: it disagrees with the metadata, or its key is not this object's. */
const OF_ANOTHER_OBJECT: ReadonlySet<string> = new Set([
  "malformed-envelope",
  "context-mismatch",
  "no-matching-key",
  "decryption-failed",
]);

/** By the file; by the metadata where the file is not of this object, which on V3 the commitment decides (S19). */
async function openEither(open: Open, fromFile: () => Envelope, fromMetadata: Envelope): Promise<ContentKey> {
  try {
    return await open(fromFile());
  } catch (error) {
    if (!(error instanceof S3EncryptionError) || !OF_ANOTHER_OBJECT.has(error.code)) throw error;
    try {
      return await open(fromMetadata);
    } catch {
      throw error;
    }
  }
}

/** @param suffix of the file that was looked for first, and is not there */
async function openAlone(open: Open, envelope: Envelope, suffix: string | undefined): Promise<ContentKey> {
  try {
    return await open(envelope);
  } catch (error) {
    if (suffix === undefined || !(error instanceof S3EncryptionError) || error.code !== "no-matching-key") throw error;
    const message = `${error.message} There is no instruction file at the object's key plus "${suffix}" either.`;
    throw new S3EncryptionError(error.code, message, { cause: error });
  }
}

/** Gates first, then materials, then the commitment: the order that keeps keys out of refused objects' reach (S6). */
async function contentKey(
  options: ResolvedOptions,
  call: CallOptions,
  { Bucket: bucket, Key: key }: GetObjectCommandInput,
  envelope: Envelope,
): Promise<ContentKey> {
  const { materialsManager, commitmentPolicy } = options;
  assertMayDecrypt(envelope, options, materialsManager.wrapAlgorithms);
  const { dataKey } = await materialsManager.getDecryptionMaterials({
    suite: envelope.suite,
    algorithmBinding: envelope.algorithmBinding,
    commitmentPolicy,
    encryptionContext: call.encryptionContext,
    bucket,
    key,
    ...(call.materialDescription === undefined ? {} : { materialDescription: call.materialDescription }),
    encryptedDataKeys: [envelope.encryptedDataKey],
  });
  return openContentKey(envelope, dataKey);
}
