import { BLOCK, blocksOf, type GcmParameters, xor } from "./gcm-parameters.js";
import { isSamePiece, type Piece, PieceHash } from "./gcm-pieces.js";
import { Ghash, tagMask, ZeroHashes } from "./ghash.js";
import { cipherAt } from "./keystream.js";
import { PieceLedger } from "./piece-ledger.js";
import { timesX64 } from "./times-x64.js";

/** What is encrypted at an offset for the first time: what to send, and what a second time has to bring. */
export interface SealedPiece {
  /** As long as the plaintext. */
  readonly ciphertext: Buffer;
  /** Secret, as a `Piece` is. */
  readonly piece: Piece;
}

/** Bytes at the ends of a part that share their blocks with its neighbours, and what is between them, hashed. */
interface Part {
  readonly length: number;
  readonly head: Buffer;
  /** Undefined for a part so short that `head` holds all of it. */
  readonly middle: { readonly blocks: number; readonly polynomial: Buffer } | undefined;
  readonly tail: Buffer;
}

/** A shorter part is kept: what is left of it without its ends might be a single block. */
const SHORT = 80;

/**
 * Writes one message part by part, in any order, each part encrypted once; a part that has to be sent again is made again
 * from its plaintext, if that is still the same (S18). Any other use of a position of the keystream ends the message for
 * good: its key and IV must not be used any more (G11).
 *
 * Parts may have any length. The tag is made once, by `close` (G1).
 */
export class GcmWriting {
  readonly #parameters: GcmParameters;
  readonly #zeros: ZeroHashes;
  readonly #ledger = new PieceLedger();
  /** Parts that are not behind each other yet, by their offset. */
  readonly #waiting = new Map<number, Part>();
  /** P(A ‖ C)·H over what is there from the beginning on, but for `#edge`. */
  #sum: Buffer | undefined;
  /** Bytes at the end of that which share blocks with what follows, or are kept until they are two blocks. */
  #edge: Buffer;
  #end = 0;
  /** Of as many zeros as bytes were encrypted: hashing all of them in the end would keep other work waiting for seconds. */
  readonly #textZeros: Ghash;
  #tag: Buffer | undefined;

  constructor(parameters: GcmParameters) {
    this.#parameters = parameters;
    this.#zeros = new ZeroHashes(parameters);
    this.#textZeros = new Ghash(parameters);
    const { aad } = parameters;
    this.#edge = Buffer.concat([aad, Buffer.alloc(blocksOf(aad.length) * BLOCK - aad.length)]);
  }

