import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import {
  defineWrapAlgorithm,
  isSameWrapAlgorithm,
  KMS,
  keyProvider,
  WRAP_ALGORITHMS,
} from "../dist/wrap-algorithms.js";

describe("wrap algorithms", () => {
  const table: [name: string, v2: string | null, v3: string | null, legacy: boolean, kind: string][] = [
    ["AES/GCM", "AES/GCM", "02", false, "aes"],
    ["RSA-OAEP-SHA1", "RSA-OAEP-SHA1", "22", false, "rsa"],
    ["kms+context", "kms+context", "12", false, "kms"],
    ["kms", "kms", null, true, "kms"],
    ["AESWrap", "AESWrap", null, true, "aes"],
    ["RSA/ECB/OAEPWithSHA-256AndMGF1Padding", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding", null, true, "rsa"],
    ["AES", null, null, true, "aes"],
    ["RSA", null, null, true, "rsa"],
  ];

  it("are as docs/formats.md 1.4 says: legacy, but for the three that are bound to the content", () => {
    const found = WRAP_ALGORITHMS.map(({ name, v2Name, v3Code, legacy, keyKind }) => [
      name,
      v2Name,
      v3Code,
      legacy,
      keyKind,
    ]);
    expect(found).to.deep.equal(table);
    for (const wrap of WRAP_ALGORITHMS) {
      expect(wrap).to.be.frozen;
      expect(wrap.describedBy).to.equal(wrap.keyKind === "kms" ? "encryption-context" : "material-description");
    }
  });

  it("of a plug-in are stored under their own name in both formats", () => {
    expect(defineWrapAlgorithm({ name: "vault:transit/v1", describedBy: "encryption-context" })).to.deep.equal({
      name: "vault:transit/v1",
      v2Name: "vault:transit/v1",
      v3Code: "vault:transit/v1",
      legacy: false,
      keyKind: "other",
      describedBy: "encryption-context",
    }).and.to.be.frozen;
    expect(defineWrapAlgorithm({ name: "own" }).describedBy).to.equal("material-description");
  });

  const names = ["", "ab", "a b", "wräp", "a\n", "x".repeat(65), "01", "02", "11", "12", "21", "22"];
  for (const name of [...names, ...table.map(([official]) => official), "KMS", "aes/gcm", "rsa", "aeswrap"]) {
    it(`of a plug-in are not called "${name}" (H26)`, () => {
      refused("invalid-argument", () => defineWrapAlgorithm({ name }));
    });
  }

  for (const name of [undefined, 12345, ["own"], { toString: () => "own" }]) {
    it(`of a plug-in are not called by what is no string: ${JSON.stringify(name)}`, () => {
      refused("invalid-argument", () => defineWrapAlgorithm({ name: name as never }));
    });
  }

  it("are never a key provider's, whatever it calls itself", () => {
    for (const { name } of WRAP_ALGORITHMS) {
      const provider = keyProvider(name);
      for (const wrap of WRAP_ALGORITHMS) expect(isSameWrapAlgorithm(wrap, provider)).to.equal(false);
      expect(isSameWrapAlgorithm(provider, keyProvider(name))).to.equal(true);
    }
  });

  it("are the same across two copies of the package", () => {
    expect(isSameWrapAlgorithm(KMS, { ...KMS })).to.equal(true);
    for (const other of WRAP_ALGORITHMS) expect(isSameWrapAlgorithm(KMS, other)).to.equal(other === KMS);
  });
});
