import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import { classifyEnvelope } from "../dist/read-envelope.js";
import { COMMITMENT, MESSAGE_ID } from "./known-answers.js";
import { base64, type Metadata, V3, V3_ON_OBJECT } from "./stored-objects.js";

const read = (metadata: Metadata) => {
  const classified = classifyEnvelope(metadata);
  if (classified.placement !== "metadata") throw new Error("Expected the whole envelope in the metadata.");
  return classified.envelope;
};

describe("format V3", () => {
  it("reads the commitment, the message id and the binding", () => {
    const envelope = read(V3);
    if (envelope.format !== "V3") throw new Error("Expected V3.");
    expect(Buffer.from(envelope.commitment)).to.deep.equal(COMMITMENT);
    expect(Buffer.from(envelope.messageId)).to.deep.equal(MESSAGE_ID);
    expect(envelope).to.include({ algorithmBinding: "115", placement: "metadata" });
    expect(envelope.suite.name).to.equal("ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY");
  });

  const wrong: [name: string, values: string[]][] = [
    ["x-amz-c", ["0115", " 115", "115 ", "114", "116", "112", "0x73", "AES/GCM/NoPadding"]],
    ["x-amz-w", ["01", "11", "21", "kms", "kms+context", "2", "2 ", "AES/GCM", "null"]],
    ["x-amz-d", [20, 27, 29, 40].map((length) => base64(Buffer.alloc(length, 1)))],
    ["x-amz-i", [12, 27, 29].map((length) => base64(Buffer.alloc(length, 1)))],
  ];
  for (const [name, values] of wrong) {
    for (const value of values) {
      it(`refuses ${name} of ${JSON.stringify(value)} (S9, S15, H26)`, () => {
        refused("malformed-envelope", () => classifyEnvelope({ ...V3, [name]: value }));
      });
      if (name === "x-amz-w") continue;
      it(`refuses it before any instruction file is fetched: ${name} of ${JSON.stringify(value)}`, () => {
        refused("malformed-envelope", () => classifyEnvelope({ ...V3_ON_OBJECT, [name]: value }));
      });
    }
  }

  const both = { "x-amz-m": '{"from":"m"}', "x-amz-t": '{"from":"t"}' };
  const described: [code: string, wrap: string, from: string][] = [
    ["02", "AES/GCM", "m"],
    ["22", "RSA-OAEP-SHA1", "m"],
    ["12", "kms+context", "t"],
  ];
  for (const [code, wrap, from] of described) {
    it(`reads wrap ${code} with the map of x-amz-${from}, whatever the other one holds (H4)`, () => {
      const { encryptedDataKey } = read({ ...V3, ...both, "x-amz-w": code });
      expect(encryptedDataKey.wrapAlgorithm).to.include({ name: wrap, legacy: false });
      expect({ ...encryptedDataKey.description }).to.deep.equal({ from });
      const other = from === "m" ? "x-amz-t" : "x-amz-m";
      expect(read({ ...V3, "x-amz-w": code, [other]: "no JSON" }).encryptedDataKey.description).to.be.empty;
      refused("malformed-envelope", () => read({ ...V3, "x-amz-w": code, [`x-amz-${from}`]: "no JSON" }));
    });
  }
});
