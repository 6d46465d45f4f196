import { plaintextOf } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { GatheredPieces } from "../dist/gathered-pieces.js";

const SHORT = 16 * 1024;

describe("GatheredPieces", () => {
  it("gives out what was added, in order, without two short pieces in a row or an empty one", () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(0, 1, SHORT, SHORT + 1), fc.integer({ min: 0, max: 40_000 }))),
        (lengths) => {
          const bytes = plaintextOf(lengths.reduce((sum, length) => sum + length, 0));
          const gathered = new GatheredPieces();
          let offset = 0;
          for (const length of lengths) {
            gathered.add(bytes.subarray(offset, offset + length));
            offset += length;
            expect(gathered.isWorthATurn).to.equal(offset >= 32 * 1024);
          }
          const pieces = gathered.take();
          expect(Buffer.concat(pieces).equals(bytes)).to.equal(true);
          // What was joined may be longer than short; what is longer by itself was never copied.
          for (const [index, piece] of pieces.entries()) {
            expect(piece.length).to.be.above(0);
            const before = pieces[index - 1];
            if (before !== undefined) expect(Math.max(piece.length, before.length)).to.be.above(SHORT);
          }
        },
      ),
    ));

  it("begins anew once it was taken from", () => {
    const gathered = new GatheredPieces();
    gathered.add(plaintextOf(40_000));
    expect(gathered.take()).to.have.length(1);
    expect(gathered.isWorthATurn).to.equal(false);
    expect(gathered.take()).to.have.length(0);
  });

  it("does not copy what stands alone", () => {
    const piece = plaintextOf(10);
    const gathered = new GatheredPieces();
    gathered.add(piece);
    expect(gathered.take()[0]).to.equal(piece);
  });
});
