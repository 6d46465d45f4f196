import { BLOCK, blocksOf, type GcmParameters, isSameBlock, lengthBlock, xor } from "./gcm-parameters.js";
import { Ghash, tagMask, ZeroHashes } from "./ghash.js";

/**
 * A piece of a message's ciphertext, as it was hashed (G3): where it begins, how many bytes were hashed, and what their
 * hash ended in. All three make it what it is: the hash alone is blind to zeros at the end of the last block. **Secret**,
 * as `Ghash` says; never in an error, a log or, unsealed, a file.
 */
export interface Piece {
  /** Bytes in front of it. */
  readonly offset: number;
  /** Bytes of it. */
  readonly length: number;
  /** 16 bytes. */
  readonly hash: Uint8Array;
}

/** Hashes one piece as it comes, in chunks of any length. */
export class PieceHash {
  readonly #offset: number;
  readonly #hash: Ghash;

  constructor(parameters: GcmParameters, offset: number) {
    this.#offset = offset;
    this.#hash = new Ghash(parameters);
  }

  add(bytes: Uint8Array): this {
    this.#hash.add(bytes);
    return this;
  }

  end(): Piece {
    const { length } = this.#hash;
    return Object.freeze({ offset: this.#offset, length, hash: this.#hash.end() });
  }
}

/** Whether two hashed pieces are of the same bytes in the same place. */
export function isSamePiece(a: Piece, b: Piece): boolean {
  return a.length === b.length && a.offset === b.offset && isSameBlock(a.hash, b.hash);
}

/**
 * Whether the pieces, in whatever order they were hashed, are the message that `tag` vouches for: they follow each other
 * from 0 on, and each but the last has whole blocks.
 *
 * With S = P(A ‖ C)·H over the additional data and all pieces, the tag is right when tag ^ E(J0) = S ^ L(|A|, |C|)·H. Both
 * sides are compared times H², for X·Hᵏ of a block X is the hash of it and k - 2 zero blocks, and there is none for k = 1:
 *
 * - a piece x that ended in T stands for (T ^ E(J0))·Hᵏ ^ L(|x|, 0)·Hᵏ⁺¹ = P(x)·H·Hᵏ, which takes no hash of |x| zeros;
 * - what is in front of it moves to the left by its m blocks, times Hᵐ. Pieces of a single block move with their neighbours.
 *
 * Moving hashes as many zeros as the message has bytes: other work gets its turn meanwhile.
 */
export async function verifyPieces(
  parameters: GcmParameters,
  pieces: readonly Piece[],
  tag: Uint8Array,
): Promise<boolean> {
  const ordered = pieces.filter(({ length }) => length > 0).sort((a, b) => a.offset - b.offset);
  const last = ordered.at(-1);
  let total = 0;
  for (const piece of ordered) {
    if (piece.offset !== total || (piece !== last && piece.length % BLOCK !== 0)) return false;
    total += piece.length;
  }
  const powers = new HashKeyPowers(parameters);
  const { aad } = parameters;
  const associated = new PieceHash(parameters, 0).add(aad).end();
  let sum: Buffer | undefined;
  let moved = 0;
  for (const group of inMovableGroups(aad.length === 0 ? ordered : [associated, ...ordered])) {
    let behind = blocksIn(group);
    if (sum !== undefined) sum = powers.times(sum, behind);
    moved += behind;
    if (moved >= BLOCKS_A_TURN) {
      await new Promise(setImmediate);
      moved = 0;
    }
    for (const piece of group) {
      behind -= blocksOf(piece.length);
      sum = xor(sum ?? Buffer.alloc(BLOCK), powers.ofPiece(piece, 2 + behind));
    }
  }
  if (tag.length !== BLOCK) return false;
  const stated = powers.times(xor(tag, tagMask(parameters)), 2);
  return isSameBlock(xor(sum ?? Buffer.alloc(BLOCK), stated), powers.times(lengthBlock(aad.length, total), 3));
}

/** Some milliseconds of hashing. */
const BLOCKS_A_TURN = (32 * 1024 * 1024) / BLOCK;

/** As few pieces at a time as have two blocks or more. */
function inMovableGroups(pieces: readonly Piece[]): Piece[][] {
  const groups: Piece[][] = [];
  for (const piece of pieces) {
    const open = groups.at(-1);
    if (open !== undefined && blocksIn(open) < 2) open.push(piece);
    else groups.push([piece]);
  }
  const [before, last] = [groups.at(-2), groups.at(-1)];
  if (before === undefined || last === undefined || blocksIn(last) >= 2) return groups;
  before.push(...last);
  return groups.slice(0, -1);
}

function blocksIn(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { length }) => sum + blocksOf(length), 0);
}

/** Products with powers of the hash key from the second on, each of them a hash. */
class HashKeyPowers {
  readonly #parameters: GcmParameters;
  readonly #zeros: ZeroHashes;
  readonly #mask: Uint8Array;

  constructor(parameters: GcmParameters) {
    this.#parameters = parameters;
    this.#zeros = new ZeroHashes(parameters);
    this.#mask = tagMask(parameters);
  }

  /** X·Hᵏ, k of 2 or more. */
  times(block: Uint8Array, power: number): Buffer {
    const length = (power - 1) * BLOCK;
    const end = new Ghash(this.#parameters)
      .add(block)
      .addZeros(length - BLOCK)
      .end();
    return this.#zeros.polynomial(end, length);
  }

  /** P(x)·H·Hᵏ of a piece x. */
  ofPiece({ hash, length }: Piece, power: number): Buffer {
    return xor(this.times(xor(hash, this.#mask), power), this.times(lengthBlock(length, 0), power + 1));
  }
}
