import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM, type KeyObject } from "node:crypto";
import { gcmName } from "./message-keys.js";
import { IV_LENGTH, type MessageSuite, TAG_LENGTH } from "./message-suites.js";

/** Where a frame stands. */
export interface FramePosition {
  /** Counted from 1. */
  readonly sequenceNumber: number;
  readonly isFinal: boolean;
}

/** The place of content that is not in frames. */
export const SINGLE_BLOCK = "single-block";

const OPTIONS = { authTagLength: TAG_LENGTH };
/** In the place of a sequence number: the last frame follows. */
export const FINAL_FRAME_MARK = 0xffffffff;
const FRAME = Buffer.from("AWSKMSEncryptionClient Frame");
const BLOCK = Buffer.from("AWSKMSEncryptionClient Single Block");
const FINAL_FRAME = Buffer.from("AWSKMSEncryptionClient Final Frame");

/** What every frame of a message is encrypted with. */
export class FrameKey {
  /** As many bytes as a frame, or a single block, can have. */
  readonly frameLength: number;
  readonly #name: ReturnType<typeof gcmName>;
  readonly #key: KeyObject;
  readonly #frame: Buffer;
  readonly #finalFrame: Buffer;
  readonly #block: Buffer;
  readonly #iv: Buffer = Buffer.alloc(IV_LENGTH);

  constructor(suite: MessageSuite, key: KeyObject, messageId: Uint8Array, frameLength: number) {
    this.frameLength = frameLength;
    this.#name = gcmName(suite);
    this.#key = key;
    this.#frame = aadOf(messageId, FRAME);
    this.#finalFrame = aadOf(messageId, FINAL_FRAME);
    this.#block = aadOf(messageId, BLOCK);
  }

  /** A frame's IV is its sequence number: unique, since the key is the message's own. */
  cipher(position: FramePosition, length: number): CipherGCM {
    this.#iv.writeUInt32BE(position.sequenceNumber, IV_LENGTH - 4);
    return createCipheriv(this.#name, this.#key, this.#iv).setAAD(this.#aad(position, length));
  }

  decipher(position: FramePosition | typeof SINGLE_BLOCK, iv: Uint8Array, length: number): DecipherGCM {
    return createDecipheriv(this.#name, this.#key, iv, OPTIONS).setAAD(this.#aad(position, length));
  }

  /**
   * What binds a frame's content to its place: `message id ‖ kind ‖ sequence number(4) ‖ content length(8)`. It serves
   * again, since OpenSSL is done with it at once.
   */
  #aad(position: FramePosition | typeof SINGLE_BLOCK, length: number): Buffer {
    const isBlock = position === SINGLE_BLOCK;
    const aad = isBlock ? this.#block : position.isFinal ? this.#finalFrame : this.#frame;
    aad.writeUInt32BE(isBlock ? 1 : position.sequenceNumber, aad.length - 12);
    aad.writeUInt32BE(length, aad.length - 4);
    return aad;
  }
}

/** With room for the number and the length. */
function aadOf(messageId: Uint8Array, kind: Uint8Array): Buffer {
  return Buffer.concat([messageId, kind, Buffer.alloc(12)]);
}
