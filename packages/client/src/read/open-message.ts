import type { GetObjectCommandInput } from "@aws-sdk/client-s3";
import { GatheredBytes, holdsEnvelope } from "@s3ec/envelope";
import { type MessageFormat, type MessageHeader, type OpenedMessage, S3EncryptionError } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import type { Decryption } from "./whole-content.js";

/** The format to look for in an object's body, if any: not where its metadata says that it is one of the S3 formats. */
export function messageFormatFor(
  { messageFormat }: ResolvedOptions,
  call: CallOptions,
  { Metadata = {} }: { readonly Metadata?: Readonly<Record<string, string>> | undefined },
): MessageFormat | undefined {
  return call.format === "s3" || holdsEnvelope(Metadata) ? undefined : messageFormat;
}

/** The beginning of an object, read as far as it takes to say whether a message begins there. */
export interface ObjectStart {
  /** Undefined where it is no message. */
  readonly header: MessageHeader | undefined;
  /** All bytes of an object that is no message; those behind the header of a message. */
  readonly chunks: AsyncGenerator<Uint8Array>;
}

export async function readStart(format: MessageFormat, body: AsyncIterable<Uint8Array>): Promise<ObjectStart> {
  const source = body[Symbol.asyncIterator]();
  const start = new GatheredBytes();
  // Not for every piece, of which there may be as many as bytes: each time only once there is twice as much.
  for (let enough = 0; ; enough = Math.max(1, 2 * start.length)) {
    let ended = false;
    while (!ended && start.length < enough) {
      const { done, value } = await source.next();
      if (done === true) ended = true;
      else start.append(value);
    }
    const parsed = format.parseHeader(start.bytes);
    if (parsed === "incomplete" && !ended) continue;
    const header = parsed === null || parsed === "incomplete" ? undefined : parsed;
    return { header, chunks: joined(start.bytes.subarray(header?.length ?? 0), source) };
  }
}

async function* joined(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (start.length > 0) yield start;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Gates, materials, commitment, and the header's authentication. */
export async function openMessage(
  format: MessageFormat,
  { materialsManager, commitmentPolicy }: ResolvedOptions,
  call: CallOptions,
  header: MessageHeader,
  { Bucket: bucket, Key: key }: GetObjectCommandInput,
): Promise<OpenedMessage> {
  // A caller who names one means the S3 formats, and would have that checked.
  const { instructionFileSuffix, instructionFileVersionId, preferInstructionFile } = call;
  if (instructionFileSuffix !== undefined || instructionFileVersionId !== undefined || preferInstructionFile) {
    throw new S3EncryptionError("invalid-argument", "The object is a message, which has no instruction file.");
  }
  return await format.open(header, {
    materialsManager,
    commitmentPolicy,
    encryptionContext: call.encryptionContext,
    bucket,
    key,
    ...(call.materialDescription === undefined ? {} : { materialDescription: call.materialDescription }),
  });
}

/** @param storedLength bytes of the object, where S3 said it */
export function decryptionOfMessage(message: OpenedMessage, storedLength: number | undefined): Decryption {
  return {
    decrypt: (ciphertext) => message.decrypt(ciphertext),
    length: storedLength === undefined ? undefined : message.plaintextLength(storedLength),
    maxLength: storedLength,
    proves: message.provesPieces ? "pieces" : "whole",
  };
}
