import { createHash } from "node:crypto";
import { loadVectors, plaintextOf } from "@s3ec/test-vectors";
import { expect } from "chai";

describe("plaintextOf", () => {
  it("generates bytes of the stated length and SHA-256 for every vector", () => {
    for (const vector of loadVectors()) {
      const plaintext = plaintextOf(vector);
      expect(plaintext.length, vector.id).to.equal(vector.plaintext.length);
      expect(createHash("sha256").update(plaintext).digest("hex"), vector.id).to.equal(vector.plaintext.sha256);
    }
  });
});
