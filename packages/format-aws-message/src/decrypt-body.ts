import { decryptionFailed, S3EncryptionError } from "@s3ec/materials";
import type { BodyReader } from "./body-reader.js";
import { decryptFrame, FINAL_FRAME_MARK, type FrameKey, IV_LENGTH, SINGLE_BLOCK, TAG_LENGTH } from "./frame-cipher.js";

/**
 * Decrypts frames, each of which is authenticated before a byte of it is yielded, until the last one. Frames that are
 * missing, repeated or in another order are refused, and so is a body that ends before its last frame.
 */
export async function* decryptFrames(key: FrameKey, reader: BodyReader, from = 1): AsyncGenerator<Uint8Array> {
  for (let sequenceNumber = from; ; sequenceNumber++) {
    const { plaintext, isFinal } = await nextFrame(key, reader, sequenceNumber);
    for (const piece of plaintext) if (piece.length > 0) yield piece;
    if (isFinal) return;
  }
}

/**
 * Decrypts a body that is one block: IV(12) ‖ length(8) ‖ content ‖ tag(16). It is held until it is authenticated, so that
 * `maxLength` bounds it.
 */
export async function* decryptSingleBlock(
  key: FrameKey,
  reader: BodyReader,
  maxLength: number,
): AsyncGenerator<Uint8Array> {
  if (!(await reader.has(IV_LENGTH + 8))) throw decryptionFailed();
  const iv = reader.take(IV_LENGTH);
  const length = Number(reader.take(8).readBigUInt64BE());
  if (length > maxLength) {
    throw new S3EncryptionError(
      "content-too-large",
      `The message is one block of more than the ${maxLength} bytes that may be held (maxFrameLength).`,
    );
  }
  if (!(await reader.has(length + TAG_LENGTH))) throw decryptionFailed();
  const content = reader.takePieces(length);
  for (const piece of decryptFrame(key, SINGLE_BLOCK, { iv, content, tag: reader.take(TAG_LENGTH) })) yield piece;
}

/** Decrypts frames from one to another, both inclusive, the last of which must end the message exactly if it says so. */
export async function* decryptFrameRange(
  key: FrameKey,
  reader: BodyReader,
  range: { readonly firstFrame: number; readonly lastFrame: number; readonly endsMessage: boolean },
): AsyncGenerator<Uint8Array> {
  for (let sequenceNumber = range.firstFrame; sequenceNumber <= range.lastFrame; sequenceNumber++) {
    const { plaintext, isFinal } = await nextFrame(key, reader, sequenceNumber);
    // The length of the object said which frame is the last: if the message says otherwise, one of them was altered.
    if (isFinal !== (range.endsMessage && sequenceNumber === range.lastFrame)) throw decryptionFailed();
    yield* plaintext;
  }
  if (await reader.has(1)) throw decryptionFailed();
}

async function nextFrame(
  key: FrameKey,
  reader: BodyReader,
  sequenceNumber: number,
): Promise<{ readonly plaintext: Uint8Array[]; readonly isFinal: boolean }> {
  const need = async (length: number): Promise<void> => {
    if (!(await reader.has(length))) throw decryptionFailed();
  };
  await need(4);
  const isFinal = reader.peekUint32() === FINAL_FRAME_MARK;
  const headLength = isFinal ? 24 : 16;
  await need(headLength);
  const head = reader.take(headLength);
  const numberOffset = isFinal ? 4 : 0;
  const length = isFinal ? head.readUInt32BE(20) : key.frameLength;
  // Lengths and numbers are public, and are checked before the key is used (S15).
  if (head.readUInt32BE(numberOffset) !== sequenceNumber || length > key.frameLength) throw decryptionFailed();
  await need(length + TAG_LENGTH);
  const iv = head.subarray(numberOffset + 4, numberOffset + 4 + IV_LENGTH);
  const content = reader.takePieces(length);
  const plaintext = decryptFrame(key, { sequenceNumber, isFinal }, { iv, content, tag: reader.take(TAG_LENGTH) });
  return { plaintext, isFinal };
}
