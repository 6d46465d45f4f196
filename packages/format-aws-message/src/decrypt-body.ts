import type { DecipherGCM } from "node:crypto";
import { decryptionFailed, S3EncryptionError } from "@s3ec/materials";
import type { BodyReader } from "./body-reader.js";
import { FINAL_FRAME_MARK, type FrameKey, SINGLE_BLOCK } from "./frame-cipher.js";
import { GatheredPieces } from "./gathered-pieces.js";
import { IV_LENGTH, TAG_LENGTH } from "./message-suites.js";

/** Below it, a piece waits for those behind it: each costs a call to OpenSSL. */
const WORTH_A_CALL = 4096;

/**
 * Decrypts a frame, or a single block, as its content arrives, so that nothing has to be kept of it but what it decrypts
 * to. That is given out once the tag was verified (S12); otherwise there is the uniform failure, and it is zeroed.
 */
class ContentDecryption {
  readonly #decipher: DecipherGCM;
  #missing: number;
  readonly #plaintext: Uint8Array[] = [];

  constructor(decipher: DecipherGCM, length: number) {
    this.#decipher = decipher;
    this.#missing = length;
  }

  /** Takes what has arrived of the content and its tag; undefined while that is not all. */
  advance(body: BodyReader): readonly Uint8Array[] | undefined {
    while (this.#missing > 0) {
      if (!body.holds(Math.min(this.#missing, WORTH_A_CALL))) return undefined;
      const piece = body.takePiece(this.#missing);
      this.#plaintext.push(this.#decipher.update(piece));
      this.#missing -= piece.length;
    }
    if (!body.holds(TAG_LENGTH)) return undefined;
    this.#decipher.setAuthTag(body.take(TAG_LENGTH));
    try {
      this.#decipher.final();
      return this.#plaintext;
    } catch {
      for (const piece of this.#plaintext) piece.fill(0);
      throw decryptionFailed();
    }
  }
}

/** An authentic frame. */
interface Frame {
  readonly plaintext: readonly Uint8Array[];
  readonly sequenceNumber: number;
  readonly isFinal: boolean;
}

/** A frame whose head has arrived. */
interface OpenFrame {
  readonly content: ContentDecryption;
  readonly isFinal: boolean;
}

/**
 * Decrypts the frames of a body one by one, each of which is authenticated before a byte of it is given out. Frames that
 * are missing, repeated or in another order are refused.
 */
class FrameReader {
  readonly #key: FrameKey;
  readonly #body: BodyReader;
  readonly #finalLength: number | undefined;
  #sequenceNumber: number;
  #open: OpenFrame | undefined;

  constructor(key: FrameKey, body: BodyReader, { firstFrame, finalLength }: FrameSpan) {
    this.#key = key;
    this.#body = body;
    this.#finalLength = finalLength;
    this.#sequenceNumber = firstFrame;
  }

  /** The next frame; undefined while not all of it has arrived. */
  next(): Frame | undefined {
    this.#open ??= this.#begin();
    const plaintext = this.#open?.content.advance(this.#body);
    if (this.#open === undefined || plaintext === undefined) return undefined;
    const { isFinal } = this.#open;
    this.#open = undefined;
    return { plaintext, sequenceNumber: this.#sequenceNumber++, isFinal };
  }

  #begin(): OpenFrame | undefined {
    const body = this.#body;
    if (!body.holds(4)) return undefined;
    const isFinal = body.peekUint32() === FINAL_FRAME_MARK;
    const headLength = isFinal ? 24 : 16;
    if (!body.holds(headLength)) return undefined;
    const head = body.take(headLength);
    const numberOffset = isFinal ? 4 : 0;
    const sequenceNumber = this.#sequenceNumber;
    const { frameLength } = this.#key;
    const length = isFinal ? head.readUInt32BE(20) : frameLength;
    // Lengths and numbers are public, and are checked before the key is used (S15).
    const isExpected = !isFinal || length === (this.#finalLength ?? length);
    if (head.readUInt32BE(numberOffset) !== sequenceNumber || length > frameLength || !isExpected) {
      throw decryptionFailed();
    }
    const iv = head.subarray(numberOffset + 4, numberOffset + 4 + IV_LENGTH);
    const decipher = this.#key.decipher({ sequenceNumber, isFinal }, iv, length);
    return { content: new ContentDecryption(decipher, length), isFinal };
  }
}

/** Which frames a body has, both inclusive. The last of them must end the message exactly if it says so. */
export interface FrameSpan {
  readonly firstFrame: number;
  /** Absent where only the last frame itself tells. */
  readonly lastFrame?: number;
  readonly endsMessage: boolean;
  /**
   * Plaintext bytes of the frame that ends the message, where the object's length says it: a range would otherwise end
   * too early in a longer one, or count from the wrong end.
   */
  readonly finalLength?: number;
}

const WHOLE: FrameSpan = { firstFrame: 1, endsMessage: true };

/** Reads and verifies what stands behind the content; throws the uniform failure. */
type Ending = (rest: BodyReader) => Promise<void>;

/**
 * Decrypts frames until the last one, which is given out once what stands behind it was verified: a body that ends
 * before its last frame is refused. Lets go of the body. One generator for all of it, since each that a piece passes
 * through costs as much as a small frame.
 */
export async function* decryptFrames(
  key: FrameKey,
  body: BodyReader,
  verifyEnd: Ending = refuseMore,
  span: FrameSpan = WHOLE,
): AsyncGenerator<Uint8Array> {
  const { lastFrame, endsMessage } = span;
  try {
    const frames = new FrameReader(key, body, span);
    const ready = new GatheredPieces();
    for (let isLast = false; !isLast; ) {
      const frame = frames.next();
      if (frame !== undefined) {
        isLast = lastFrame === undefined ? frame.isFinal : frame.sequenceNumber === lastFrame;
        // The length of the object said which frame is the last: if the message says otherwise, one of them was altered.
        if (frame.isFinal !== (endsMessage && isLast)) throw decryptionFailed();
        for (const piece of frame.plaintext) ready.add(piece);
      }
      // Not before the signature: AWS Encryption SDK, decrypt, on a last frame and on a single block.
      if (isLast) await verifyEnd(body);
      // Nothing else that is authentic is kept back while more is awaited.
      if (frame === undefined || isLast || ready.isWorthATurn) for (const piece of ready.take()) yield piece;
      if (frame === undefined && !(await body.more())) throw decryptionFailed();
    }
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
  verifyEnd: Ending = refuseMore,
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
    const content = new ContentDecryption(key.decipher(SINGLE_BLOCK, iv, length), length);
    for (;;) {
      const plaintext = content.advance(body);
      if (plaintext !== undefined) {
        await verifyEnd(body);
        for (const piece of plaintext) yield piece;
        return;
      }
      if (!(await body.more())) throw decryptionFailed();
    }
  } finally {
    await body.close();
  }
}

async function refuseMore(rest: BodyReader): Promise<void> {
  if (await rest.has(1)) throw decryptionFailed();
}
