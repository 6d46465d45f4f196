import { expect } from "chai";
import { ByteReader, IncompleteBytes } from "../dist/byte-reader.js";

describe("ByteReader", () => {
  it("reads big-endian fields in order, of bytes that lie anywhere in their memory", () => {
    const memory = Uint8Array.of(9, 9, 0x80, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfd, 1, 2, 9);
    const reader = new ByteReader(memory.subarray(2, 11));
    expect([reader.uint8(), reader.uint16(), reader.uint32()]).to.deep.equal([0x80, 0xfffe, 0xfffffffd]);
    expect([...reader.take(2)]).to.deep.equal([1, 2]);
    expect(reader.offset).to.equal(9);
  });

  it("takes nothing at the end", () => {
    const reader = new ByteReader(Uint8Array.of(1));
    reader.take(1);
    expect(reader.take(0)).to.have.length(0);
  });

  const reads: [name: string, length: number, read: (reader: ByteReader) => unknown][] = [
    ["uint8", 1, (reader) => reader.uint8()],
    ["uint16", 2, (reader) => reader.uint16()],
    ["uint32", 4, (reader) => reader.uint32()],
    ["take", 3, (reader) => reader.take(3)],
  ];
  for (const [name, length, read] of reads) {
    it(`${name} says where bytes are missing, and does not reach behind them`, () => {
      const memory = new Uint8Array(10);
      const reader = new ByteReader(memory.subarray(0, length - 1));
      expect(() => read(reader)).to.throw(IncompleteBytes);
      expect(reader.offset).to.equal(0);
    });
  }
});
