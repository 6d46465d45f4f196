import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM, type KeyObject } from "node:crypto";
import { decryptionFailed, S3EncryptionError } from "@s3ec/materials";
import { MAX_FRAMES } from "./frame-layout.js";
import { gcmName } from "./message-keys.js";
import type { MessageSuite } from "./message-suites.js";

/** What every frame of a message is encrypted with. */
export interface FrameKey {
  readonly suite: MessageSuite;
  readonly key: KeyObject;
  readonly messageId: Uint8Array;
  /** As many bytes as a frame, or a single block, can have. */
  readonly frameLength: number;
}

/** Where a frame stands. */
export interface FramePosition {
  /** Counted from 1. */
  readonly sequenceNumber: number;
  readonly isFinal: boolean;
}

/** The place of content that is not in frames. */
export const SINGLE_BLOCK = "single-block";

export const IV_LENGTH = 12;
export const TAG_LENGTH = 16;
/** In the place of a sequence number: the last frame follows. */
export const FINAL_FRAME_MARK = 0xffffffff;
const FRAME = Buffer.from("AWSKMSEncryptionClient Frame");
const BLOCK = Buffer.from("AWSKMSEncryptionClient Single Block");
const FINAL_FRAME = Buffer.from("AWSKMSEncryptionClient Final Frame");

/** What binds a frame's content to its place: `message id ‖ kind ‖ sequence number(4) ‖ content length(8)`. */
function frameAad({ messageId }: FrameKey, position: FramePosition | typeof SINGLE_BLOCK, length: number): Buffer {
  const { sequenceNumber, kind } =
    position === SINGLE_BLOCK
      ? { sequenceNumber: 1, kind: BLOCK }
      : { sequenceNumber: position.sequenceNumber, kind: position.isFinal ? FINAL_FRAME : FRAME };
  const aad = Buffer.allocUnsafe(messageId.length + kind.length + 12);
  aad.set(messageId);
  aad.set(kind, messageId.length);
  aad.writeUInt32BE(sequenceNumber, aad.length - 12);
  aad.writeUInt32BE(0, aad.length - 8);
  aad.writeUInt32BE(length, aad.length - 4);
  return aad;
}

/** Encrypts one frame as its content comes in. Its IV is its sequence number: unique, since the key is the message's own. */
export class FrameEncryption {
  /** Everything in front of the content. */
  readonly head: Buffer;
  readonly #cipher: CipherGCM;

  constructor(key: FrameKey, position: FramePosition, length: number) {
    const { sequenceNumber, isFinal } = position;
    // The highest number is the mark of a last frame, so that only a last frame can have it.
    if (sequenceNumber > (isFinal ? MAX_FRAMES : MAX_FRAMES - 1)) {
      throw new S3EncryptionError(
        "content-too-large",
        `A message has ${MAX_FRAMES} frames at most; choose a larger frameLength.`,
      );
    }
    this.head = Buffer.alloc(isFinal ? 24 : 16);
    const numberOffset = isFinal ? 4 : 0;
    if (isFinal) {
      this.head.writeUInt32BE(FINAL_FRAME_MARK);
      this.head.writeUInt32BE(length, 20);
    }
    this.head.writeUInt32BE(sequenceNumber, numberOffset);
    const iv = this.head.subarray(numberOffset + 4, numberOffset + 4 + IV_LENGTH);
    iv.writeUInt32BE(sequenceNumber, IV_LENGTH - 4);
    this.#cipher = createCipheriv(gcmName(key.suite), key.key, iv, { authTagLength: TAG_LENGTH });
    this.#cipher.setAAD(frameAad(key, position, length));
  }

  update(plaintext: Uint8Array): Uint8Array {
    return this.#cipher.update(plaintext);
  }

  tag(): Uint8Array {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }
}

/**
 * Decrypts one frame, or a single block, as its content arrives. What it makes of it is given out only by `finish`, once
 * the tag was verified (S12); otherwise there is the uniform failure, and what was decrypted is zeroed.
 */
export class FrameDecryption {
  readonly #decipher: DecipherGCM;
  readonly #plaintext: Uint8Array[] = [];

  constructor(key: FrameKey, position: FramePosition | typeof SINGLE_BLOCK, iv: Uint8Array, length: number) {
    this.#decipher = createDecipheriv(gcmName(key.suite), key.key, iv, { authTagLength: TAG_LENGTH });
    this.#decipher.setAAD(frameAad(key, position, length));
  }

  update(ciphertext: Uint8Array): void {
    this.#plaintext.push(this.#decipher.update(ciphertext));
  }

  finish(tag: Uint8Array): readonly Uint8Array[] {
    this.#decipher.setAuthTag(tag);
    try {
      this.#decipher.final();
      return this.#plaintext;
    } catch {
      for (const piece of this.#plaintext) piece.fill(0);
      throw decryptionFailed();
    }
  }
}
