import { createCipheriv, hkdfSync } from "node:crypto";
import { expect } from "chai";
import type { ContentKey } from "../dist/content-key.js";
import { PieceSeal } from "../dist/piece-seal.js";
import { contentKey } from "./content-keys.js";

const DOWNLOAD = Buffer.alloc(16, 7);
const PIECE = { offset: 48, length: 1000, hash: Buffer.alloc(16, 9) };

describe("the seal of a download's pieces (G9)", () => {
  const seal = new PieceSeal(contentKey("committing"), DOWNLOAD);

  it("opens what it sealed, which shows nothing of a hash and is never the same twice", () => {
    const sealed = seal.sealPiece(3, PIECE);
    expect(sealed.length).to.equal(PieceSeal.pieceLength);
    expect(seal.openPiece(3, sealed)).to.deep.equal(PIECE);
    expect(sealed.includes(PIECE.hash)).to.equal(false);
    expect(seal.sealPiece(3, PIECE).subarray(8).equals(sealed.subarray(8))).to.equal(false);
    const far = { ...PIECE, offset: 2 ** 36 - 32, length: 2 ** 32 - 1 };
    expect(seal.openPiece(2 ** 16, seal.sealPiece(2 ** 16, far))).to.deep.equal(far);
  });

  it("opens nothing that was altered, anywhere, nor cut", () => {
    const sealed = seal.sealPiece(3, PIECE);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const altered = Buffer.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(seal.openPiece(3, altered)).to.equal(undefined);
    }
    for (const length of [0, 8, 28, sealed.length - 1]) {
      expect(seal.openPiece(3, sealed.subarray(0, length))).to.equal(undefined);
    }
    expect(seal.openPiece(3, Buffer.concat([sealed, Buffer.alloc(1)]))).to.equal(undefined);
  });

  it("opens nothing with another number, of another download, under another key or IV", () => {
    const sealed = seal.sealPiece(3, PIECE);
    const content = contentKey("committing");
    const others: [PieceSeal, number][] = [
      [seal, 2],
      [new PieceSeal(content, Buffer.alloc(16, 8)), 3],
      [new PieceSeal({ ...content, key: contentKey("gcm").key }, DOWNLOAD), 3],
      [new PieceSeal({ ...content, iv: Buffer.alloc(12, 2) } satisfies ContentKey, DOWNLOAD), 3],
    ];
    for (const [other, number] of others) expect(other.openPiece(number, sealed)).to.equal(undefined);
  });

  it("keeps an identity apart from pieces", () => {
    const identity = Buffer.alloc(64, 5);
    const sealed = seal.sealIdentity(identity);
    expect(seal.openIdentity(sealed)).to.deep.equal(identity);
    expect(new PieceSeal(contentKey("committing"), Buffer.alloc(16)).openIdentity(sealed)).to.equal(undefined);
    for (const length of [0, 10, 20, 28]) {
      expect(seal.openIdentity(sealed.subarray(0, length))).to.equal(undefined);
    }
    expect(seal.openIdentity(seal.sealIdentity(Buffer.alloc(0)))).to.deep.equal(Buffer.alloc(0));
    expect(seal.openIdentity(seal.sealPiece(0, { ...PIECE, offset: 0 }).subarray(8))).to.equal(undefined);
  });

  it("opens what an earlier release has sealed", () => {
    const { key, iv } = contentKey("committing");
    const sealingKey = Buffer.from(hkdfSync("sha512", key, iv, "s3ec download pieces v1", 32));
    const nonce = Buffer.alloc(12, 4);
    const cipher = createCipheriv("aes-256-gcm", sealingKey, nonce);
    // Number and offset, eight bytes each, and the download's name.
    cipher.setAAD(Buffer.concat([Buffer.from("00000000000000030000000000000030", "hex"), DOWNLOAD]));
    const sealed = Buffer.concat([
      cipher.update(Buffer.from("000003e8", "hex")),
      cipher.update(PIECE.hash),
      cipher.final(),
    ]);
    const record = Buffer.concat([Buffer.from("0000000000000030", "hex"), nonce, sealed, cipher.getAuthTag()]);
    expect(seal.openPiece(3, record)).to.deep.equal(PIECE);
  });
});
