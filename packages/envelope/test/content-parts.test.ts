import { plaintextOf } from "@s3ec/test-support";
import { expect } from "chai";
import { decryptContent } from "../dist/content-cipher.js";
import { ContentParts, canSealInParts } from "../dist/content-parts.js";
import { S3EncryptionError } from "../dist/errors.js";
import { streamOf } from "./chunks.js";
import { contentKey, encrypted } from "./content-keys.js";

const PLAINTEXT = plaintextOf(1000);

function code(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof S3EncryptionError) return error.code;
    throw error;
  }
  return "it succeeded";
}

describe("content in parts", () => {
  it("can be had on this runtime (G10)", () => {
    expect(canSealInParts()).to.equal(true);
  });

  for (const kind of ["gcm", "committing"] as const) {
    it(`is what one pass makes, in whatever order the parts come: ${kind}`, async () => {
      const content = contentKey(kind);
      const parts = new ContentParts(content);
      const [c, a, b] = [[700, 1000] as const, [0, 100] as const, [100, 700] as const].map(
        ([from, to]) => parts.seal(from, PLAINTEXT.subarray(from, to)).ciphertext,
      );
      const trailer = parts.close();
      expect(trailer.length).to.equal(parts.trailerLength);
      const stored = Buffer.concat([a, b, c, trailer].map((part) => part ?? Buffer.alloc(0)));
      expect(stored.equals(await encrypted(content, PLAINTEXT))).to.equal(true);
      const read = Buffer.concat(await decryptContent(contentKey(kind), streamOf([stored])));
      expect(read.equals(PLAINTEXT)).to.equal(true);
    });
  }

  it("says in a typed error that other bytes were to take a place, and has then ended (S18)", () => {
    const misuses: Record<string, (parts: ContentParts) => unknown> = {
      "a place twice": (parts) => parts.seal(50, PLAINTEXT.subarray(50, 60)),
      "other bytes again": (parts) => {
        const first = parts.seal(100, PLAINTEXT.subarray(100, 200));
        return parts.sealAgain(first.piece, PLAINTEXT.subarray(0, 100));
      },
      "more behind the end": (parts) => {
        parts.close();
        return parts.seal(100, PLAINTEXT.subarray(100, 200));
      },
    };
    for (const [name, misuse] of Object.entries(misuses)) {
      let abandoned = 0;
      const parts = new ContentParts(contentKey("committing"), () => {
        abandoned += 1;
      });
      const { piece } = parts.seal(0, PLAINTEXT.subarray(0, 100));
      expect(abandoned).to.equal(0);
      expect(
        code(() => misuse(parts)),
        name,
      ).to.equal("content-mismatch");
      expect(abandoned, name).to.equal(1);
      expect(
        code(() => parts.sealAgain(piece, PLAINTEXT.subarray(0, 100))),
        name,
      ).to.equal("content-mismatch");
      expect(
        code(() => parts.seal(500, PLAINTEXT.subarray(500, 600))),
        name,
      ).to.equal("content-mismatch");
    }
  });

  it("ends where it is abandoned, which is told (G11), and not by a gap", () => {
    let isAbandoned = false;
    const parts = new ContentParts(contentKey("committing"), () => {
      isAbandoned = true;
    });
    const { piece } = parts.seal(100, PLAINTEXT);
    expect(code(() => parts.close())).to.equal("content-mismatch");
    expect(isAbandoned).to.equal(false);
    parts.sealAgain(piece, PLAINTEXT);
    parts.abandon();
    expect(isAbandoned).to.equal(true);
    for (const work of [() => parts.sealAgain(piece, PLAINTEXT), () => parts.seal(0, PLAINTEXT), () => parts.close()]) {
      expect(code(work)).to.equal("content-mismatch");
    }
  });

  it("makes the same part and the same end again", () => {
    const parts = new ContentParts(contentKey("committing"));
    const { piece, ciphertext } = parts.seal(0, PLAINTEXT);
    expect(parts.close()).to.deep.equal(parts.close());
    expect(parts.sealAgain(piece, Buffer.from(PLAINTEXT))).to.deep.equal(ciphertext);
  });

  it("refuses a gap, nothing at all, no place, and what no message holds, using nothing up", () => {
    const parts = new ContentParts(contentKey("committing"));
    expect(code(() => parts.close())).to.equal("content-mismatch");
    expect(code(() => parts.seal(0, Buffer.alloc(0)))).to.equal("invalid-argument");
    expect(code(() => parts.seal(-1, PLAINTEXT))).to.equal("invalid-argument");
    expect(code(() => parts.seal(0.5, PLAINTEXT))).to.equal("invalid-argument");
    expect(code(() => parts.seal(parts.maxLength - 999, PLAINTEXT))).to.equal("content-too-large");
    parts.seal(parts.maxLength - 1000, PLAINTEXT);
    expect(code(() => parts.close())).to.equal("content-mismatch");
    parts.seal(0, PLAINTEXT);
    expect(code(() => parts.close())).to.equal("content-mismatch");
  });
});
