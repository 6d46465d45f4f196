import { decryptionFailed, S3EncryptionError } from "@s3ec/materials";
import type { BodyReader } from "./body-reader.js";
import {
  FINAL_FRAME_MARK,
  FrameDecryption,
  type FrameKey,
  IV_LENGTH,
  SINGLE_BLOCK,
  TAG_LENGTH,
} from "./frame-cipher.js";

/** An authentic frame. */
interface Frame {
  readonly plaintext: readonly Uint8Array[];
  readonly isFinal: boolean;
}

/**
 * Decrypts the frames of a body one by one, each of which is authenticated before a byte of it is given out. Frames that
 * are missing, repeated or in another order are refused, and so is a body that ends before its last frame.
 */
class FrameReader {
  readonly #key: FrameKey;
  readonly #body: BodyReader;
  #sequenceNumber: number;

  /** @param first the number of the frame that the body begins with */
  constructor(key: FrameKey, body: BodyReader, first = 1) {
    this.#key = key;
    this.#body = body;
    this.#sequenceNumber = first;
  }

  async next(): Promise<Frame> {
    const { frameLength } = this.#key;
    const body = this.#body;
    const sequenceNumber = this.#sequenceNumber++;
    if (!body.holds(4)) await this.#need(4);
    const isFinal = body.peekUint32() === FINAL_FRAME_MARK;
    const headLength = isFinal ? 24 : 16;
    if (!body.holds(headLength)) await this.#need(headLength);
    const head = body.take(headLength);
    const numberOffset = isFinal ? 4 : 0;
    const length = isFinal ? head.readUInt32BE(20) : frameLength;
    // Lengths and numbers are public, and are checked before the key is used (S15).
    if (head.readUInt32BE(numberOffset) !== sequenceNumber || length > frameLength) throw decryptionFailed();
    const iv = head.subarray(numberOffset + 4, numberOffset + 4 + IV_LENGTH);
    const frame = new FrameDecryption(this.#key, { sequenceNumber, isFinal }, iv, length);
    return { plaintext: await decryptContent(frame, body, length), isFinal };
  }

  async #need(length: number): Promise<void> {
    if (!(await this.#body.has(length))) throw decryptionFailed();
  }
}

/** Below it, a piece waits for those behind it: each costs a call to OpenSSL. */
const WORTH_A_CALL = 4096;

/** Decrypts content as it arrives, so that nothing has to be kept of it but what it decrypts to, and verifies its tag. */
async function decryptContent(
  frame: FrameDecryption,
  body: BodyReader,
  length: number,
): Promise<readonly Uint8Array[]> {
  for (let missing = length; missing > 0; ) {
    const least = Math.min(missing, WORTH_A_CALL);
    if (!body.holds(least) && !(await body.has(least))) throw decryptionFailed();
    for (const piece of body.takePieces(Math.min(missing, Math.max(least, body.pieceLength)))) {
      frame.update(piece);
      missing -= piece.length;
    }
  }
  if (!body.holds(TAG_LENGTH) && !(await body.has(TAG_LENGTH))) throw decryptionFailed();
  return frame.finish(body.take(TAG_LENGTH));
}

/** What stands behind the last frame. */
interface Ending {
  /** Reads and verifies it; throws the uniform failure. */
  readonly verify: (rest: BodyReader) => Promise<void>;
  /** Give out each frame as one piece, for a reader that holds the last one back. */
  readonly joinsFrames: boolean;
}

const UNSIGNED: Ending = { verify: refuseMore, joinsFrames: false };

function given(plaintext: readonly Uint8Array[], { joinsFrames }: Ending): readonly Uint8Array[] {
  const pieces = plaintext.filter((piece) => piece.length > 0);
  return joinsFrames && pieces.length > 1 ? [Buffer.concat(pieces)] : pieces;
}

/**
 * Decrypts frames until the last one, and verifies what stands behind it. Lets go of the body. One
 * generator for all of it, since each that a piece passes through costs as much as a small frame.
 */
export async function* decryptFrames(
  key: FrameKey,
  body: BodyReader,
  ending: Ending = UNSIGNED,
): AsyncGenerator<Uint8Array> {
  try {
    const frames = new FrameReader(key, body);
    for (let isLast = false; !isLast; ) {
      const { plaintext, isFinal } = await frames.next();
      for (const piece of given(plaintext, ending)) yield piece;
      isLast = isFinal;
    }
    await ending.verify(body);
  } finally {
    await body.close();
  }
}

/**
 * Decrypts a body that is one block: IV(12) ‖ length(8) ‖ content ‖ tag(16). It is held until it is authenticated, so that
 * the key's `frameLength` bounds it.
 */
export async function* decryptSingleBlock(
  key: FrameKey,
  body: BodyReader,
  ending: Ending = UNSIGNED,
): AsyncGenerator<Uint8Array> {
  try {
    if (!(await body.has(IV_LENGTH + 8))) throw decryptionFailed();
    const iv = body.take(IV_LENGTH);
    const length = Number(body.take(8).readBigUInt64BE());
    if (length > key.frameLength) {
      throw new S3EncryptionError(
        "content-too-large",
        `The message is one block of more than the ${key.frameLength} bytes that may be held (maxFrameLength).`,
      );
    }
    const plaintext = await decryptContent(new FrameDecryption(key, SINGLE_BLOCK, iv, length), body, length);
    for (const piece of given(plaintext, ending)) yield piece;
    await ending.verify(body);
  } finally {
    await body.close();
  }
}

/** Decrypts frames from one to another, both inclusive, the last of which must end the message exactly if it says so. */
export async function* decryptFrameRange(
  key: FrameKey,
  body: BodyReader,
  range: { readonly firstFrame: number; readonly lastFrame: number; readonly endsMessage: boolean },
): AsyncGenerator<Uint8Array> {
  try {
    const frames = new FrameReader(key, body, range.firstFrame);
    for (let number = range.firstFrame; number <= range.lastFrame; number++) {
      const { plaintext, isFinal } = await frames.next();
      // The length of the object said which frame is the last: if the message says otherwise, one of them was altered.
      if (isFinal !== (range.endsMessage && number === range.lastFrame)) throw decryptionFailed();
      for (const piece of plaintext) if (piece.length > 0) yield piece;
    }
    await refuseMore(body);
  } finally {
    await body.close();
  }
}

async function refuseMore(rest: BodyReader): Promise<void> {
  if (await rest.has(1)) throw decryptionFailed();
}
