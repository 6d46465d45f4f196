import { S3EncryptionError } from "@s3ec/materials";
import { FrameEncryption, type FrameKey } from "./frame-cipher.js";
import { FRAME_OVERHEAD } from "./frame-layout.js";

/** Frames are given out when they make so many bytes, and not sooner: each piece costs its reader a turn. */
const PIECE = 32 * 1024;
/** Up to this many bytes, copying a piece costs less than giving it out by itself. */
const SHORT = 16 * 1024;

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
  let ready: Uint8Array[] = [header];
  let readyLength = header.length;
  for await (const chunk of plaintext) {
    total += chunk.length;
    let offset = 0;
    for (;;) {
      const end = offset + frameLength - heldLength;
      // A frame is not the last where there is a byte behind it, here or to come.
      const isFollowed =
        chunk.length > end || (chunk.length === end && contentLength !== undefined && total < contentLength);
      if (!isFollowed) break;
      const frame = [held.subarray(0, heldLength), chunk.subarray(offset, end)];
      ready.push(...encryptFrame(key, sequenceNumber, frame, frameLength, false));
      readyLength += frameLength + FRAME_OVERHEAD;
      if (readyLength >= PIECE) {
        for (const piece of joined(ready)) yield piece;
        [ready, readyLength] = [[], 0];
      }
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
  ready.push(...encryptFrame(key, sequenceNumber, [held.subarray(0, heldLength)], heldLength, true));
  for (const piece of joined(ready)) yield piece;
}

/** The same bytes, with the pieces that are short made one with their neighbours. */
function* joined(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  let short: Uint8Array[] = [];
  for (const piece of pieces) {
    if (piece.length <= SHORT) short.push(piece);
    else {
      if (short.length > 0) yield Buffer.concat(short);
      short = [];
      yield piece;
    }
  }
  if (short.length > 0) yield Buffer.concat(short);
}

function* encryptFrame(
  key: FrameKey,
  sequenceNumber: number,
  content: readonly Uint8Array[],
  length: number,
  isFinal: boolean,
): Generator<Uint8Array> {
  const frame = new FrameEncryption(key, { sequenceNumber, isFinal }, length);
  yield frame.head;
  for (const piece of content) if (piece.length > 0) yield frame.update(piece);
  yield frame.tag();
}
