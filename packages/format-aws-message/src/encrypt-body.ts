import { FrameEncryption, type FrameKey } from "./frame-cipher.js";

/**
 * Encrypts a body of frames in one pass, behind the header. Only the end of the plaintext tells which frame is the last,
 * so that up to a frame of it is held back, as a copy, since the source may use its buffer again. The header waits for
 * the first frame: whoever has got something and wants no more lets go of the source, too.
 */
export async function* encryptBody(
  key: FrameKey,
  header: Uint8Array,
  plaintext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const { frameLength } = key;
  const held = Buffer.allocUnsafeSlow(frameLength);
  let heldLength = 0;
  let sequenceNumber = 1;
  for await (const chunk of plaintext) {
    let offset = 0;
    // A frame is given out once there is a byte behind it.
    while (heldLength + chunk.length - offset > frameLength) {
      const end = offset + frameLength - heldLength;
      const frame = [held.subarray(0, heldLength), chunk.subarray(offset, end)];
      if (sequenceNumber === 1) yield header;
      yield* encryptFrame(key, sequenceNumber, frame, frameLength, false);
      sequenceNumber++;
      offset = end;
      heldLength = 0;
    }
    held.set(chunk.subarray(offset), heldLength);
    heldLength += chunk.length - offset;
  }
  if (sequenceNumber === 1) yield header;
  yield* encryptFrame(key, sequenceNumber, [held.subarray(0, heldLength)], heldLength, true);
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
