import { collect, plaintextOf } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { BodyReader } from "../dist/body-reader.js";
import { chunksOf } from "./fixture.js";

describe("BodyReader", () => {
  it("gives pieces of any length out of chunks of any length, in memory that a source uses again", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 70 }), { minLength: 1 }),
        fc.array(fc.integer({ min: 0, max: 90 })),
        async (chunkLengths, takes) => {
          const bytes = plaintextOf(3000);
          let turn = 0;
          // Empty chunks, too, but not for ever.
          const size = () => (turn < 100 ? (chunkLengths[turn++ % chunkLengths.length] ?? 1) : 100);
          const observed: Uint8Array[] = [];
          const reader = new BodyReader(chunksOf(bytes, size), (part) => observed.push(Buffer.from(part)));
          let offset = 0;
          for (const length of takes) {
            if (!(await reader.has(length))) break;
            expect(reader.take(length).equals(bytes.subarray(offset, offset + length))).to.equal(true);
            offset += length;
            if (await reader.has(4)) expect(reader.peekUint32()).to.equal(bytes.readUInt32BE(offset));
          }
          expect(Buffer.concat(observed).equals(bytes.subarray(0, offset))).to.equal(true);
          const rest = reader.unobserved();
          expect(await rest.has(bytes.length - offset)).to.equal(true);
          expect(await rest.has(bytes.length - offset + 1)).to.equal(false);
          expect(rest.take(bytes.length - offset).equals(bytes.subarray(offset))).to.equal(true);
          expect(Buffer.concat(observed)).to.have.length(offset);
        },
      ),
    ));

  it("makes one piece of many small chunks", async () => {
    const bytes = plaintextOf(5000);
    const reader = new BodyReader(chunksOf(bytes, 1));
    expect(await reader.has(5000)).to.equal(true);
    const pieces: Uint8Array[] = [];
    for (let missing = 5000; missing > 0; missing -= pieces.at(-1)?.length ?? 0) pieces.push(reader.takePiece(missing));
    expect(pieces).to.have.length.below(4);
    expect(Buffer.concat(pieces).equals(bytes)).to.equal(true);
  });

  it("keeps chunks of any length", async () => {
    const bytes = plaintextOf(500_000);
    const reader = new BodyReader(chunksOf(bytes, 100_000));
    for (let offset = 0; offset < bytes.length; offset += 125_000) {
      expect(await reader.has(125_000)).to.equal(true);
      expect(reader.take(125_000).equals(bytes.subarray(offset, offset + 125_000))).to.equal(true);
    }
  });

  it("keeps what was asked for and not taken, however much more is asked for", async () => {
    const bytes = plaintextOf(400_000);
    for (const lengths of [[1], [999], [30_000, 5], [66_000, 1, 20_000], [64 * 1024]]) {
      let turn = 0;
      const reader = new BodyReader(chunksOf(bytes, () => lengths[turn++ % lengths.length] ?? 1));
      for (let offset = 0; offset < bytes.length - 75_000; offset += 45_001) {
        expect(await reader.has(75_000)).to.equal(true);
        expect(reader.take(45_001).equals(bytes.subarray(offset, offset + 45_001))).to.equal(true);
      }
    }
  });

  it("asks for no more than it needs", async () => {
    const source = chunksOf(plaintextOf(100), 10);
    const reader = new BodyReader(source);
    await reader.has(11);
    expect(source.read).to.equal(20);
    await reader.has(20);
    expect(source.read).to.equal(20);
  });

  it("gives nothing that has not arrived", async () => {
    const reader = new BodyReader(chunksOf(plaintextOf(3), 2));
    expect(await reader.has(4)).to.equal(false);
    expect(() => reader.take(4)).to.throw(RangeError);
  });

  it("lets go of a source that can be let go of", async () => {
    const source = chunksOf(plaintextOf(3), 2);
    await new BodyReader(source).close();
    expect(source.returned).to.equal(1);
    const next = () => Promise.resolve({ done: true as const, value: undefined });
    await new BodyReader({ [Symbol.asyncIterator]: () => ({ next }) }).close();
    expect(await collect(chunksOf(new Uint8Array(0), 1))).to.have.length(0);
  });
});
