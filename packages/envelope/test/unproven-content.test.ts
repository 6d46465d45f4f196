import { plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { PieceSeal } from "../dist/piece-seal.js";
import { type UnprovenContent, unprovenContent } from "../dist/unproven-content.js";
import { cut } from "./chunks.js";
import { contentKey, encrypted } from "./content-keys.js";

type Kind = "gcm" | "committing";

function contentOf(kind: Kind, storedLength: number): UnprovenContent {
  const content = unprovenContent(contentKey(kind), storedLength);
  if (content === undefined) throw new Error("not in any order");
  return content;
}

/** Takes ranges of a stored body, each begins at a block, and gives what they decrypt to in its place. */
function taken(content: UnprovenContent, stored: Uint8Array, ranges: readonly (readonly [number, number])[]): Buffer {
  const plaintext = Buffer.alloc(content.length);
  for (const [first, end] of ranges) {
    const inContent = stored.subarray(first, Math.min(end, content.length));
    if (inContent.length > 0) {
      const piece = content.pieceAt(first);
      plaintext.set(Buffer.concat(cut(inContent, 33).map((part) => piece.decrypt(part))), first);
      content.add(piece.end());
    }
    const tagFrom = Math.max(first, content.length);
    if (end > tagFrom) content.addTag(tagFrom, stored.subarray(tagFrom, end));
  }
  return plaintext;
}

/** Ranges that cover so many bytes, each but the last of whole blocks. */
function ranges(length: number, blocks: readonly number[]): [number, number][] {
  const places = [...new Set(blocks.map((block) => block * 16).filter((at) => at > 0 && at < length))];
  const starts = [0, ...places.sort((a, b) => a - b)];
  return starts.map((start, index) => [start, starts[index + 1] ?? length]);
}

describe("content that is decrypted in any order", () => {
  for (const kind of ["gcm", "committing"] as const) {
    it(`is what was encrypted, however it is cut, and proven behind its last byte: ${kind}`, async () => {
      const any = fc.tuple(fc.integer({ min: 0, max: 700 }), fc.array(fc.nat(50), { maxLength: 6 }), fc.boolean());
      await fc.assert(
        fc.asyncProperty(any, async ([length, blocks, backwards]) => {
          const plaintext = plaintextOf(length);
          const stored = await encrypted(contentKey(kind), plaintext);
          const cuts = ranges(stored.length, blocks);
          const content = contentOf(kind, stored.length);
          const decrypted = taken(content, stored, backwards ? cuts.reverse() : cuts);
          expect(decrypted.equals(plaintext)).to.equal(true);
          await content.prove();
          const reread = content.reread();
          for (const part of cut(plaintext, 50)) reread.add(part);
          reread.prove();
        }),
        { numRuns: 60 },
      );
    });
  }

  it("is refused uniformly where any byte was altered, a range is missing or came twice (S12)", async () => {
    const stored = await encrypted(contentKey("committing"), plaintextOf(100));
    for (let at = 0; at < stored.length; at += 5) {
      const altered = Buffer.from(stored);
      altered[at] = (altered[at] ?? 0) ^ 1;
      const content = contentOf("committing", stored.length);
      taken(content, altered, ranges(stored.length, [2, 5]));
      await refusal("decryption-failed", () => content.prove());
    }
    const wrong: (readonly [number, number])[][] = [
      [[0, 64]],
      [[64, 116]],
      [
        [0, 64],
        [64, 100],
      ],
      [
        [0, 64],
        [0, 64],
        [64, 116],
      ],
      [],
    ];
    for (const ranges of wrong) {
      const content = contentOf("committing", stored.length);
      taken(content, stored, ranges);
      await refusal("decryption-failed", () => content.prove());
    }
  });

  it("is not proven by pieces that are all there is of another length (G3)", async () => {
    const stored = await encrypted(contentKey("committing"), plaintextOf(96));
    // A length that S3 stated, and an object that is a block shorter, whole by itself.
    const content = contentOf("committing", stored.length + 16);
    const piece = content.pieceAt(0);
    piece.decrypt(stored.subarray(0, 96));
    content.add(piece.end());
    content.addTag(112, stored.subarray(96));
    await refusal("decryption-failed", () => content.prove());
  });

  it("reads back nothing but what was decrypted (G9)", async () => {
    const plaintext = plaintextOf(100);
    const stored = await encrypted(contentKey("committing"), plaintext);
    const content = contentOf("committing", stored.length);
    taken(content, stored, [[0, stored.length]]);
    const changed = Buffer.from(plaintext);
    changed[50] = (changed[50] ?? 0) ^ 1;
    for (const wrong of [changed, plaintext.subarray(0, 99), plaintext.subarray(0, 0)]) {
      const reread = content.reread();
      reread.add(wrong);
      await refusal("decryption-failed", () => reread.prove());
    }
    const longer = content.reread();
    longer.add(plaintext);
    await refusal("decryption-failed", () => longer.add(Buffer.alloc(1)));
  });

  it("hashes what was kept as it hashed what came", async () => {
    const plaintext = plaintextOf(100);
    const stored = await encrypted(contentKey("gcm"), plaintext);
    const content = contentOf("gcm", stored.length);
    for (const [first, end] of [
      [0, 64],
      [64, 100],
    ] as const) {
      const [came, kept] = [content.pieceAt(first), content.pieceAt(first)];
      came.decrypt(stored.subarray(first, end));
      for (const part of cut(plaintext.subarray(first, end), 7)) kept.takeBack(part);
      expect(kept.end()).to.deep.equal(came.end());
    }
  });

  it("has no piece past its end, and none that begins outside of it (G10)", async () => {
    const content = contentOf("committing", 116);
    for (const offset of [-16, 1.5, 116, Number.NaN]) expect(() => content.pieceAt(offset)).to.throw(RangeError);
    expect(() => content.pieceAt(96).decrypt(Buffer.alloc(5))).to.throw(RangeError);
    expect(() => content.pieceAt(96).takeBack(Buffer.alloc(5))).to.throw(RangeError);
    const piece = content.pieceAt(96);
    piece.decrypt(Buffer.alloc(4));
    expect(() => piece.decrypt(Buffer.alloc(1))).to.throw(RangeError);
  });

  it("is none of CBC, and of no length that a body cannot have", async () => {
    expect(unprovenContent(contentKey("cbc"), 160)).to.equal(undefined);
    for (const length of [0, 15, 2 ** 36 - 15]) {
      await refusal("decryption-failed", () => unprovenContent(contentKey("gcm"), length));
    }
    expect(contentOf("gcm", 2 ** 36 - 16).length).to.equal(2 ** 36 - 32);
  });

  it("seals its pieces under its own key (G9)", () => {
    const download = Buffer.alloc(16, 7);
    const piece = { offset: 16, length: 100, hash: Buffer.alloc(16, 9) };
    const sealed = contentOf("gcm", 200).sealFor(download).sealPiece(0, piece);
    expect(new PieceSeal(contentKey("gcm"), download).openPiece(0, sealed)).to.deep.equal(piece);
    expect(contentOf("committing", 200).sealFor(download).openPiece(0, sealed)).to.equal(undefined);
  });
});
