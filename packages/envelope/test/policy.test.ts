import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import { ALGORITHM_SUITES } from "../dist/algorithm-suites.js";
import type { Envelope } from "../dist/envelope.js";
import { assertMayDecrypt, assertMayEncrypt, COMMITMENT_POLICIES, type DecryptionPolicy } from "../dist/policy.js";
import { classifyEnvelope } from "../dist/read-envelope.js";
import { WRAP_ALGORITHMS } from "../dist/wrap-algorithms.js";
import { base64, type Metadata, V1, V2, V3, without, wrapped } from "./stored-objects.js";

const CBC_FIELDS = { "x-amz-iv": base64(Buffer.alloc(16)), "x-amz-cek-alg": "AES/CBC/PKCS5Padding" };
const V2_CBC: Metadata = { ...without(V2, "x-amz-tag-len"), ...CBC_FIELDS };
const as = (metadata: Metadata, wrap: string): Metadata => ({
  ...metadata,
  "x-amz-wrap-alg": wrap,
  "x-amz-matdesc": "{}",
});

function read(metadata: Metadata): Envelope {
  const classified = classifyEnvelope(metadata);
  if (classified.placement !== "metadata") throw new Error("Expected the whole envelope in the metadata.");
  return classified.envelope;
}

/** Every kind of object, and what each of the three gates has to say about it. */
const OBJECTS: [what: string, metadata: Metadata, committing: boolean, cbc: boolean, legacyWrap: string | null][] = [
  ["V3, AES/GCM", V3, true, false, null],
  ["V3, RSA-OAEP-SHA1", { ...V3, "x-amz-w": "22" }, true, false, null],
  ["V3, kms+context", { ...V3, "x-amz-w": "12" }, true, false, null],
  ["V2 GCM, AES/GCM", V2, false, false, null],
  ["V2 GCM, RSA-OAEP-SHA1", as(V2, "RSA-OAEP-SHA1"), false, false, null],
  ["V2 GCM, kms+context", as(V2, "kms+context"), false, false, null],
  ["V2 GCM, kms (SES)", as(V2, "kms"), false, false, "kms"],
  ["V2 GCM, AESWrap", as(V2, "AESWrap"), false, false, "AESWrap"],
  [
    "V2 GCM, OAEP-SHA-256",
    as(V2, "RSA/ECB/OAEPWithSHA-256AndMGF1Padding"),
    false,
    false,
    "RSA/ECB/OAEPWithSHA-256AndMGF1Padding",
  ],
  ["V2 GCM, no name", { ...V2, "x-amz-wrap-alg": "", "x-amz-key-v2": wrapped(256) }, false, false, "RSA"],
  ["V2 CBC, AES/GCM", V2_CBC, false, true, null],
  ["V2 CBC, kms+context", as(V2_CBC, "kms+context"), false, true, null],
  ["V2 CBC, kms", as(V2_CBC, "kms"), false, true, "kms"],
  ["V1, AES", V1, false, true, "AES"],
  ["V1, RSA", { ...V1, "x-amz-key": wrapped(256) }, false, true, "RSA"],
];

