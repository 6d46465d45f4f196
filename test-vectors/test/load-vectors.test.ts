import { createHash } from "node:crypto";
import { instructionFileToRead, loadVectors, readBody } from "@s3ec/test-vectors";
import { expect } from "chai";

const vectors = loadVectors();

describe("readBody", () => {
  it("returns bytes of the stated length and SHA-256 for every vector", () => {
    for (const vector of vectors) {
      const body = readBody(vector);
      expect(body.length, vector.id).to.equal(vector.body.length);
      expect(createHash("sha256").update(body).digest("hex"), vector.id).to.equal(vector.body.sha256);
    }
  });
});

describe("instructionFileToRead", () => {
  it("is undefined for an object whose envelope is in metadata", () => {
    const inMetadata = vectors.filter((vector) => vector.expect === undefined && "x-amz-3" in vector.metadata);
    expect(inMetadata).to.not.be.empty;
    for (const vector of inMetadata) expect(instructionFileToRead(vector), vector.id).to.equal(undefined);
  });

  it("is the file under the suffix that the vector is about, among several", () => {
    const pairs = vectors
      .filter(({ instructionFiles }) => Object.keys(instructionFiles ?? {}).length > 1)
      .map((vector) => [vector.material.endsWith("-b"), instructionFileToRead(vector)?.suffix !== ".instruction"]);
    expect(pairs).to.not.be.empty;
    for (const [secondKey, otherSuffix] of pairs) expect(otherSuffix).to.equal(secondKey);
  });

  it("gives the suffixes a reader must be told, as the README lists them", () => {
    const told = vectors.flatMap((vector) => {
      const file = instructionFileToRead(vector);
      return file === undefined || file.suffix === ".instruction" ? [] : [[vector.id, file.suffix]];
    });
    expect(told).to.deep.equal([
      ["dotnet-v1-310-rsa2048-instr-0", "INSTRUCTION_SUFFIX"],
      ["go-s3crypto-v1-gcm-instr-suffix-100", ".env"],
      ["java-v1-ae-aes256-inst-rewrap-aes256b-120-custom-suffix", ".rewrapped"],
      ["java-v1-ae-aes256-meta-rewrap-aes256b-124-custom-suffix", ".rewrapped"],
      ["java-v1-strict-aes256-inst-rewrap-aes256b-125-custom-suffix", ".strict-b"],
      ["java-v2-rsa2048-inst-rewrap-rsa2048b-123-custom-suffix", ".rsa-b"],
      ["java-v4-commit-rsa2048-inst-reenc-rsa2048b-custom-201-suffix", ".partner-b"],
      ["java-v4-gcm-rsa2048-inst-reenc-rsa2048b-custom-205-suffix", ".partner-b"],
      ["php-refuse-v3-instr-with-commitment", ".escrow"],
      ["php-refuse-v3-meta-v2-instr", ".by-client"],
      ["php-v1-3112-gcm256-escrow-33", ".escrow"],
      ["php-v2-3231-gcm128-escrow-16", ".escrow"],
      ["php-v3-3383-escrow-16", ".escrow"],
      ["php-v3-3403-client-suffix-48", ".by-client"],
      ["ruby-v1-aes-256-instr-suffix-100", ".env"],
      ["ruby-v2-aes-256-instr-suffix-100", ".env"],
    ]);
  });
});