  /**
   * Encrypts plaintext that has its place at `offset`, for the first time.
   *
   * @throws Error when any of it has been encrypted before, when the message was closed, and when it ended (S18, G1, G2);
   * the message has then ended. RangeError as `cipherAt`, and for a part of no bytes.
   */
  encrypt(offset: number, plaintext: Uint8Array): SealedPiece {
    // First the position is looked at, then it is reserved, then it is used, and nothing can come between.
    const cipher = cipherAt(this.#parameters, offset, plaintext.length);
    if (plaintext.length === 0) throw new RangeError("A part must hold something.");
    this.#ledger.reserve(offset, plaintext.length);
    const ciphertext = cipher.update(plaintext);
    const piece = new PieceHash(this.#parameters, offset).add(ciphertext).end();
    this.#textZeros.addZeros(ciphertext.length);
    this.#waiting.set(offset, this.#partOf(offset, ciphertext));
    this.#gather();
    return { ciphertext, piece };
  }

  /**
   * The same ciphertext as the first time, made from plaintext that was read a second time. To be called with what the
   * first call gave: whoever has not kept it has no way to encrypt a position twice.
   *
   * @throws Error when the plaintext is another one, of which nothing is given out; the message has then ended.
   */
  encryptAgain(first: Piece, plaintext: Uint8Array): Buffer {
    this.#ledger.assertReserved(first.offset, first.length);
    if (plaintext.length !== first.length) throw this.#ledger.end("A part was to be sent again with another length.");
    const ciphertext = cipherAt(this.#parameters, first.offset, plaintext.length).update(plaintext);
    const again = new PieceHash(this.#parameters, first.offset).add(ciphertext).end();
    if (isSamePiece(first, again)) return ciphertext;
    ciphertext.fill(0);
    throw this.#ledger.end("What is to be sent again is not what was read the first time.");
  }

  /**
   * The tag over everything, which must be there from 0 on without a gap. Whoever asks again gets the same one; nothing
   * is encrypted afterwards: two tags would give the hash key away (G1).
   *
   * @throws Error for a message that has a gap, holds nothing, or has ended.
   */
  close(): Buffer {
    if (this.#tag === undefined) {
      this.#ledger.close();
      this.#tag = this.#makeTag();
    }
    return this.#tag;
  }

  /** Ends the message for good, whatever for. */
  abandon(): void {
    this.#ledger.end("It was given up.");
  }

  #partOf(offset: number, ciphertext: Buffer): Part {
    const { length } = ciphertext;
    const none = Buffer.alloc(0);
    if (length < SHORT) return { length, head: Buffer.from(ciphertext), middle: undefined, tail: none };
    const start = (BLOCK - (offset % BLOCK)) % BLOCK;
    // 17 to 32 bytes stay: with the head of the next part they are two blocks, and at the end of the message, too.
    const end = start + BLOCK * (Math.ceil((length - start) / BLOCK) - 2);
    const middle = ciphertext.subarray(start, end);
    const hash = new Ghash(this.#parameters).add(middle).end();
    return {
      length,
      head: Buffer.from(ciphertext.subarray(0, start)),
      middle: { blocks: middle.length / BLOCK, polynomial: this.#zeros.polynomial(hash, middle.length) },
      tail: Buffer.from(ciphertext.subarray(end)),
    };
  }

  /** tag = E(J0) ^ S ^ L(|A|, |C|)·H, where L(|A|, |C|)·H = L(|A|, 0)·H ^ L(|C|, 0)·H·x⁶⁴. */
  #makeTag(): Buffer {
    const { aad } = this.#parameters;
    const mask = tagMask(this.#parameters);
    const ofAad = xor(this.#zeros.of(aad.length), mask);
    const ofText = timesX64(xor(this.#textZeros.end(), mask));
    this.#appendBytes(this.#edge);
    return xor(xor(this.#sum ?? Buffer.alloc(BLOCK), xor(ofAad, ofText)), mask);
  }

  /** Adds the parts that have their place right behind what is there: each is moved once, when it comes. */
  #gather(): void {
    for (let part = this.#waiting.get(this.#end); part !== undefined; part = this.#waiting.get(this.#end)) {
      this.#waiting.delete(this.#end);
      this.#end += part.length;
      this.#edge = Buffer.concat([this.#edge, part.head]);
      if (part.middle === undefined) continue;
      this.#appendBytes(this.#edge);
      this.#append(part.middle.polynomial, part.middle.blocks);
      this.#edge = part.tail;
    }
  }

  #appendBytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const hash = new Ghash(this.#parameters).add(bytes).end();
    this.#append(this.#zeros.polynomial(hash, bytes.length), blocksOf(bytes.length));
  }

  /** A segment moves what is in front of it to the left. All but the first have two blocks or more. */
  #append(polynomial: Buffer, blocks: number): void {
    this.#sum = this.#sum === undefined ? polynomial : xor(this.#moved(this.#sum, blocks), polynomial);
  }

  /** X·Hᵐ, m of 2 or more. */
  #moved(x: Uint8Array, blocks: number): Buffer {
    const length = (blocks - 1) * BLOCK;
    const hash = new Ghash(this.#parameters)
      .add(x)
      .addZeros(length - BLOCK)
      .end();
    return this.#zeros.polynomial(hash, length);
  }
}
