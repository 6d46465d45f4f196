import { expect } from "chai";
import fc from "fast-check";
import { allZero, copyIf, equal, firstLength, noneZero, select } from "../dist/constant-time.js";

const number = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }));
const sparse = fc.uint8Array({ maxLength: 40, max: 2 });

describe("constant-time arithmetic", () => {
  it("equal", () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(equal(a, b)).to.equal(a === b ? 1 : 0);
        expect(equal(a, a)).to.equal(1);
      }),
    );
  });

  it("select", () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(select(1, a, b)).to.equal(a);
        expect(select(0, a, b)).to.equal(b);
      }),
    );
  });

  it("allZero and noneZero, within their bounds only", () => {
    fc.assert(
      fc.property(sparse, fc.nat(40), fc.nat(40), (bytes, start, end) => {
        const part = [...bytes.subarray(0, end)].slice(start);
        const inside = Math.min(end, bytes.length);
        expect(allZero(bytes, start, inside)).to.equal(part.every((byte) => byte === 0) ? 1 : 0);
        expect(noneZero(bytes, start, inside)).to.equal(part.every((byte) => byte !== 0) ? 1 : 0);
      }),
    );
  });

  it("copyIf", () => {
    const to = Uint8Array.of(1, 2, 255);
    copyIf(0, Uint8Array.of(9, 0, 1), to);
    expect([...to]).to.deep.equal([1, 2, 255]);
    copyIf(1, Uint8Array.of(9, 0, 1), to);
    expect([...to]).to.deep.equal([9, 0, 1]);
  });

  it("firstLength asks for every length and gives the first", () => {
    const asked: number[] = [];
    const matching = (...lengths: number[]) =>
      firstLength([16, 24, 32], (length) => {
        asked.push(length);
        return lengths.includes(length) ? 1 : 0;
      });
    expect(matching()).to.equal(0);
    expect(matching(32)).to.equal(32);
    expect(matching(24, 32)).to.equal(24);
    expect(asked).to.deep.equal([16, 24, 32, 16, 24, 32, 16, 24, 32]);
  });
});
