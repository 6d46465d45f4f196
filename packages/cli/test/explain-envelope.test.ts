import { type EnvelopeInspection, S3Format } from "@s3ec/format-s3";
import { expect } from "chai";
import { explainEnvelope } from "../dist/explain-envelope.js";

const bytes = (length: number): string => Buffer.alloc(length, 9).toString("base64");

async function inspected(metadata: Record<string, string>): Promise<EnvelopeInspection> {
  const siblings = { read: async () => undefined };
  return (await new S3Format().inspect({ metadata, storedLength: 160, siblings })) as EnvelopeInspection;
}

const v2 = (
  wrap: string | undefined,
  content: string,
  matdesc: object = {},
  keyLength = 60,
): Record<string, string> => ({
  "x-amz-key-v2": bytes(keyLength),
  "x-amz-iv": bytes(content.includes("GCM") ? 12 : 16),
  "x-amz-matdesc": JSON.stringify(matdesc),
  "x-amz-cek-alg": content,
  ...(wrap === undefined ? {} : { "x-amz-wrap-alg": wrap }),
});
const v1 = (keyLength: number): Record<string, string> => ({
  "x-amz-key": bytes(keyLength),
  "x-amz-iv": bytes(16),
  "x-amz-matdesc": "{}",
});
const v3 = (code: string): Record<string, string> => ({
  "x-amz-3": bytes(60),
  "x-amz-w": code,
  "x-amz-c": "115",
  "x-amz-d": bytes(28),
  "x-amz-i": bytes(28),
});
const GCM = "AES/GCM/NoPadding";
const CBC = "AES/CBC/PKCS5Padding";

const POLICY = "commitmentPolicy: REQUIRE_ENCRYPT_ALLOW_DECRYPT";
const CONTENT = "enableLegacyUnauthenticatedModes: true";
const WRAP = "enableLegacyWrappingAlgorithms: true";

const CASES: readonly [name: string, metadata: Record<string, string>, writers: RegExp, switches: readonly string[]][] =
  [
    ["V3 KMS", v3("12"), /current generation \(Java 4, .*Python\)/, []],
    ["V3 RSA", v3("22"), /current generation \(Java 4, \.NET 4, Ruby V3\)/, []],
    ["V2 kms+context", v2("kms+context", GCM, { "aws:x-amz-cek-alg": GCM }), /previous generation .*PHP V2/, [POLICY]],
    ["V2 AES/GCM", v2("AES/GCM", GCM), /previous generation .*C\+\+ V2/, [POLICY]],
    ["V2 kms", v2("kms", GCM, { kms_cmk_id: "x" }), /Java SDK v1 \(Auth.*Go s3crypto V1/, [POLICY, WRAP]],
    ["SES", v2("kms", GCM, { kms_cmk_id: "x", "aws:ses-rule-name": "r" }), /Amazon SES/, [POLICY, WRAP]],
    ["V2 AESWrap", v2("AESWrap", GCM, {}, 40), /Java SDK v1 .* or C\+\+ V1/, [POLICY, WRAP]],
    ["V2 OAEP-SHA256", v2("RSA/ECB/OAEPWithSHA-256AndMGF1Padding", GCM, {}, 256), /Java SDK v1/, [POLICY, WRAP]],
    ["V2 without a wrap's name", v2(undefined, GCM, {}, 256), /crypto provider lacked/, [POLICY, WRAP]],
    ["CBC kms", v2("kms", CBC, { kms_cmk_id: "x" }), /EncryptionOnly mode, \.NET V1/, [POLICY, CONTENT, WRAP]],
    ["CBC AESWrap", v2("AESWrap", CBC, {}, 40), /C\+\+ V1/, [POLICY, CONTENT, WRAP]],
    ["CBC AES/GCM", v2("AES/GCM", CBC), /Java 4 re-encrypting/, [POLICY, CONTENT]],
    ["V1 RSA", v1(256), /oldest generation: .*Ruby V1\.$/, [POLICY, CONTENT, WRAP]],
    ["V1 AES", v1(48), /Redshift or Snowflake/, [POLICY, CONTENT, WRAP]],
  ];

describe("explainEnvelope (docs/formats.md 2)", () => {
  for (const [name, metadata, writers, switches] of CASES) {
    it(`says who writes ${name}, what is weak, what opens it and how to move on`, async () => {
      const explanation = explainEnvelope(await inspected(metadata));
      expect(explanation.writers).to.match(writers);
      expect(explanation.switches).to.deep.equal(switches);
      expect(explanation.weaknesses.length > 0).to.equal(switches.length > 0);
      if (switches.length === 0) expect(explanation.movingOn).to.equal(null);
      else expect(explanation.movingOn).to.contain("s3ec migrate");
      const weaknesses = explanation.weaknesses.join(" ");
      expect(weaknesses.includes("CBC")).to.equal(switches.includes(CONTENT));
      expect(weaknesses.includes("CVE-2020-8912")).to.equal(switches.includes(WRAP));
    });
  }

  it("knows .NET's first client by its instruction file", async () => {
    const inFile = { ...(await inspected(v1(48))), instructionFileSuffix: "INSTRUCTION_SUFFIX" };
    expect(explainEnvelope(inFile).writers).to.match(/\.NET client \(V1\)/);
  });
});
