import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import fc from "fast-check";
import { PartLayout } from "../dist/multipart/part-layout.js";

const MiB = 1024 * 1024;

function layoutOf(maxLength = 2 ** 36 - 32): PartLayout {
  return new PartLayout(maxLength);
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof S3EncryptionError) return error.code;
    throw error;
  }
  return "none";
}

describe("the places of parts", () => {
  it("wait for part 1, and are then where equal parts have them, whatever the order", () => {
    const layout = layoutOf();
    expect(layout.place(3, 5 * MiB)).to.equal(undefined);
    expect(layout.place(1, 5 * MiB)).to.equal(0);
    expect(layout.place(3, 5 * MiB)).to.equal(10 * MiB);
    expect([layout.count, layout.length]).to.deep.equal([undefined, 5 * MiB]);
    expect(layout.place(2, 5 * MiB)).to.equal(5 * MiB);
    expect([layout.count, layout.length, layout.partLength]).to.deep.equal([3, 15 * MiB, 5 * MiB]);
  });

  it("behind a part of another length wait until all before them are known", () => {
    const layout = layoutOf();
    layout.place(1, 5 * MiB);
    expect(layout.place(3, 6 * MiB)).to.equal(10 * MiB);
    expect(layout.place(4, 5 * MiB)).to.equal(undefined);
    expect(layout.place(5, 5 * MiB)).to.equal(undefined);
    expect(layout.place(2, 5 * MiB)).to.equal(5 * MiB);
    expect(layout.place(4, 7 * MiB)).to.equal(16 * MiB);
    expect(layout.place(6, 5 * MiB)).to.equal(undefined);
    expect(layout.place(5, 5 * MiB)).to.equal(23 * MiB);
  });

  it("are gone for a part of another length once one behind it is placed (G2)", () => {
    const layout = layoutOf();
    layout.place(1, 5 * MiB);
    layout.place(4, 5 * MiB);
    expect(codeOf(() => layout.place(2, 8 * MiB))).to.equal("content-mismatch");
    // Even where no byte of it would meet the other: what is between them would.
    expect(codeOf(() => layout.place(3, 5 * MiB - 1))).to.equal("content-mismatch");
    expect(layout.place(3, 5 * MiB)).to.equal(10 * MiB);
  });

  it("are not behind a part that S3 takes as the last only", () => {
    const layout = layoutOf();
    layout.place(1, 5 * MiB);
    layout.place(2, 5 * MiB - 1);
    expect(codeOf(() => layout.place(3, 5 * MiB))).to.equal("invalid-argument");
    const small = layoutOf();
    expect(small.place(1, 1)).to.equal(0);
    expect(codeOf(() => small.place(2, 1))).to.equal("invalid-argument");
    expect(small.count).to.equal(1);
  });

  it("end where the cipher's counter would start over (G10), which changes nothing", () => {
    const layout = layoutOf(16 * MiB);
    layout.place(1, 5 * MiB);
    expect(codeOf(() => layout.place(4, 5 * MiB))).to.equal("content-too-large");
    expect(layout.place(3, 6 * MiB)).to.equal(10 * MiB);
    expect(layout.place(2, 5 * MiB)).to.equal(5 * MiB);
    expect([layout.count, layout.length]).to.deep.equal([3, 16 * MiB]);
  });

  it("never meet, and have no gap in the end, for any lengths in any order", () => {
    const lengths = fc.array(fc.constantFrom(5, 5, 5, 5, 6, 8), { minLength: 1, maxLength: 9 });
    const cases = lengths.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all.keys()], { minLength: 1, maxLength: all.length })),
    );
    fc.assert(
      fc.property(cases, ([all, order]) => {
        const layout = layoutOf();
        const places: { start: number; end: number }[] = [];
        let waiting = order;
        for (let again = true; again; ) {
          again = false;
          const left: number[] = [];
          for (const index of waiting) {
            const length = (all[index] ?? 0) * MiB;
            let start: number | undefined;
            // What has no place any more ends the upload.
            if (codeOf(() => (start = layout.place(index + 1, length))) !== "none") return;
            if (start === undefined) left.push(index);
            else {
              again = true;
              places.push({ start, end: start + length });
            }
          }
          waiting = left;
        }
        places.sort((a, b) => a.start - b.start);
        for (const [index, { start }] of places.entries()) {
          expect(start).to.be.at.least(places[index - 1]?.end ?? 0);
        }
        if (order.length < all.length) return;
        expect(waiting).to.deep.equal([]);
        expect(layout.count).to.equal(all.length);
        expect(places.at(-1)?.end).to.equal(layout.length);
      }),
      { numRuns: 500, seed: 18 },
    );
  });
});
