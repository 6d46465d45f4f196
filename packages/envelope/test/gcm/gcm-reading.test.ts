import { createSecretKey } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { PieceHash, verifyPieces } from "../../dist/gcm/gcm-pieces.js";
import { GcmReading, openAtOnce, type ProvenContent, proveInPieces } from "../../dist/gcm/gcm-reading.js";
import { cipherAt } from "../../dist/gcm/keystream.js";
import { hashesInPieces } from "../../dist/gcm/self-check.js";
import { anyCuts, anyMessage, cuts, intervals, knownMessages, type Message, sealed } from "./messages.js";

/** Reads a message in order, in chunks between these places, each of them a piece. */
function readInOrder({ parameters, ciphertext, tag }: Message, places: readonly number[]): ProvenContent | undefined {
  const reading = new GcmReading(parameters);
  for (const { offset, end } of intervals(places)) {
    reading.add(ciphertext.subarray(offset, end), true);
    reading.cut();
  }
  return reading.prove(tag);
}

function pieces(
  { parameters, ciphertext }: Message,
  places: readonly number[],
  chunk = 1000,
): ReturnType<PieceHash["end"]>[] {
  return intervals(places).map(({ offset, end }) => {
    const hash = new PieceHash(parameters, offset);
    for (let at = offset; at < end; at += chunk) hash.add(ciphertext.subarray(at, Math.min(end, at + chunk)));
    return hash.end();
  });
}

/** What a proof gives out, piece by piece and from the last one on. */
function opened(proven: ProvenContent | undefined, { ciphertext }: Message): Buffer | undefined {
  if (proven === undefined) return undefined;
  const plaintext = Buffer.alloc(proven.length);
  for (const [index, piece] of [...proven.pieces.entries()].reverse()) {
    proven.open(index, ciphertext.subarray(piece.offset, piece.offset + piece.length))?.copy(plaintext, piece.offset);
  }
  return plaintext;
}

const everyByte = (length: number): number[] => Array.from({ length: length + 1 }, (_, index) => index);
const everyBlock = (length: number): number[] =>
  cuts(
    length,
    everyByte(Math.ceil(length / 16)).map((at) => (at * 16) / (length + 1)),
    16,
  );

