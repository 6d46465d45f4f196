import { S3EncryptionError } from "@s3ec/materials";
import { FINAL_FRAME_MARK, type FrameKey, type FramePosition } from "./frame-cipher.js";
import { MAX_FRAMES } from "./frame-layout.js";
import { GatheredPieces } from "./gathered-pieces.js";

/**
 * Encrypts a body of frames in one pass, behind the header. Where its length is not known, only the end of the plaintext
 * tells which frame is the last, so that up to a frame of it is held back, as a copy, since the source may use its buffer
 * again. The header waits for the first frame: whoever has got something and wants no more lets go of the source, too.
 * Throws `content-mismatch` where the plaintext has not the length that it was said to have.
 */
export async function* encryptBody(
  key: FrameKey,
  header: Uint8Array,
  plaintext: AsyncIterable<Uint8Array>,
  contentLength: number | undefined,
): AsyncGenerator<Uint8Array> {
  const { frameLength } = key;
  const held = Buffer.allocUnsafeSlow(frameLength);
  let heldLength = 0;
  let sequenceNumber = 1;
  let total = 0;
  const ready = new GatheredPieces();
  ready.add(header);
  for await (const chunk of plaintext) {
    total += chunk.length;
    let offset = 0;
    for (;;) {
      const end = offset + frameLength - heldLength;
      // A frame is not the last where there is a byte behind it, here or to come.
      const isFollowed =
        chunk.length > end || (chunk.length === end && contentLength !== undefined && total < contentLength);
      if (!isFollowed) break;
      const rest = end - offset === chunk.length ? chunk : chunk.subarray(offset, end);
      const content = heldLength === 0 ? [rest] : [held.subarray(0, heldLength), rest];
      encryptFrame(key, { sequenceNumber, isFinal: false }, content, frameLength, ready);
      if (ready.isWorthATurn) for (const piece of ready.take()) yield piece;
      sequenceNumber++;
      offset = end;
      heldLength = 0;
    }
    held.set(chunk.subarray(offset), heldLength);
    heldLength += chunk.length - offset;
  }
  if (contentLength !== undefined && total !== contentLength) {
    throw new S3EncryptionError(
      "content-mismatch",
      `The body has ${total} bytes, but was said to have ${contentLength}.`,
    );
  }
  encryptFrame(key, { sequenceNumber, isFinal: true }, [held.subarray(0, heldLength)], heldLength, ready);
  for (const piece of ready.take()) yield piece;
}

function encryptFrame(
  key: FrameKey,
  position: FramePosition,
  content: readonly Uint8Array[],
  length: number,
  encrypted: GatheredPieces,
): void {
  encrypted.add(frameHead(position, length));
  const cipher = key.cipher(position, length);
  for (const piece of content) if (piece.length > 0) encrypted.add(cipher.update(piece));
  cipher.final();
  encrypted.add(cipher.getAuthTag());
}

/**
 * Everything in front of a frame's content. Its IV is its sequence number: unique, since the key is the message's own.
 * Throws `content-too-large` for a number that no frame can have.
 */
export function frameHead({ sequenceNumber, isFinal }: FramePosition, length: number): Buffer {
  // The highest number is the mark of a last frame, so that only a last frame can have it.
  if (sequenceNumber > (isFinal ? MAX_FRAMES : MAX_FRAMES - 1)) {
    throw new S3EncryptionError(
      "content-too-large",
      `A message has ${MAX_FRAMES} frames at most; choose a larger frameLength.`,
    );
  }
  const head = Buffer.allocUnsafe(isFinal ? 24 : 16).fill(0);
  if (isFinal) {
    head.writeUInt32BE(FINAL_FRAME_MARK);
    head.writeUInt32BE(length, 20);
  }
  head.writeUInt32BE(sequenceNumber, isFinal ? 4 : 0);
  head.writeUInt32BE(sequenceNumber, isFinal ? 16 : 12);
  return head;
}
