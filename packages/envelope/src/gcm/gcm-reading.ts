import { createDecipheriv } from "node:crypto";
import {
  BLOCK,
  blocksOf,
  type GcmParameters,
  isSameBlock,
  keyBits,
  lengthBlock,
  MAX_GCM_LENGTH,
  xor,
} from "./gcm-parameters.js";
import { isSamePiece, type Piece, PieceHash, verifyPieces } from "./gcm-pieces.js";
import { Ghash } from "./ghash.js";
import { cipherAt } from "./keystream.js";

/**
 * Hashes a message's ciphertext in order, without making its plaintext, and proves it by its tag. What is kept elsewhere
 * until then is cut into pieces, each of which is looked at again before it is decrypted (G5).
 */
export class GcmReading {
  readonly #parameters: GcmParameters;
  readonly #whole: Ghash;
  readonly #pieces: Piece[] = [];
  #piece: PieceHash | undefined;
  #offset = 0;

  constructor(parameters: GcmParameters) {
    this.#parameters = parameters;
    const { aad } = parameters;
    // Additional data are padded to a block of their own, what follows is hashed as if it were more of them.
    this.#whole = new Ghash(parameters).add(aad).addZeros(blocksOf(aad.length) * BLOCK - aad.length);
  }

  /** Bytes of ciphertext so far. */
  get length(): number {
    return this.#offset;
  }

  /**
   * @param inPieces whether these bytes are to be proven again by the piece that the next `cut` ends
   * @throws RangeError past what a message may hold (G10)
   */
  add(ciphertext: Uint8Array, inPieces = false): void {
    if (this.#offset + ciphertext.length > MAX_GCM_LENGTH) throw new RangeError("No message is that long.");
    this.#whole.add(ciphertext);
    if (inPieces) {
      this.#piece ??= new PieceHash(this.#parameters, this.#offset);
      this.#piece.add(ciphertext);
    }
    this.#offset += ciphertext.length;
  }

  /** Ends a piece behind the bytes that were added last. */
  cut(): void {
    if (this.#piece !== undefined) this.#pieces.push(this.#piece.end());
    this.#piece = undefined;
  }

  /**
   * The message, if `tag` vouches for what was added, else undefined. To be called once, after everything.
   *
   * The hash of it all ended in T = E(J0) ^ S ^ L(|A'| + |C|, 0)·H, A' being the padded additional data, and the tag is
   * E(J0) ^ S ^ L(|A|, |C|)·H: they belong together when (T ^ tag)·H² = (L(|A'| + |C|, 0) ^ L(|A|, |C|))·H³.
   */
  prove(tag: Uint8Array): ProvenContent | undefined {
    this.cut();
    const { aad } = this.#parameters;
    const difference = xor(lengthBlock(this.#whole.length, 0), lengthBlock(aad.length, this.#offset));
    const zero = Buffer.alloc(BLOCK);
    const end = this.#whole.end();
    if (tag.length !== BLOCK) return undefined;
    const left = new Ghash(this.#parameters).add(zero).add(xor(end, tag)).end();
    const right = new Ghash(this.#parameters).add(difference).add(zero).end();
    return isSameBlock(left, right) ? new ProvenContent(this.#parameters, this.#pieces, this.#offset) : undefined;
  }
}

/** The same for a message whose pieces were hashed in any order. */
export async function proveInPieces(
  parameters: GcmParameters,
  pieces: readonly Piece[],
  tag: Uint8Array,
): Promise<ProvenContent | undefined> {
  if (!(await verifyPieces(parameters, pieces, tag))) return undefined;
  return new ProvenContent(
    parameters,
    pieces,
    pieces.reduce((sum, { length }) => sum + length, 0),
  );
}

/** A message that its tag was found to vouch for: the way to its plaintext. Only what proved it makes one. */
export class ProvenContent {
  readonly #parameters: GcmParameters;
  /** What was hashed in pieces, to be looked at again by `open`; none of a message that stayed in memory. */
  readonly pieces: readonly Piece[];
  /** Bytes of ciphertext without the tag, which is as many of plaintext. */
  readonly length: number;

  constructor(parameters: GcmParameters, pieces: readonly Piece[], length: number) {
    this.#parameters = parameters;
    this.pieces = pieces;
    this.length = length;
  }

  /**
   * Decrypts what was proven from its beginning on, as it is given, which is from our own memory and without a gap.
   * @throws RangeError, from the function that it gives, for more than that
   */
  inOrder(): (ciphertext: Uint8Array) => Buffer {
    const cipher = cipherAt(this.#parameters, 0, this.length);
    let left = this.length;
    return (ciphertext) => {
      left -= ciphertext.length;
      if (left < 0) throw new RangeError("Only what was proven can be decrypted.");
      return cipher.update(ciphertext);
    };
  }

  /**
   * Plaintext of the bytes at `offset` that were proven and have been in our own memory since.
   * @throws RangeError for other than whole bytes within them
   */
  decrypt(offset: number, ciphertext: Uint8Array): Buffer {
    if (offset + ciphertext.length > this.length) throw new RangeError("Only what was proven can be decrypted.");
    return cipherAt(this.#parameters, offset, ciphertext.length).update(ciphertext);
  }

  /**
   * Plaintext of the piece with this index in `pieces`, which was kept elsewhere and read back into `ciphertext`, a buffer
   * that nothing else writes to: undefined unless it is what was proven, byte for byte (G5).
   * @throws RangeError for a piece past the end, which no proof makes
   */
  open(index: number, ciphertext: Uint8Array): Buffer | undefined {
    const piece = this.pieces[index];
    if (piece === undefined) return undefined;
    const read = new PieceHash(this.#parameters, piece.offset).add(ciphertext).end();
    return isSamePiece(piece, read) ? this.decrypt(piece.offset, ciphertext) : undefined;
  }
}

/** A message that is in memory whole, `ciphertext ‖ tag`: its plaintext, or undefined, in one call to OpenSSL. */
export function openAtOnce(parameters: GcmParameters, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < BLOCK) return undefined;
  const name = `aes-${keyBits(parameters)}-gcm` as const;
  const decipher = createDecipheriv(name, parameters.key, parameters.iv, { authTagLength: BLOCK });
  decipher.setAAD(parameters.aad);
  decipher.setAuthTag(sealed.subarray(-BLOCK));
  const plaintext = decipher.update(sealed.subarray(0, -BLOCK));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}
