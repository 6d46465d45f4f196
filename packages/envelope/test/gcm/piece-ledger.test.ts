import { expect } from "chai";
import { PieceLedger } from "../../dist/gcm/piece-ledger.js";

/** Parts of 100 bytes, each reserved, but for one that is missing. */
function ledger(): PieceLedger {
  const taken = new PieceLedger();
  for (const offset of [300, 0, 100, 400]) taken.reserve(offset, 100);
  return taken;
}

describe("the ledger of a message's positions", () => {
  it("knows what was reserved by its beginning and its end, not by either", () => {
    for (const offset of [0, 100, 300, 400]) ledger().assertReserved(offset, 100);
    for (const [offset, length] of [
      [0, 99],
      [0, 101],
      [0, 200],
      [1, 99],
      [50, 50],
      [150, 50],
      [200, 100],
      [300, 200],
      [500, 100],
    ] as const) {
      const taken = ledger();
      expect(() => taken.assertReserved(offset, length), `${offset}, ${length}`).to.throw("had not been sent");
      expect(() => taken.reserve(200, 100)).to.throw("ended");
    }
  });

  it("says the first reason for which it ended", () => {
    const taken = ledger();
    expect(() => taken.reserve(0, 1)).to.throw("same keystream");
    expect(taken.end("Something else.").message).to.equal("Something else.");
    expect(() => taken.close()).to.throw("same keystream");
  });

  it("refuses every place that meets another part, and takes every one that meets none (G2)", () => {
    for (let offset = 0; offset < 520; offset += 10) {
      for (const length of [1, 10, 90, 100, 110]) {
        const free = (offset >= 200 && offset + length <= 300) || offset >= 500;
        const reserve = (): void => ledger().reserve(offset, length);
        if (free) expect(reserve, `${offset}, ${length}`).to.not.throw();
        else expect(reserve, `${offset}, ${length}`).to.throw("same keystream");
      }
    }
  });
});
