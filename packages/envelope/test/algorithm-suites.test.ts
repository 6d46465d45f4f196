import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import { ALGORITHM_SUITES, algorithmSuite, suiteOfContentAlgorithm } from "../dist/algorithm-suites.js";

describe("algorithm suites", () => {
  const table: [name: string, id: number, iv: number, tag: number, keys: number[], stored: string][] = [
    ["ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY", 0x73, 12, 16, [32], "115"],
    ["ALG_AES_256_GCM_IV12_TAG16_NO_KDF", 0x72, 12, 16, [16, 24, 32], "AES/GCM/NoPadding"],
    ["ALG_AES_256_CBC_IV16_NO_KDF", 0x70, 16, 0, [16, 24, 32], "AES/CBC/PKCS5Padding"],
  ];
  for (const [name, id, ivLength, tagLength, dataKeyLengths, storedName] of table) {
    it(`${name} is as docs/formats.md 1.2 says, and cannot be changed`, () => {
      const suite = algorithmSuite(name);
      expect(suite).to.deep.include({ id, ivLength, tagLength, dataKeyLengths, storedName });
      expect(suite).to.be.frozen;
      expect(suite.dataKeyLengths).to.be.frozen;
    });
  }

  it("are these and no other", () => {
    expect(ALGORITHM_SUITES.map(({ name }) => name)).to.deep.equal(table.map(([name]) => name));
    expect(ALGORITHM_SUITES).to.be.frozen;
    const message = refused("invalid-argument", () => algorithmSuite("ALG_AES_256_CTR_IV16_TAG16_NO_KDF")).message;
    for (const [name] of table) expect(message).to.contain(name);
  });

  it("are told by the exact name of the content algorithm; none means CBC (H22)", () => {
    const names = [undefined, "AES/CBC/PKCS5Padding", "AES/CBC/PKCS7Padding", "AES/GCM/NoPadding", "", "115", "AES"];
    const ciphers = names.map((name) => suiteOfContentAlgorithm(name)?.cipher);
    expect(ciphers).to.deep.equal(["cbc", "cbc", "cbc", "gcm", undefined, undefined, undefined]);
  });
});
