import { FrameEncryption, type FrameKey } from "./frame-cipher.js";
import { MAX_FRAMES } from "./frame-layout.js";

/**
 * Encrypts a body of frames in one pass. Only the end of the plaintext tells which frame is the last, so that up to a
 * frame of it is held back; a chunk is therefore copied unless it is whole frames.
 */
export async function* encryptBody(key: FrameKey, plaintext: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { frameLength } = key;
  let held: Uint8Array[] = [];
  let heldLength = 0;
  let sequenceNumber = 1;
  for await (const chunk of plaintext) {
    let offset = 0;
    // A frame is given out once there is a byte behind it.
    while (heldLength + chunk.length - offset > frameLength) {
      const taken = frameLength - heldLength;
      const frame = [...held, chunk.subarray(offset, offset + taken)];
      yield* encryptFrame(key, sequenceNumber, frame, frameLength, false);
      sequenceNumber++;
      offset += taken;
      held = [];
      heldLength = 0;
    }
    if (offset < chunk.length) {
      // The source may use its buffer again.
      held.push(Buffer.from(chunk.subarray(offset)));
      heldLength += chunk.length - offset;
    }
  }
  yield* encryptFrame(key, Math.min(sequenceNumber, MAX_FRAMES + 1), held, heldLength, true);
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
