import { createSecretKey } from "node:crypto";
import { expect } from "chai";
import { isSamePiece, PieceHash } from "../../dist/gcm/gcm-pieces.js";

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
