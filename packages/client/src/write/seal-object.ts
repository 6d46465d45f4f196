import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { S3EncryptionError, type Siblings } from "@s3ec/materials";
import { callOptionsOf, refuseReservedNames, requestOf } from "../call-options.js";
import { knownSuffixes } from "../files-beside.js";
import { formatToWrite, type ResolvedOptions } from "../options.js";
import { unlessAborted } from "../request-aborted.js";
import { letGoOfBody } from "../streams.js";
import { type ObjectToPut, sourceOfBody } from "./body.js";
import { checkUserMetadata, refuseImpossibleKeys, refuseOversizedMetadata } from "./metadata-limits.js";
import { withoutPlaintextChecksums } from "./plaintext-checksums.js";
import type { SiblingsToPut } from "./sibling-files.js";
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
  readonly siblings: SiblingsToPut;
  /** Whether the caller has all of the plaintext in memory anyway. */
  readonly isInMemory: boolean;
  /** Lets go of the caller's body; harmless after its end. */
  readonly destroy: () => void;
}

/** Refuses what must not be written, gets materials, and starts the one pass of encryption (S18: never a second). */
export async function sealObject(options: ResolvedOptions, given: ObjectToPut): Promise<SealedObject> {
  takeBody(given.Body);
  try {
    return await sealChecked(options, given);
  } catch (error) {
    // Whatever was wrong, the caller's stream must not stay open.
    letGoOfBody(given.Body);
    throw error;
  }
}

async function sealChecked(options: ResolvedOptions, given: ObjectToPut): Promise<SealedObject> {
  const call = callOptionsOf(given);
  refuseReservedNames(call);
  checkUserMetadata(given.Metadata);
  if (given.WriteOffsetBytes !== undefined) {
    throw new S3EncryptionError("unsupported-operation", "An encrypted object cannot be appended to; write it anew.");
  }
  const format = formatToWrite(options, call);
  const body = sourceOfBody(given.Body, given.ContentLength);
  try {
    const { input, source } = withoutPlaintextChecksums(given, body);
    const object = {
      ...requestOf(options, call, given),
      plaintext: source.chunks,
      ...(source.length === undefined ? {} : { contentLength: source.length }),
    };
    const sealed = await unlessAborted(() => format.seal(object), call.abortSignal);
    const Metadata = { ...input.Metadata, ...sealed.metadata };
    refuseOversizedMetadata(Metadata, sealed.metadata);
    refuseImpossibleKeys(input.Key, sealed.siblings.files);
    const { Body: _body, ContentLength: _length, ...rest } = input;
    return {
      input: { ...rest, Metadata },
      ciphertext: sealed.ciphertext,
      length: sealed.length,
      overhead: sealed.length === undefined || source.length === undefined ? 0 : sealed.length - source.length,
      siblings: {
        ...sealed.siblings,
        verb: "Put",
        suffixes: suffixesToLookAt(options, sealed, given),
        markOf: ({ Metadata: stored = {} }) => sealed.siblings.markOf(stored),
      },
      isInMemory: body.isInMemory,
      destroy: body.destroy,
    };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

/** Without any file here, nothing says that there was one: it would take a request with every put. */
function suffixesToLookAt(
  options: ResolvedOptions,
  { siblings: { files, mark } }: { readonly siblings: Siblings },
  given: ObjectToPut,
): readonly string[] {
  // A child that is missing in one put may have its file of an earlier one.
  const mayHaveFiles = (options.materialsManager.instructionFileSuffixes ?? []).length > 0;
  return files.length > 0 || (mark !== undefined && mayHaveFiles) ? knownSuffixes(options, given) : [];
}
