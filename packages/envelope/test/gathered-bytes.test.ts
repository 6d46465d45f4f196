import { GatheredBytes, readAtMost } from "@s3ec/envelope";
import { expect } from "chai";
import fc from "fast-check";

describe("gathered bytes", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 40 });

  it("are the pieces behind each other, whatever was expected", () => {
    fc.assert(
      fc.property(pieces, fc.nat(5000), fc.boolean(), (given, capacity, hasBuffer) => {
        const gathered = new GatheredBytes(hasBuffer ? Buffer.alloc(capacity) : capacity);
        for (const piece of given) gathered.append(piece);
        expect(Buffer.concat(given).equals(gathered.bytes)).to.equal(true);
        expect(gathered.length).to.equal(gathered.bytes.length);
      }),
    );
  });

  it("take up at most twice their room, however they are cut", () => {
    const gathered = new GatheredBytes();
    for (let count = 0; count < 100_000; count++) gathered.append(Uint8Array.of(count));
    expect(gathered.bytes.buffer.byteLength).to.be.at.most(200_000);
  });

  it("take up no more than was expected where that is what comes", () => {
    const gathered = new GatheredBytes(100_000);
    for (let count = 0; count < 1000; count++) gathered.append(new Uint8Array(100));
    expect(gathered.bytes.buffer.byteLength).to.equal(100_000);
    const buffer = new Uint8Array(100_000);
    const inBuffer = new GatheredBytes(buffer);
    for (let count = 0; count < 1000; count++) inBuffer.append(new Uint8Array(100));
    expect(inBuffer.bytes.buffer).to.equal(buffer.buffer);
  });

  it("of the beginning of a source are at most as many as were asked for, and it is let go of", async () => {
    for (const [length, given] of [
      [0, 0],
      [1, 1],
      [99, 99],
      [100, 100],
      [250, 250],
      [1000, 500],
    ] as const) {
      let [sent, isLetGo] = [0, false];
      const source = async function* (): AsyncGenerator<Uint8Array> {
        try {
          for (let count = 0; count < 5; count++) {
            sent++;
            yield new Uint8Array(100).fill(count);
          }
        } finally {
          isLetGo = true;
        }
      };
      expect((await readAtMost(source(), length)).length).to.equal(given);
      expect(sent).to.equal(Math.max(1, Math.ceil(given / 100)));
      expect(isLetGo).to.equal(true);
    }
  });
});
