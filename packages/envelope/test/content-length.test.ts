import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import { CBC, COMMITTING_GCM, GCM } from "../dist/algorithm-suites.js";
import { ciphertextLength, plaintextLength } from "../dist/content-length.js";

describe("lengths", () => {
  const lengths: [plaintext: number, gcm: number, cbc: number][] = [
    [0, 16, 16],
    [1, 17, 16],
    [15, 31, 16],
    [16, 32, 32],
    [17, 33, 32],
    [65_536, 65_552, 65_552],
    [2 ** 36 - 32, 2 ** 36 - 16, 2 ** 36 - 16],
  ];
  for (const [plaintext, gcm, cbc] of lengths) {
    it(`${plaintext} bytes are stored as ${gcm} with GCM and ${cbc} with CBC`, () => {
      for (const suite of [GCM, COMMITTING_GCM]) {
        expect(ciphertextLength(suite, plaintext)).to.equal(gcm);
        expect(plaintextLength(suite, gcm)).to.equal(plaintext);
      }
      expect(ciphertextLength(CBC, plaintext)).to.equal(cbc);
      expect(plaintextLength(CBC, cbc)).to.equal(undefined);
    });
  }

  it("no GCM body is shorter than its tag or longer than one message", () => {
    for (const length of [0, 1, 15, 2 ** 36 - 15, 2 ** 40])
      refused("decryption-failed", () => plaintextLength(GCM, length));
  });
});
