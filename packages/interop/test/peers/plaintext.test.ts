import { expect } from "chai";
import { plaintext, sha256 } from "../../dist/peers/plaintext.js";

describe("plaintext", () => {
  it("is what the test vectors' plaintexts are made of", () => {
    // go-s3crypto-v1-cbc-meta-alias-33 of test-vectors/manifest.json
    const bytes = plaintext(20025, 33);
    expect(bytes.length).to.equal(33);
    expect(sha256(bytes)).to.equal("2ba1630ed025adbe72c3eef8c5244dfcab2f63dc0545ccce28e8ca1514300979");
  });

  it("is empty for no length", () => {
    expect(plaintext(1, 0).length).to.equal(0);
  });
});
