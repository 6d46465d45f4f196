import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { explainConfiguration } from "../dist/index.js";

describe("the warnings of explainConfiguration", () => {
  const aes = { type: "raw-aes", wrappingKey: { base64: Buffer.alloc(32, 7).toString("base64") } };
  const kms = { type: "kms", keyId: "alias/app" };
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ type: "pkcs8", format: "der" });
  const weakRsa = { type: "raw-rsa", privateKey: { base64: weak.toString("base64") }, enableWeakKeysForReading: true };
  const caching = { type: "caching", maxAgeMs: 1000 };

  async function explained(
    configuration: object,
  ): Promise<Record<"warnings" | "written" | "refused" | "reads", string>> {
    const { warnings, written, refused, reads } = await explainConfiguration(configuration);
    return {
      warnings: warnings.join("\n"),
      written: written.join("\n"),
      refused: refused.join("\n"),
      reads: reads.join("\n"),
    };
  }

  it("are none for what is sound", async () => {
    for (const keyring of [
      kms,
      aes,
      { type: "multi", generator: kms, children: [{ keyring: aes, instructionFileSuffix: ".a" }] },
    ]) {
      expect((await explained({ keyring, materialsManager: caching })).warnings).to.equal("");
    }
  });

  it("tell what unauthenticated modes give out, and nothing else says that it is refused", async () => {
    for (const [more, first] of [
      [
        {},
        /^Altered objects, before a byte of them is given out; but alterations of CBC content and of byte ranges go unnoticed/m,
      ],
      [
        { enableDelayedAuthenticationMode: true },
        /^Altered objects, but only at the end of their stream.* go unnoticed/m,
      ],
    ] as const) {
      const { warnings, refused } = await explained({
        keyring: kms,
        client: { enableLegacyUnauthenticatedModes: true, ...more },
      });
      expect(refused).to.match(first);
      expect(warnings).to.match(/^client\.enableLegacyUnauthenticatedModes is on: /);
    }
  });

  for (const [name, generator, child, path] of [
    [
      "a child",
      kms,
      { type: "kms-discovery", discoveryFilter: { partition: "aws", accountIds: ["111122223333"] } },
      "children[0].keyring",
    ],
    [
      "a child without a generator",
      kms,
      { type: "multi", children: [{ keyring: aes, instructionFileSuffix: ".b" }] },
      "children[0].keyring",
    ],
    ["a child whose key is weak", kms, weakRsa, "children[0].keyring"],
    [
      "a generator",
      { type: "kms-discovery", discoveryFilter: { partition: "aws", accountIds: ["111122223333"] } },
      aes,
      "generator",
    ],
  ] as const) {
    it(`tell that writing fails for ${name} that cannot write`, async () => {
      const keyring = { type: "multi", generator, children: [{ keyring: child, instructionFileSuffix: ".a" }] };
      const { warnings, written } = await explained({ keyring });
      expect(warnings.split("\n")[0]).to.equal(
        `keyring.${path} can only read: every write fails for want of its wrap.`,
      );
      expect(written).to.equal(`Nothing: keyring.${path} can only read.`);
    });
  }

  it("tell of caching that cannot cache", async () => {
    const policy = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" };
    for (const [materialsManager, client, words] of [
      [caching, policy, /^materialsManager saves nothing when objects are written/],
      [{ ...caching, maxMessages: 1 }, {}, /^materialsManager\.maxMessages is 1: /],
      [{ ...caching, manager: caching }, {}, /^materialsManager caches what another caching manager/],
      [
        { type: "required-context", requiredContextKeys: ["a"], manager: caching },
        policy,
        /^materialsManager\.manager saves nothing/,
      ],
    ] as const) {
      expect((await explained({ keyring: kms, materialsManager, client })).warnings).to.match(words);
    }
  });

  it("tell of discovery without a filter, and of switches that give up a protection, at any depth", async () => {
    const generator = { ...aes, enableCbcRewrapBoundToGcm: true };
    const keyring = {
      type: "multi",
      generator,
      children: [{ keyring: { type: "kms-discovery" }, instructionFileSuffix: ".a" }],
    };
    const { warnings } = await explained({ keyring });
    expect(warnings).to.match(/^keyring\.generator\.enableCbcRewrapBoundToGcm is on: /m);
    expect(warnings).to.match(/^keyring\.children\[0\]\.keyring takes whichever KMS key .*discoveryFilter\.$/m);
    for (const [field, part] of [
      ["enableUnpaddedRsa", { ...weakRsa, enableUnpaddedRsa: true }],
      ["enableWeakKeysForReading", weakRsa],
      ["acceptUnstoredContext", { ...kms, acceptUnstoredContext: true }],
    ] as const) {
      expect((await explained({ keyring: part })).warnings).to.match(new RegExp(`^keyring\\.${field} is on: `, "m"));
    }
  });

  it("leave it to the reads to say that a child's wrap is read where its file is named", async () => {
    const keyring = { type: "multi", generator: kms, children: [{ keyring: aes, instructionFileSuffix: ".a" }] };
    expect((await explained({ keyring })).reads).to.match(
      /^What is wrapped with the AES-256 key, in objects of which a call names the instruction file "\.a"\.$/m,
    );
    const named = { keyring, client: { instructionFileConfig: { suffix: ".a" } } };
    expect((await explained(named)).reads).to.match(
      /^What is wrapped with the AES-256 key, looked for at the object's key plus "\.a"\.$/m,
    );
  });
});
