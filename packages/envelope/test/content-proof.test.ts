import { plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { type ContentProof, contentProof, PROOF_PIECE_LENGTH } from "../dist/content-proof.js";
import type { ProvenContent } from "../dist/gcm/gcm-reading.js";
import { cut, SIZES, ways } from "./chunks.js";
import { contentKey, encrypted } from "./content-keys.js";

function proofOf(chunks: readonly Uint8Array[], kind: "gcm" | "committing", inPieces: boolean): ContentProof {
  const proof = contentProof(contentKey(kind), inPieces);
  if (proof === undefined) throw new Error("no proof");
  for (const chunk of chunks) {
    proof.add(chunk);
    // What was given may be used for something else at once.
    chunk.fill(0xaa);
  }
  return proof;
}

/** What a reader that kept the ciphertext elsewhere gets back. */
function reopened(proven: ProvenContent, stored: Uint8Array): Buffer {
  return Buffer.concat(
    proven.pieces.map(({ offset, length }, index) => {
      const plaintext = proven.open(index, stored.subarray(offset, offset + length));
      if (plaintext === undefined) throw new Error("a piece was not opened");
      return plaintext;
    }),
  );
}

describe("a proof of content", () => {
  for (const kind of ["gcm", "committing"] as const) {
    for (const size of [...SIZES, PROOF_PIECE_LENGTH - 1, PROOF_PIECE_LENGTH, PROOF_PIECE_LENGTH + 1]) {
      it(`holds for ${size} bytes, however they come, and opens them: ${kind}`, async () => {
        const plaintext = plaintextOf(size);
        const stored = await encrypted(contentKey(kind), plaintext);
        for (const [way, chunks] of ways(stored)) {
          const copies = (): Uint8Array[] => chunks.map((chunk) => Uint8Array.from(chunk));
          const whole = proofOf(copies(), kind, false).prove();
          expect(whole.length, way).to.equal(size);
          expect(whole.pieces, way).to.deep.equal([]);
          const decrypt = whole.inOrder();
          const decrypted = cut(stored.subarray(0, size), 999).map((part) => decrypt(part));
          expect(Buffer.concat(decrypted).equals(plaintext), way).to.equal(true);
          expect(() => decrypt(Buffer.alloc(1)), way).to.throw(RangeError);
          const proven = proofOf(copies(), kind, true).prove();
          expect(proven.pieces.length).to.equal(Math.ceil(size / PROOF_PIECE_LENGTH));
          expect(reopened(proven, stored).equals(plaintext), way).to.equal(true);
        }
      });
    }
  }

  it("fails uniformly for a body that was altered, cut or continued, wherever that was", async () => {
    const size = PROOF_PIECE_LENGTH + 100;
    const stored = await encrypted(contentKey("committing"), plaintextOf(size));
    const alterations = [0, 15, 16, PROOF_PIECE_LENGTH - 1, PROOF_PIECE_LENGTH, size - 1, size, size + 15].map((at) => {
      const altered = Buffer.from(stored);
      altered[at] = (altered[at] ?? 0) ^ 1;
      return altered;
    });
    const lengths = [
      stored.subarray(0, -1),
      stored.subarray(0, 15),
      stored.subarray(0, 0),
      Buffer.concat([stored, Buffer.alloc(1)]),
    ];
    for (const body of [...alterations, ...lengths]) {
      for (const inPieces of [false, true]) {
        const proof = proofOf(cut(Buffer.from(body), 5000), "committing", inPieces);
        const { message } = await refusal("decryption-failed", () => proof.prove());
        expect(message).to.equal((await refusal("decryption-failed", () => proofOf([], "gcm", false).prove())).message);
      }
    }
  });

  it("takes no more than a body may have, counting what it holds back (S12, G10)", async () => {
    const content = contentKey("gcm");
    const short = { ...content, suite: { ...content.suite, maxContentLength: 32 } };
    for (const inPieces of [false, true]) {
      const proof = contentProof(short, inPieces);
      proof?.add(Buffer.alloc(40));
      await refusal("decryption-failed", () => proof?.add(Buffer.alloc(9)));
      proof?.add(Buffer.alloc(8));
      await refusal("decryption-failed", () => proof?.add(Buffer.alloc(1)));
    }
  });

  it("is not to be had for content that has no tag", () => {
    expect(contentProof(contentKey("cbc"), false)).to.equal(undefined);
  });
});
