import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { bodyLength, framesOfRange, layoutOfBody, layoutOfPlaintext, MAX_FRAMES } from "../dist/frame-layout.js";

const frameLengths = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2 ** 24 }));
const totals = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2 ** 40 }));

describe("frame layout", () => {
  it("fills every frame but the last, which is empty for an empty message only", () => {
    const cases: [total: number, finalFrame: number, finalLength: number, stored: number][] = [
      [0, 1, 0, 40],
      [1, 1, 1, 41],
      [99, 1, 99, 139],
      [100, 1, 100, 140],
      [101, 2, 1, 132 + 41],
      [200, 2, 100, 132 + 140],
      [201, 3, 1, 264 + 41],
    ];
    for (const [total, finalFrame, finalLength, stored] of cases) {
      const layout = layoutOfPlaintext(100, total);
      expect(layout).to.deep.equal({ finalFrame, finalLength, total });
      expect(bodyLength(100, layout)).to.equal(stored);
    }
  });

  it("is told by the length of the body", () => {
    fc.assert(
      fc.property(frameLengths, totals, (frameLength, any) => {
        const layout = layoutOfPlaintext(frameLength, Math.min(any, frameLength * MAX_FRAMES));
        expect(layoutOfBody(frameLength, bodyLength(frameLength, layout))).to.deep.equal(layout);
      }),
    );
  });

  it("has an empty last frame where the body is so long", () => {
    expect(layoutOfBody(100, 132 + 40)).to.deep.equal({ finalFrame: 2, finalLength: 0, total: 100 });
  });

  it("refuses lengths that no body has", async () => {
    for (const length of [-1, 0, 39, 141, 171, 132 + 141, 264 + 39]) {
      await refusal("decryption-failed", () => layoutOfBody(100, length));
    }
  });

  it("has no more frames than there are numbers", async () => {
    const longest = { finalFrame: MAX_FRAMES, finalLength: 1, total: MAX_FRAMES };
    expect(layoutOfBody(1, bodyLength(1, longest))).to.deep.equal(longest);
    await refusal("decryption-failed", () => layoutOfBody(1, bodyLength(1, longest) + 33));
  });
});

describe("frames of a range", () => {
  const layout = layoutOfPlaintext(100, 250);
  const cases: [range: Parameters<typeof framesOfRange>[2], frames: readonly number[]][] = [
    [{ first: 0, last: 0 }, [1, 1, 0, 0]],
    [{ first: 0, last: 99 }, [1, 1, 0, 99]],
    [{ first: 99, last: 100 }, [1, 2, 99, 100]],
    [{ first: 100, last: 199 }, [2, 2, 100, 199]],
    [{ first: 200 }, [3, 3, 200, 249]],
    [{ first: 249, last: 249 }, [3, 3, 249, 249]],
    [{ first: 10, last: 5000 }, [1, 3, 10, 249]],
    [{ suffixLength: 1 }, [3, 3, 249, 249]],
    [{ suffixLength: 51 }, [2, 3, 199, 249]],
    [{ suffixLength: 5000 }, [1, 3, 0, 249]],
  ];
  for (const [range, [firstFrame, lastFrame, first, last]] of cases) {
    it(`${JSON.stringify(range)} are ${firstFrame} to ${lastFrame}`, () => {
      expect(framesOfRange(100, layout, range)).to.deep.equal({ firstFrame, lastFrame, first, last });
    });
  }

  it("are none past the end", () => {
    for (const range of [{ first: 250 }, { first: 250, last: 260 }, { suffixLength: 0 }]) {
      expect(framesOfRange(100, layout, range)).to.equal(undefined);
    }
    const empty = layoutOfPlaintext(100, 0);
    for (const range of [{ first: 0 }, { suffixLength: 5 }])
      expect(framesOfRange(100, empty, range)).to.equal(undefined);
  });

  it("hold every byte of it, and no frame that does not, but the one that proves the end", () => {
    fc.assert(
      fc.property(frameLengths, totals, fc.nat(), fc.nat(), (frameLength, total, from, length) => {
        const whole = layoutOfPlaintext(frameLength, total);
        const range = framesOfRange(frameLength, whole, { first: from, last: from + length });
        if (range === undefined) {
          expect(from).to.be.at.least(total);
          return;
        }
        const { firstFrame, lastFrame, first, last } = range;
        expect([first, last]).to.deep.equal([from, Math.min(from + length, total - 1)]);
        expect((firstFrame - 1) * frameLength).to.be.at.most(first);
        expect(firstFrame * frameLength).to.be.above(first);
        expect((lastFrame - 1) * frameLength).to.be.at.most(last);
        expect(lastFrame * frameLength).to.be.above(last);
      }),
    );
  });

  it("reach to an empty last frame where the range reaches the end", () => {
    const trailing = layoutOfBody(100, 132 + 40);
    expect(framesOfRange(100, trailing, { suffixLength: 1 })?.lastFrame).to.equal(2);
    expect(framesOfRange(100, trailing, { first: 0 })?.lastFrame).to.equal(2);
    expect(framesOfRange(100, trailing, { first: 0, last: 98 })?.lastFrame).to.equal(1);
  });
});
