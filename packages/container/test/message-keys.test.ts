import { COMMITTED } from "@s3ec/format-aws-message";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { DefaultMaterialsManager, type MaterialsManager } from "@s3ec/materials";
import { expect } from "chai";
import { createFromConfig, explainConfiguration } from "../dist/index.js";
import { escrowPair } from "./fixture.js";

const base64 = (bytes: Uint8Array | string): { readonly base64: string } => ({
  base64: Buffer.from(bytes).toString("base64"),
});
const KEY = Buffer.alloc(32, 1);
const OLD_KEY = Buffer.alloc(32, 2);
const messageKey = { namespace: "orders", name: "2027" };
const oldMessageKey = { namespace: "orders", name: "2026" };
const aes = {
  type: "raw-aes",
  wrappingKey: base64(KEY),
  messageKey,
  decryptionKeys: [{ wrappingKey: base64(OLD_KEY), messageKey: oldMessageKey }],
};
const common = {
  suite: COMMITTED,
  algorithmBinding: COMMITTED.storedName,
  commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
  encryptionContext: { tenant: "a" },
} as const;

async function opens(writer: MaterialsManager, reader: MaterialsManager): Promise<boolean> {
  const { dataKey, encryptedDataKeys } = await writer.getEncryptionMaterials(common);
  return (await reader.getDecryptionMaterials({ ...common, encryptedDataKeys })).dataKey.equals(dataKey);
}

async function withManager<Result>(
  keyring: object,
  use: (manager: MaterialsManager) => Promise<Result>,
  client: object = {},
) {
  const assembly = await createFromConfig({ keyring, client }, { s3: { region: "us-west-2" } });
  try {
    return await use(assembly.materialsManager);
  } finally {
    await assembly.dispose();
  }
}

describe("a raw key's name in messages", () => {
  it("selects the key, or a former one", async () => {
    await withManager(aes, async (manager) => {
      for (const options of [
        { wrappingKey: KEY, messageKey },
        { wrappingKey: OLD_KEY, messageKey: oldMessageKey },
      ]) {
        expect(await opens(new DefaultMaterialsManager(new RawAesKeyring(options)), manager)).to.equal(true);
      }
    });
  });

  it("goes with a digest for RSA", async () => {
    const escrow = { namespace: "escrow", name: "rsa" };
    const writer = { type: "raw-rsa", publicKey: base64(escrowPair.publicKey), messageKey: escrow, oaepHash: "sha512" };
    const reader = { ...writer, publicKey: undefined, privateKey: base64(escrowPair.privateKey) };
    await withManager(JSON.parse(JSON.stringify(reader)), async (reading) => {
      expect(await withManager(writer, (writing) => opens(writing, reading))).to.equal(true);
      const other = { ...writer, oaepHash: "sha1" };
      const error: unknown = await withManager(other, (writing) => opens(writing, reading)).catch((reason) => reason);
      expect(error).to.have.property("code", "decryption-failed");
    });
  });

  it("makes children of a multi-keyring need no suffix, where messages are written", async () => {
    const escrow = { namespace: "escrow", name: "rsa" };
    const rsa = { type: "raw-rsa", publicKey: base64(escrowPair.publicKey), messageKey: escrow };
    const multi = { type: "multi", generator: aes, children: [{ keyring: rsa }] };
    const check = async (manager: MaterialsManager) => {
      const { encryptedDataKeys } = await manager.getEncryptionMaterials(common);
      expect(encryptedDataKeys.map(({ wrapAlgorithm }) => wrapAlgorithm.name)).to.deep.equal(["orders", "escrow"]);
    };
    await withManager(multi, check, { formats: [{ type: "aws-message" }, { type: "s3" }] });
    const nested = { type: "multi", generator: multi, children: [{ keyring: aes, instructionFileSuffix: ".a" }] };
    for (const [keyring, path] of [
      [multi, "keyring.children[0].instructionFileSuffix: expected a suffix"],
      [nested, "keyring.generator.children[0].instructionFileSuffix: expected a suffix"],
    ] as const) {
      const error: unknown = await withManager(keyring, check).catch((reason: unknown) => reason);
      expect(error).to.have.property("code", "invalid-configuration");
      expect(error).to.have.property("message").that.includes(path);
    }
  });

  for (const [what, client, text] of [
    ["an unknown format", { formats: [{ type: "other" }] }, /client\.formats\[0\]\.type: /],
    ["a frame of no length", { formats: [{ type: "aws-message", frameLength: 0 }] }, /formats\[0\]\.frameLength: /],
    [
      "a frame longer than is read",
      { formats: [{ type: "aws-message", frameLength: 20_000_000 }] },
      /client\.formats\[0\]: .*frameLength/,
    ],
    ["no format at all", { formats: [] }, /client\.formats: /],
  ] as const) {
    it(`is of no use with ${what}`, async () => {
      const error: unknown = await withManager(aes, async () => undefined, client).catch((reason: unknown) => reason);
      expect(error).to.have.property("code", "invalid-configuration");
      expect(error).to.have.property("message").that.matches(text);
    });
  }

  it("is explained", async () => {
    const { readers, reads } = await explainConfiguration({ keyring: aes });
    expect(readers).to.deep.equal(["With the AES-256 key called 2027 of orders in messages: whoever holds this key."]);
    expect(reads).to.deep.equal([
      "What is wrapped with the AES-256 key called 2027 of orders in messages.",
      "What is wrapped with a former AES key called 2026 of orders in messages.",
    ]);
    const both = { ...aes, materialDescription: { year: "2027" }, decryptionKeys: [] };
    expect((await explainConfiguration({ keyring: both })).reads).to.deep.equal([
      "What is wrapped with the AES-256 key described as year=2027, called 2027 of orders in messages.",
    ]);
  });

  for (const [what, keyring, text] of [
    ["a part", { ...aes, messageKey: { namespace: "orders" } }, /keyring\.messageKey\.name: /],
    ["more than two parts", { ...aes, messageKey: { ...messageKey, id: "x" } }, /keyring\.messageKey\.id: /],
    ["an empty part", { ...aes, messageKey: { ...messageKey, name: "" } }, /keyring\.messageKey\.name: /],
    ["KMS's own namespace", { ...aes, messageKey: { ...messageKey, namespace: "aws-kms" } }, /keyring: .*reserved/],
    ["a former key's name", { ...aes, messageKey: oldMessageKey }, /keyring: Give the keyring and each/],
    ["no name for a former key", { ...aes, decryptionKeys: [{ wrappingKey: base64(KEY) }] }, /keyring: Give each of/],
    [
      "an unknown digest",
      { type: "raw-rsa", publicKey: base64(escrowPair.publicKey), messageKey, oaepHash: "md5" },
      /keyring\.oaepHash: /,
    ],
  ] as const) {
    it(`is refused where it is ${what}`, async () => {
      const error: unknown = await withManager(keyring, async () => undefined).catch((reason: unknown) => reason);
      expect(error).to.have.property("code", "invalid-configuration");
      expect(error).to.have.property("message").that.matches(text);
    });
  }
});
