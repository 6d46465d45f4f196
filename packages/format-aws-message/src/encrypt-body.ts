import { S3EncryptionError } from "@s3ec/materials";
import { FINAL_FRAME_MARK, type FrameKey, type FramePosition } from "./frame-cipher.js";
import { MAX_FRAMES } from "./frame-layout.js";
import { GatheredPieces } from "./gathered-pieces.js";
import { IV_LENGTH } from "./message-suites.js";

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
  let total = 0;
  const frames = new FrameWriter(key, header);
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
      frames.write(content, frameLength, false);
      if (frames.written.isWorthATurn) for (const piece of frames.written.take()) yield piece;
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
  frames.write(heldLength === 0 ? [] : [held.subarray(0, heldLength)], heldLength, true);
  for (const piece of frames.written.take()) yield piece;
}

/** Encrypts frames, one behind the other. */
class FrameWriter {
  readonly written: GatheredPieces = new GatheredPieces();
  readonly #key: FrameKey;
  #sequenceNumber = 1;
  /** The tag of the frame before, or the header: it goes out in one piece with the next frame's head. */
  #before: Uint8Array;

  constructor(key: FrameKey, header: Uint8Array) {
    this.#key = key;
    this.#before = header;
  }

  write(content: readonly Uint8Array[], length: number, isFinal: boolean): void {
    const position = { sequenceNumber: this.#sequenceNumber++, isFinal };
    this.written.add(withFrameHead(this.#before, position, length));
    const cipher = this.#key.cipher(position, length);
    for (const piece of content) this.written.add(cipher.update(piece));
    cipher.final();
    this.#before = cipher.getAuthTag();
    if (isFinal) this.written.add(this.#before);
  }
}

/**
 * Bytes, and behind them everything that stands in front of a frame's content. Its IV is its sequence number: unique,
 * since the key is the message's own. Throws `content-too-large` for a number that no frame can have.
 */
export function withFrameHead(before: Uint8Array, { sequenceNumber, isFinal }: FramePosition, length: number): Buffer {
  // The highest number is the mark of a last frame, so that only a last frame can have it.
  if (sequenceNumber > (isFinal ? MAX_FRAMES : MAX_FRAMES - 1)) {
    throw new S3EncryptionError(
      "content-too-large",
      `A message has ${MAX_FRAMES} frames at most; choose a larger frameLength.`,
    );
  }
  const start = before.length;
  const numberStart = start + (isFinal ? 4 : 0);
  const bytes = Buffer.allocUnsafe(start + (isFinal ? 24 : 16));
  bytes.set(before);
  bytes.fill(0, start);
  if (isFinal) {
    bytes.writeUInt32BE(FINAL_FRAME_MARK, start);
    bytes.writeUInt32BE(length, start + 20);
  }
  bytes.writeUInt32BE(sequenceNumber, numberStart);
  bytes.writeUInt32BE(sequenceNumber, numberStart + IV_LENGTH);
  return bytes;
}
