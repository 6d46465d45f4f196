import type { UploadPartCommandInput } from "@aws-sdk/client-s3";
import { GatheredBytes } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { withoutCallOptions } from "../call-options.js";
import { unlessAborted } from "../request-aborted.js";
import { sourceOfBody } from "../write/body.js";
import { withoutPlaintextChecksums } from "../write/plaintext-checksums.js";
import type { PartSaid } from "./open-upload.js";

/** Bytes of a part at most: all of it is held, in the clear and encrypted, before a byte of it is sent. */
const MOST_PART_LENGTH = 256 * 1024 * 1024;

/**
 * Reads all of a part into memory of our own, which nobody changes under us (G4), and checks what its caller says of it: its
 * length, its checksums.
 */
export async function readPart(
  given: UploadPartCommandInput,
  signal: AbortSignal,
): Promise<Omit<PartSaid, "signal"> & { readonly plaintext: Uint8Array }> {
  const { Body, ContentLength, ContentMD5: _, ...rest } = withoutCallOptions(given);
  const body = sourceOfBody(Body, ContentLength);
  try {
    const { source } = withoutPlaintextChecksums(given, body);
    if ((source.length ?? 0) > MOST_PART_LENGTH) throw tooLong();
    const plaintext = await unlessAborted(() => gather(source.chunks, source.length), signal);
    if (plaintext.length === 0) {
      throw new S3EncryptionError(
        "invalid-argument",
        "A part must hold something: store an empty object with PutObjectCommand.",
      );
    }
    const checksums = Object.entries(rest).filter(([name]) => /^Checksum(?!Algorithm$)/.test(name));
    const input = Object.fromEntries(
      Object.entries(rest).filter((entry) => !checksums.some(([name]) => name === entry[0])),
    );
    return {
      plaintext,
      checksums: Object.fromEntries(checksums) as Record<string, string>,
      input: input as unknown as UploadPartCommandInput,
    };
  } finally {
    body.destroy();
  }
}

async function gather(chunks: AsyncIterable<Uint8Array>, length: number | undefined): Promise<Uint8Array> {
  const gathered = new GatheredBytes(length);
  for await (const chunk of chunks) {
    if (gathered.length + chunk.length > MOST_PART_LENGTH) throw tooLong();
    gathered.append(chunk);
  }
  return gathered.bytes;
}

function tooLong(): S3EncryptionError {
  return new S3EncryptionError(
    "content-too-large",
    `A part is held in memory until it is encrypted, and may have ${MOST_PART_LENGTH} bytes: choose smaller parts, or use EncryptedUpload.`,
  );
}
