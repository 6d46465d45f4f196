import { createCipheriv, createSecretKey } from "node:crypto";
import { replacingCrypto } from "@s3ec/test-support";
import { expect } from "chai";
import { ZeroHashes } from "../../dist/gcm/ghash.js";

describe("hashes of zeros", () => {
  it("are remembered, of 64 lengths at most (G10)", async () => {
    const parameters = { key: createSecretKey(Buffer.alloc(32, 7)), iv: Buffer.alloc(12, 1), aad: Buffer.alloc(0) };
    const original = createCipheriv;
    let made = 0;
    const counting = (...options: Parameters<typeof createCipheriv>) => {
      made++;
      return original(...options);
    };
    await replacingCrypto({ createCipheriv: counting }, () => {
      const zeros = new ZeroHashes(parameters);
      const first = zeros.of(16);
      for (let length = 32; length <= 64 * 16; length += 16) zeros.of(length);
      expect(made).to.equal(64);
      expect(zeros.of(16)).to.equal(first);
      expect(made).to.equal(64);
      zeros.of(65 * 16);
      expect(zeros.of(16)).to.deep.equal(first);
      expect(made).to.equal(66);
    });
  });
});
