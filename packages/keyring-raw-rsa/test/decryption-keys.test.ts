import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { COMMITTING_GCM, type StringMap } from "@s3ec/envelope";
import type { EncryptionMaterials } from "@s3ec/materials";
import { forWriting, opens, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { RawRsaKeyring, type RawRsaKeyringOptions } from "../dist/index.js";
import { PRIVATE_KEY } from "./known-wraps.js";
import { PUBLIC_KEY } from "./raw-rsa.js";

const OLD = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const OLDER = generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey;

const rotated = (more: Partial<RawRsaKeyringOptions> = {}): RawRsaKeyring =>
  new RawRsaKeyring({
    privateKey: PRIVATE_KEY,
    materialDescription: { key: "new" },
    decryptionKeys: [
      { privateKey: OLD, materialDescription: { key: "old", team: "a" } },
      { privateKey: OLDER, materialDescription: {} },
    ],
    ...more,
  });

async function written(privateKey: KeyObject, materialDescription: StringMap): Promise<EncryptionMaterials> {
  return await new RawRsaKeyring({ privateKey }).onEncrypt(forWriting(COMMITTING_GCM, { materialDescription }));
}

describe("decryptionKeys", () => {
  it("are selected by the exact description, in any order of its entries", async () => {
    for (const [key, description] of [
      [OLD, { key: "old", team: "a" }],
      [OLD, { team: "a", key: "old" }],
      [OLDER, {}],
      [PRIVATE_KEY, { key: "new" }],
      [PRIVATE_KEY, { key: "old" }],
      [PRIVATE_KEY, { key: "old", team: "a", more: "" }],
    ] as const) {
      expect(await opens(rotated(), await written(key, description))).to.equal(true);
    }
  });

  it("are the only key tried when selected, and not tried otherwise", async () => {
    for (const [key, description] of [
      [PRIVATE_KEY, { key: "old", team: "a" }],
      [OLD, { key: "old" }],
      [OLD, {}],
    ] as const) {
      const materials = await written(key, description);
      await refusal("decryption-failed", () => opens(rotated(), materials));
    }
  });

  it("never write, nor lend their description to what does", async () => {
    const own = await rotated().onEncrypt(forWriting(COMMITTING_GCM));
    expect(own.encryptedDataKeys[0]?.description).to.deep.equal({ key: "new" });
    expect(await opens(new RawRsaKeyring({ privateKey: PRIVATE_KEY }), own)).to.equal(true);
    for (const materialDescription of [{ team: "a", key: "old" }, {}]) {
      await refusal("invalid-argument", () => rotated().onEncrypt(forWriting(COMMITTING_GCM, { materialDescription })));
    }
  });

  it("have descriptions of their own, of strings", async () => {
    const key = { privateKey: OLD, materialDescription: { key: "new" } };
    await refusal("invalid-configuration", () => rotated({ decryptionKeys: [key] }));
    await refusal("invalid-configuration", () => rotated({ materialDescription: {}, decryptionKeys: [key, key] }));
    const materialDescription = { key: 1 } as unknown as StringMap;
    await refusal("invalid-argument", () => rotated({ decryptionKeys: [{ ...key, materialDescription }] }));
    await refusal("invalid-argument", () => rotated({ materialDescription }));
  });

  it("read for a keyring that otherwise only writes", async () => {
    const decryptionKeys = [{ privateKey: OLD, materialDescription: { a: "1" } }];
    const keyring = new RawRsaKeyring({ publicKey: PUBLIC_KEY, decryptionKeys });
    expect(await opens(keyring, await written(OLD, { a: "1" }))).to.equal(true);
    const own = await keyring.onEncrypt(forWriting(COMMITTING_GCM));
    await refusal("no-matching-key", () => opens(keyring, own));
  });
});