describe("reading AES-GCM by hash", () => {
  it("is possible on this runtime", () => {
    expect(hashesInPieces()).to.equal(true);
  });

  for (const file of ["nist-cavp", "wycheproof"] as const) {
    it(`says of each known answer of ${file} what it should, in each way`, async () => {
      const messages = knownMessages(file);
      expect(messages.length).to.be.greaterThan(190);
      for (const message of messages) {
        const { name, parameters, plaintext, ciphertext, tag, valid } = message;
        const expected = valid ? plaintext : undefined;
        const { length } = ciphertext;
        expect(openAtOnce(parameters, Buffer.concat([ciphertext, tag])), name).to.deep.equal(expected);
        for (const places of [[0, length], everyByte(length)]) {
          const proven = readInOrder(message, places);
          expect(opened(proven, message), name).to.deep.equal(expected);
          expect(proven?.decrypt(0, ciphertext), name).to.deep.equal(expected);
        }
        for (const places of [[0, length], everyBlock(length)]) {
          expect(
            opened(await proveInPieces(parameters, pieces(message, places).reverse(), tag), message),
            name,
          ).to.deep.equal(expected);
        }
      }
    });
  }

  it("gives what the one-pass cipher was given, in any chunks and pieces, in any order", async () => {
    await fc.assert(
      fc.asyncProperty(anyMessage, anyCuts, fc.integer({ min: 1, max: 99 }), async (message, choices, chunk) => {
        const { parameters, plaintext, ciphertext, tag } = message;
        const { length } = ciphertext;
        expect(opened(readInOrder(message, cuts(length, choices)), message)).to.deep.equal(plaintext);
        const hashed = pieces(message, cuts(length, choices, 16), chunk);
        const shuffled = hashed
          .map((piece, index) => ({ piece, rank: (index * 7919) % 5 }))
          .sort((a, b) => a.rank - b.rank);
        const proven = await proveInPieces(
          parameters,
          shuffled.map(({ piece }) => piece),
          tag,
        );
        expect(opened(proven, message)).to.deep.equal(plaintext);
      }),
      { numRuns: 400 },
    );
  });

  it("decrypts from any position", () => {
    fc.assert(
      fc.property(anyMessage, anyCuts, (message, choices) => {
        const proven = readInOrder(message, [0, message.ciphertext.length]);
        for (const { offset, end } of intervals(cuts(message.ciphertext.length, choices))) {
          expect(proven?.decrypt(offset, message.ciphertext.subarray(offset, end))).to.deep.equal(
            message.plaintext.subarray(offset, end),
          );
        }
      }),
    );
  });

  it("refuses a message with any bit of it changed", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyMessage,
        anyCuts,
        fc.nat(),
        fc.nat(7),
        fc.constantFrom("ciphertext", "tag", "aad", "iv"),
        async (message, choices, at, bit, part) => {
          const { parameters, ciphertext, tag } = message;
          const copy = {
            ciphertext: Buffer.from(ciphertext),
            tag: Buffer.from(tag),
            aad: Buffer.from(parameters.aad),
            iv: Buffer.from(parameters.iv),
          };
          fc.pre(copy[part].length > 0);
          const index = at % copy[part].length;
          copy[part][index] = (copy[part][index] ?? 0) ^ (1 << bit);
          const changed = {
            ...message,
            ciphertext: copy.ciphertext,
            tag: copy.tag,
            parameters: { key: parameters.key, iv: copy.iv, aad: copy.aad },
          };
          const { length } = ciphertext;
          expect(openAtOnce(changed.parameters, Buffer.concat([changed.ciphertext, changed.tag]))).to.equal(undefined);
          expect(readInOrder(changed, cuts(length, choices))).to.equal(undefined);
          expect(
            await verifyPieces(changed.parameters, pieces(changed, cuts(length, choices, 16)), changed.tag),
          ).to.equal(false);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("refuses a message cut short, made longer by zeros, and a tag that is not whole (G3, S15)", async () => {
    await fc.assert(
      fc.asyncProperty(anyMessage, fc.integer({ min: 1, max: 40 }), async (message, by) => {
        const { parameters, ciphertext, tag } = message;
        const longer = { ...message, ciphertext: Buffer.concat([ciphertext, Buffer.alloc(by)]) };
        const shorter = { ...message, ciphertext: ciphertext.subarray(0, Math.max(0, ciphertext.length - by)) };
        for (const wrong of ciphertext.length === 0 ? [longer] : [longer, shorter]) {
          expect(readInOrder(wrong, [0, wrong.ciphertext.length])).to.equal(undefined);
          expect(await verifyPieces(parameters, pieces(wrong, [0, wrong.ciphertext.length]), tag)).to.equal(false);
        }
        for (const wrong of [...[0, 1, 12, 15].map((length) => tag.subarray(0, length)), Buffer.concat([tag, tag])]) {
          expect(readInOrder({ ...message, tag: wrong }, [0, ciphertext.length])).to.equal(undefined);
          expect(await verifyPieces(parameters, pieces(message, [0, ciphertext.length]), wrong)).to.equal(false);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("refuses pieces with a gap, twice, of a half block before the last, and in another place", async () => {
    const [message] = knownMessages("nist-cavp").filter(({ ciphertext }) => ciphertext.length === 51);
    if (message === undefined) throw new Error("no such known answer");
    const { parameters, tag } = message;
    const [a, b, c] = pieces(message, [0, 16, 32, 51]) as [
      ReturnType<PieceHash["end"]>,
      ReturnType<PieceHash["end"]>,
      ReturnType<PieceHash["end"]>,
    ];
    expect(await verifyPieces(parameters, [a, b, c], tag)).to.equal(true);
    const nothing = [0, 16, 51, 99].map((offset) => new PieceHash(parameters, offset).end());
    expect(await verifyPieces(parameters, [a, b, c, ...nothing], tag)).to.equal(true);
    for (const wrong of [
      [a, c],
      [a, b],
      [b, c],
      [a, a, b, c],
      [{ ...a, offset: 16 }, { ...b, offset: 0 }, c],
      [a, { ...b, length: 15 }, c],
      // In their order, but not where they say.
      [a, b, { ...c, offset: 48 }],
      [a, { ...b, offset: 17 }, c],
      [{ ...a, offset: 1 }, b, c],
    ]) {
      expect(await verifyPieces(parameters, wrong, tag)).to.equal(false);
    }
    expect(await verifyPieces(parameters, pieces(message, [0, 24, 51]), tag)).to.equal(false);
  });

  it("refuses pieces that the padding of a half block makes the same polynomial of (G3)", async () => {
    const [known] = knownMessages("nist-cavp");
    if (known === undefined) throw new Error("no known answer");
    const { parameters } = known;
    // Ciphertext whose bytes 24 to 32 are zeros, as a piece that ends at 24 is padded.
    const plaintext = Buffer.alloc(51, 1);
    sealed(parameters, Buffer.alloc(51)).ciphertext.copy(plaintext, 24, 24, 32);
    const { ciphertext, tag } = sealed(parameters, plaintext);
    const first = new PieceHash(parameters, 0).add(ciphertext.subarray(0, 24)).end();
    const moved = Buffer.concat([ciphertext.subarray(32), Buffer.alloc(8)]);
    const second = new PieceHash(parameters, 24).add(moved).end();
    expect(await verifyPieces(parameters, [first, second], tag)).to.equal(false);
  });

  it("opens nothing that is shorter than a tag (G10)", () => {
    for (const { parameters, tag } of knownMessages("nist-cavp").filter(({ ciphertext }) => ciphertext.length === 0)) {
      for (const length of [0, 4, 12, 15]) expect(openAtOnce(parameters, tag.subarray(0, length))).to.equal(undefined);
    }
  });

  it("opens a piece only when what was read back is what was proven, its length included (G3, G5)", () => {
    const [message] = knownMessages("nist-cavp").filter(({ ciphertext }) => ciphertext.length === 51);
    if (message === undefined) throw new Error("no such known answer");
    const proven = readInOrder(message, [0, 20, 51]);
    if (proven === undefined) throw new Error("not proven");
    const read = message.ciphertext.subarray(0, 20);
    expect(proven.open(0, read)).to.deep.equal(message.plaintext.subarray(0, 20));
    const changed = Buffer.from(read);
    changed[3] = (changed[3] ?? 0) ^ 1;
    expect(proven.open(0, changed)).to.equal(undefined);
    // The hash itself does not see zeros that fill up the last block.
    expect(proven.open(0, Buffer.concat([read, Buffer.alloc(4)]))).to.equal(undefined);
    expect(proven.open(1, read)).to.equal(undefined);
    expect(proven.open(1, message.ciphertext.subarray(20))).to.deep.equal(message.plaintext.subarray(20));
    expect(proven.open(2, read)).to.equal(undefined);
    expect(() => proven.decrypt(40, Buffer.alloc(12))).to.throw(RangeError);
  });

  it("takes no more than a message may hold, and hashes pieces only of what is kept elsewhere (G10)", () => {
    const [message] = knownMessages("nist-cavp").filter(({ ciphertext }) => ciphertext.length === 51);
    if (message === undefined) throw new Error("no such known answer");
    const ofLength = (length: number) => ({ length }) as unknown as Uint8Array;
    const reading = new GcmReading(message.parameters);
    reading.add(message.ciphertext);
    expect(() => reading.add(ofLength(2 ** 36 - 32 - 50))).to.throw(RangeError);
    // As many as there may be: no bytes, but let through to where that is noticed.
    expect(() => reading.add(ofLength(2 ** 36 - 32 - 51))).to.throw(TypeError);
    expect(reading.prove(message.tag)?.pieces).to.deep.equal([]);
  });

  it("has no keystream outside of a message (G10)", () => {
    const parameters = { key: createSecretKey(Buffer.alloc(32)), iv: Buffer.alloc(12), aad: Buffer.alloc(0) };
    const max = 2 ** 36 - 32;
    expect(cipherAt(parameters, max - 1, 1).update(Buffer.alloc(1)).length).to.equal(1);
    for (const [offset, length] of [
      [max, 1],
      [max - 1, 2],
      [-1, 1],
      [0.5, 1],
      [0, 0.5],
      [0, -1],
      [Number.NaN, 1],
      [2 ** 53, 1],
    ] as const) {
      expect(() => cipherAt(parameters, offset, length), `${offset}, ${length}`).to.throw(RangeError);
    }
    expect(() => cipherAt({ ...parameters, iv: Buffer.alloc(16) }, 0, 1)).to.throw(RangeError);
  });
});
