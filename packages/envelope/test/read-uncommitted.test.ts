import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import { classifyEnvelope } from "../dist/read-envelope.js";
import { isSameContent, readUncommittedContent } from "../dist/read-uncommitted.js";
import { unknownDescriptionText } from "../dist/string-map.js";
import { base64, type Metadata, V1, V2, without, wrapped } from "./stored-objects.js";

const CBC_IV = { "x-amz-iv": base64(Buffer.alloc(16, 1)) };
const CBC: Metadata = { ...without(V2, "x-amz-tag-len"), ...CBC_IV, "x-amz-cek-alg": "AES/CBC/PKCS5Padding" };

const read = (metadata: Metadata) => {
  const classified = classifyEnvelope(metadata);
  if (classified.placement !== "metadata") throw new Error("Expected the whole envelope in the metadata.");
  return classified.envelope;
};

describe("formats V1 and V2", () => {
  const suites: [what: string, metadata: Metadata, suite: string, binding: string][] = [
    ["V1", V1, "ALG_AES_256_CBC_IV16_NO_KDF", "AES/CBC/PKCS5Padding"],
    ["V2 that names GCM", V2, "ALG_AES_256_GCM_IV12_TAG16_NO_KDF", "AES/GCM/NoPadding"],
    ["V2 that names CBC", CBC, "ALG_AES_256_CBC_IV16_NO_KDF", "AES/CBC/PKCS5Padding"],
    [
      "V2 that names Go's CBC (H22)",
      { ...CBC, "x-amz-cek-alg": "AES/CBC/PKCS7Padding" },
      "ALG_AES_256_CBC_IV16_NO_KDF",
      "AES/CBC/PKCS7Padding",
    ],
  ];
  for (const [what, metadata, suite, algorithmBinding] of suites) {
    it(`reads ${what} as ${suite}, bound to ${algorithmBinding}`, () => {
      expect(read(metadata).suite.name).to.equal(suite);
      expect(read(metadata)).to.include({ algorithmBinding });
    });
  }

  for (const name of ["AES/CTR/NoPadding", "AES/CBC/NoPadding", "aes/gcm/nopadding", "AES/GCM/NoPadding ", "115"]) {
    it(`refuses the content algorithm "${name}"`, () => {
      refused("malformed-envelope", () => read({ ...V2, "x-amz-cek-alg": name }));
    });
  }

  it("refuses V2 that names none, which every writer does (3.4 item 5)", () => {
    for (const wrap of ["kms", "AESWrap", "AES/GCM", ""]) {
      const object = { ...without(CBC, "x-amz-cek-alg"), "x-amz-wrap-alg": wrap };
      expect(refused("malformed-envelope", () => read(object)).message).to.match(/lacks x-amz-cek-alg/);
    }
  });

  const tagLengths: [value: string | undefined, gcm: boolean, cbc: boolean][] = [
    [undefined, true, true],
    ["", true, true],
    ["128", true, false],
    ["0", false, true],
    ["96", false, false],
    ["16", false, false],
    ["0128", false, false],
  ];
  for (const [value, gcm, cbc] of tagLengths) {
    it(`takes a tag length of ${JSON.stringify(value) ?? "nothing"} ${gcm ? "" : "not "}for GCM, ${cbc ? "" : "not "}for CBC (H6)`, () => {
      const stated = value === undefined ? {} : { "x-amz-tag-len": value };
      for (const [metadata, accepted] of [
        [V2, gcm],
        [CBC, cbc],
        [V1, cbc],
      ] as const) {
        const object = { ...without(metadata, "x-amz-tag-len"), ...stated };
        if (accepted) expect(read(object).suite.tagLength).to.equal(metadata === V2 ? 16 : 0);
        else refused("malformed-envelope", () => read(object));
      }
    });
  }

  for (const length of [1, 11, 12, 13, 15, 16, 17, 32]) {
    it(`takes an IV of ${length} bytes ${length === 12 ? "for GCM" : length === 16 ? "for CBC" : "for nothing"} (S15)`, () => {
      const iv = { "x-amz-iv": base64(Buffer.alloc(length, 1)) };
      if (length === 12) expect(read({ ...V2, ...iv }).format).to.equal("V2");
      else refused("malformed-envelope", () => read({ ...V2, ...iv }));
      if (length === 16) expect(read({ ...V1, ...iv }).format).to.equal("V1");
      else refused("malformed-envelope", () => read({ ...V1, ...iv }));
    });
  }

  const wraps: [name: string, length: number, wrap: string, legacy: boolean][] = [
    ["AES/GCM", 60, "AES/GCM", false],
    ["RSA-OAEP-SHA1", 256, "RSA-OAEP-SHA1", false],
    ["kms+context", 184, "kms+context", false],
    ["kms", 184, "kms", true],
    ["AESWrap", 40, "AESWrap", true],
    ["RSA/ECB/OAEPWithSHA-256AndMGF1Padding", 256, "RSA/ECB/OAEPWithSHA-256AndMGF1Padding", true],
    ["", 32, "AES", true],
    ["", 48, "AES", true],
    ["", 49, "RSA", true],
    ["", 256, "RSA", true],
  ];
  for (const [name, length, wrap, legacy] of wraps) {
    it(`reads wrap "${name}" of ${length} bytes as ${wrap}, ${legacy ? "legacy" : "not legacy"} (H14)`, () => {
      const stored = { "x-amz-wrap-alg": name };
      const v2 = read({ ...V2, ...stored, "x-amz-key-v2": wrapped(length) }).encryptedDataKey;
      expect(v2.wrapAlgorithm).to.include({ name: wrap, legacy });
      expect(v2.ciphertext).to.have.length(length);
      if (name !== "") return;
      const v1 = read({ ...V1, "x-amz-key": wrapped(length) }).encryptedDataKey;
      expect(v1.wrapAlgorithm).to.equal(v2.wrapAlgorithm);
    });
  }

  for (const name of ["AES/GCM2", "AES", "RSA", "02", "12", "aeswrap", "kms ", "__proto__"]) {
    it(`refuses the wrap "${name}"`, () =>
      refused("malformed-envelope", () => read({ ...V2, "x-amz-wrap-alg": name })));
  }

  const descriptions: [what: string, matdesc: string | undefined, map: Record<string, string> | undefined][] = [
    ["absent (H11)", undefined, {}],
    ["empty (H3)", "", {}],
    ["{}", "{}", {}],
    ["PHP's", '{"path":"a\\/b","name":"\\u00e9"}', { path: "a/b", name: "é" }],
    ["a double-encoded B word (H18)", "=?UTF-8?B?eyJrIjoiw4PCqcOmwrzCoiJ9?=", { k: "é漢" }],
    ["a double-encoded Q word (H18)", "=?UTF-8?Q?{=22k=22:=22=C3=83=C2=A9=22}?=", { k: "é" }],
    ["raw Latin-1", '{"k":"\u00c3\u00a9"}', { k: "é" }],
    ["SES's", '{"kms_cmk_id":"arn","aws:ses-message-id":"m"}', { kms_cmk_id: "arn", "aws:ses-message-id": "m" }],
    ["not JSON", "owner", undefined],
  ];
  for (const [what, matdesc, map] of descriptions) {
    it(`${map === undefined ? "refuses" : "reads"} a description that is ${what}`, () => {
      const stored = matdesc === undefined ? {} : { "x-amz-matdesc": matdesc };
      for (const metadata of [V1, V2, { ...V2, "x-amz-wrap-alg": "kms" }]) {
        const object = { ...without(metadata, "x-amz-matdesc"), ...stored };
        if (map === undefined) refused("malformed-envelope", () => read(object));
        else expect({ ...read(object).encryptedDataKey.description }).to.deep.equal(map);
      }
    });
  }

  for (const [what, matdesc, unknown] of [
    ["an empty array", "[]", undefined],
    ["not of strings", '{"version":2}', '{"version":2}'],
    ["a string", '"prod"', '"prod"'],
  ] as const) {
    it(`reads a description that is ${what} beside a raw wrap, and refuses it as a context (1.9)`, () => {
      for (const metadata of [V1, V2]) {
        const { description } = read({ ...metadata, "x-amz-matdesc": matdesc }).encryptedDataKey;
        expect(Object.keys(description)).to.have.length(0);
        expect(unknownDescriptionText(description)).to.equal(unknown);
      }
      for (const wrap of ["kms", "kms+context"]) {
        refused("malformed-envelope", () => read({ ...V2, "x-amz-wrap-alg": wrap, "x-amz-matdesc": matdesc }));
      }
    });
  }

  it("refuses a kms+context object that was relabelled kms, and takes the same entry for data elsewhere (S9)", () => {
    const object = { ...V2, "x-amz-matdesc": '{"aws:x-amz-cek-alg":"AES/GCM/NoPadding"}' };
    refused("malformed-envelope", () => read({ ...object, "x-amz-wrap-alg": "kms" }));
    for (const wrap of ["kms+context", "AES/GCM"]) {
      expect(read({ ...object, "x-amz-wrap-alg": wrap }).encryptedDataKey.description).to.have.property(
        "aws:x-amz-cek-alg",
      );
    }
  });

  const lengths: [stated: string, length: number | undefined][] = [
    ["1000", 1000],
    ["0", 0],
    ["", undefined],
    ["-1", undefined],
    ["1e3", undefined],
    ["99999999999999999999", undefined],
  ];
  for (const [stated, length] of lengths) {
    it(`reads a stated length of "${stated}" as ${length ?? "nothing"}`, () => {
      const envelope = read({ ...V2, "x-amz-unencrypted-content-length": stated });
      expect(envelope.statedPlaintextLength).to.equal(length);
      const inFile = classifyEnvelope({ "x-amz-unencrypted-content-length": stated });
      if (inFile.placement === "metadata") throw new Error("Expected an instruction file.");
      const text = JSON.stringify(V2);
      expect(inFile.complete({ text, suffix: ".instruction" }).statedPlaintextLength).to.equal(length);
    });
  }

  it("are about the same content when suite and IV are the same, whatever the format calls it", () => {
    const content = (metadata: Metadata) => readUncommittedContent(new Map(Object.entries(metadata)));
    expect(isSameContent(content(V1), content(CBC))).to.equal(true);
    expect(isSameContent(content(V1), { ...content(V1), iv: Buffer.alloc(16, 2) })).to.equal(false);
    expect(isSameContent(content(V1), { ...content(V1), suite: content(V2).suite })).to.equal(false);
  });
});
