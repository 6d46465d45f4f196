import { createSecretKey } from "node:crypto";
import { expect } from "chai";
import { isSamePiece, type Piece, PieceHash, verifyPieces } from "../../dist/gcm/gcm-pieces.js";

const parameters = { key: createSecretKey(Buffer.alloc(32, 7)), iv: Buffer.alloc(12, 1), aad: Buffer.alloc(0) };

describe("a piece of a message", () => {
  const piece = new PieceHash(parameters, 16).add(Buffer.alloc(20, 1)).end();

  it("is the same only with its offset, its length and a whole hash (G3)", () => {
    expect(isSamePiece(piece, { ...piece, hash: Buffer.from(piece.hash) })).to.equal(true);
    expect(isSamePiece(piece, { ...piece, offset: 32 })).to.equal(false);
    expect(isSamePiece(piece, { ...piece, length: 21 })).to.equal(false);
    expect(isSamePiece(piece, { ...piece, hash: Buffer.alloc(16) })).to.equal(false);
    const short = { ...piece, hash: piece.hash.subarray(0, 15) };
    for (const [a, b] of [
      [piece, short],
      [short, piece],
      [short, short],
    ] as const) {
      expect(isSamePiece(a, b)).to.equal(false);
    }
  });
});

describe("verifying pieces", () => {
  const turn = 32 * 1024 * 1024;

  /** How often other work got its turn while pieces of these lengths were verified. What their hashes are takes no time. */
  async function turns(...lengths: number[]): Promise<number> {
    let [count, offset] = [0, 0];
    const pieces: Piece[] = lengths.map((length) => {
      offset += length;
      return { offset: offset - length, length, hash: Buffer.alloc(16) };
    });
    const other = (): void => {
      count += 1;
      pending = setImmediate(other);
    };
    let pending = setImmediate(other);
    expect(await verifyPieces(parameters, pieces, Buffer.alloc(16))).to.equal(false);
    clearImmediate(pending);
    return count;
  }

  it("lets other work have its turn for every 32 MiB, and does not wait for less", async () => {
    expect(await turns(turn)).to.equal(1);
    expect(await turns(turn - 16)).to.equal(0);
    expect(await turns(16 * 1024, turn - 16 * 1024)).to.equal(1);
    expect(await turns(turn, turn - 16)).to.equal(1);
    expect(await turns(turn, turn)).to.equal(2);
  });
});
