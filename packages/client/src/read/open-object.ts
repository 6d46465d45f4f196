import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import {
  assertMayDecrypt,
  type ContentKey,
  classifyEnvelope,
  type Envelope,
  holdsEnvelope,
  openContentKey,
} from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import { fetchInstructionFile } from "../instruction-files.js";
import type { ResolvedOptions } from "../options.js";
import { completeUnlessStale } from "./stale-file.js";

/** From what S3 answered to the key of the content: the envelope, every gate, the materials, the commitment. */
export async function openObject(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  output: GetObjectCommandOutput,
  get: (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>,
): Promise<ContentKey> {
  return contentKey(options, call, input, await fetchEnvelope(options, call, input, output, get));
}

async function fetchEnvelope(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  { Metadata = {} }: GetObjectCommandOutput,
  get: (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>,
): Promise<Envelope> {
  const { materialsManager, instructionFiles } = options;
  const classified = classifyEnvelope(Metadata, {
    wrapAlgorithms: materialsManager.wrapAlgorithms,
    preferInstructionFile: call.preferInstructionFile,
  });
  if (classified.placement === "metadata") return classified.envelope;
  if (!instructionFiles.read) {
    throw new S3EncryptionError(
      "not-encrypted",
      "The object's metadata holds no wrapped key, and reading instruction files is disabled (disableInstructionFile).",
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
  return suffix === undefined && mayBeDotNets
    ? await completeUnlessStale(get, input, file, classified.complete)
    : classified.complete(file);
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