describe("assertMayDecrypt", () => {
  for (const [what, metadata, committing, cbc, legacyWrap] of OBJECTS) {
    for (const commitmentPolicy of COMMITMENT_POLICIES) {
      for (const content of [false, true]) {
        for (const wrapping of [false, true]) {
          const policy: DecryptionPolicy = {
            commitmentPolicy,
            enableLegacyUnauthenticatedModes: content,
            enableLegacyWrappingAlgorithms: wrapping,
          };
          // The order of docs/formats.md 3.4 item 6.
          const gate =
            commitmentPolicy === "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" && !committing
              ? "commitment-policy"
              : cbc && !content
                ? "legacy content"
                : legacyWrap !== null && !wrapping
                  ? "legacy wrap"
                  : "opens";
          it(`${what}: ${commitmentPolicy}, content ${content ? "on" : "off"}, wraps ${wrapping ? "on" : "off"}: ${gate}`, () => {
            const decide = () => assertMayDecrypt(read(metadata), policy, WRAP_ALGORITHMS);
            if (gate === "opens") return decide();
            const error = refused(gate === "commitment-policy" ? gate : "legacy-disabled", decide);
            // The words that users of the sibling clients search for, and the name of what would open it.
            const words = {
              "commitment-policy": "set commitmentPolicy to REQUIRE_ENCRYPT_ALLOW_DECRYPT to read it",
              "legacy content": "Enable legacy unauthenticated modes to use legacy content decryption: ",
              "legacy wrap": `Enable legacy wrapping algorithms to use legacy key wrapping algorithm: ${legacyWrap}`,
            };
            const option = {
              "commitment-policy": "set commitmentPolicy to ",
              "legacy content": "set enableLegacyUnauthenticatedModes to true",
              "legacy wrap": "set enableLegacyWrappingAlgorithms to true",
            };
            expect(error.message).to.contain(words[gate]).and.to.contain(option[gate]);
          });
        }
      }
    }

    it(`${what}: not with a keyring for other wraps (S6)`, () => {
      const policy: DecryptionPolicy = {
        commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
        enableLegacyUnauthenticatedModes: true,
        enableLegacyWrappingAlgorithms: true,
      };
      const envelope = read(metadata);
      const { name } = envelope.encryptedDataKey.wrapAlgorithm;
      const others = WRAP_ALGORITHMS.filter((wrap) => wrap.name !== name);
      for (const wraps of [others, []]) {
        const error = refused("no-matching-key", () => assertMayDecrypt(envelope, policy, wraps));
        expect(error.message).to.contain(name);
      }
      assertMayDecrypt(envelope, policy, [{ ...envelope.encryptedDataKey.wrapAlgorithm }]);
    });
  }

  it("says the same about an all-zero wrapped key and any other of its length while legacy is off (S6)", () => {
    const policy: DecryptionPolicy = {
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      enableLegacyUnauthenticatedModes: true,
      enableLegacyWrappingAlgorithms: false,
    };
    const messages = [Buffer.alloc(256), Buffer.alloc(256, 0x5a)].map((key) => {
      const envelope = read({ ...V1, "x-amz-key": base64(key) });
      return refused("legacy-disabled", () => assertMayDecrypt(envelope, policy, WRAP_ALGORITHMS)).message;
    });
    expect(messages[0]).to.equal(messages[1]);
  });

  it("allows nothing by a policy or a switch that plain JavaScript got wrong", () => {
    const open: DecryptionPolicy = {
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      enableLegacyUnauthenticatedModes: true,
      enableLegacyWrappingAlgorithms: true,
    };
    const wrong: [change: object, code: "commitment-policy" | "legacy-disabled"][] = [
      [{ commitmentPolicy: undefined }, "commitment-policy"],
      [{ commitmentPolicy: "require_encrypt_allow_decrypt" }, "commitment-policy"],
      [{ enableLegacyUnauthenticatedModes: "false" }, "legacy-disabled"],
      [{ enableLegacyWrappingAlgorithms: "false" }, "legacy-disabled"],
    ];
    for (const [change, code] of wrong) {
      refused(code, () => assertMayDecrypt(read(V1), { ...open, ...change }, WRAP_ALGORITHMS));
    }
  });
});

describe("assertMayEncrypt", () => {
  const allowed: [suite: string, policies: boolean[]][] = [
    ["ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY", [false, true, true]],
    ["ALG_AES_256_GCM_IV12_TAG16_NO_KDF", [true, false, false]],
  ];
  for (const [name, policies] of allowed) {
    for (const [index, policy] of COMMITMENT_POLICIES.entries()) {
      it(`${policies[index] ? "allows" : "refuses"} ${name} under ${policy}`, () => {
        const suite = ALGORITHM_SUITES.find((entry) => entry.name === name);
        if (suite === undefined) throw new Error(name);
        if (policies[index]) assertMayEncrypt(suite, policy);
        else refused("commitment-policy", () => assertMayEncrypt(suite, policy));
      });
    }
  }

  it("refuses CBC under every policy (S1)", () => {
    for (const suite of ALGORITHM_SUITES.filter(({ cipher }) => cipher === "cbc")) {
      for (const policy of COMMITMENT_POLICIES) {
        refused("invalid-configuration", () => assertMayEncrypt(suite, policy));
      }
    }
  });
});
