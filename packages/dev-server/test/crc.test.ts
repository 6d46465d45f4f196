import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { type Crc, crc32c, crc32Ieee, crc64Nvme, joinCrcs } from "../dist/s3/body/crc.js";

const crcs: readonly [string, Crc, string][] = [
  ["CRC-32", crc32Ieee, "cbf43926"],
  ["CRC-32C", crc32c, "e3069283"],
  ["CRC-64/NVME", crc64Nvme, "ae8b14860a799888"],
];

function crcOf(crc: Crc, ...pieces: readonly Uint8Array[]): Buffer {
  const state = crc.start();
  for (const piece of pieces) state.update(piece);
  return state.digest();
}

for (const [name, crc, check] of crcs)
  describe(name, () => {
    it("has the check value of its catalogue entry", () => {
      expect(crcOf(crc, Buffer.from("123456789")).toString("hex")).to.equal(check);
    });

    it("does not depend on how the data is cut into pieces", () => {
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (pieces) => {
          expect(crcOf(crc, ...pieces).equals(crcOf(crc, Buffer.concat(pieces)))).to.equal(true);
        }),
      );
    });

    it("of two pieces follows from the CRC of each", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
          const joined = joinCrcs(crc, crcOf(crc, a), crcOf(crc, b), b.length);
          expect(joined.equals(crcOf(crc, a, b))).to.equal(true);
        }),
      );
    });

    it("of large pieces follows too", () => {
      const [a, b] = ["a", "b"].map((seed) => Buffer.alloc(70_001, createHash("sha512").update(seed).digest()));
      if (a === undefined || b === undefined) throw new Error("unreachable");
      expect(joinCrcs(crc, crcOf(crc, a), crcOf(crc, b), b.length).equals(crcOf(crc, a, b))).to.equal(true);
    });
  });
