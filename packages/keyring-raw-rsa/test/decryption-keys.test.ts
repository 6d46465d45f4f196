import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { COMMITTING_GCM, type StringMap } from "@s3ec/envelope";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { RawRsaKeyring, type RawRsaKeyringOptions } from "../dist/index.js";
import { forReading, forWriting, PRIVATE_KEY } from "./known-wraps.js";
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

async function written(privateKey: KeyObject, materialDescription: StringMap) {
  const keyring = new RawRsaKeyring({ privateKey });
  const { dataKey, encryptedDataKeys } = await keyring.onEncrypt(forWriting(COMMITTING_GCM, { materialDescription }));
  return { dataKey: dataKey?.export(), encryptedDataKeys };
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
      const { dataKey, encryptedDataKeys } = await written(key, description);
      const materials = await rotated().onDecrypt(forReading(COMMITTING_GCM), encryptedDataKeys);
      expect(materials?.dataKey?.export()).to.deep.equal(dataKey);
    }
  });

  it("are the only key tried when selected, and not tried otherwise", async () => {
    for (const [key, description] of [
      [PRIVATE_KEY, { key: "old", team: "a" }],
      [OLD, { key: "old" }],
      [OLD, {}],
    ] as const) {
      const { encryptedDataKeys } = await written(key, description);
      await refusal("decryption-failed", () => rotated().onDecrypt(forReading(COMMITTING_GCM), encryptedDataKeys));
    }
  });

  it("never write, nor lend their description to what does", async () => {
    const own = await rotated().onEncrypt(forWriting(COMMITTING_GCM));
    expect(own.encryptedDataKeys[0]?.description).to.deep.equal({ key: "new" });
    const reader = new RawRsaKeyring({ privateKey: PRIVATE_KEY });
    expect(await reader.onDecrypt(forReading(COMMITTING_GCM), own.encryptedDataKeys)).to.have.property("dataKey");
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
    const { dataKey, encryptedDataKeys } = await written(OLD, { a: "1" });
    const materials = await keyring.onDecrypt(forReading(COMMITTING_GCM), encryptedDataKeys);
    expect(materials?.dataKey?.export()).to.deep.equal(dataKey);
    const own = await keyring.onEncrypt(forWriting(COMMITTING_GCM));
    await refusal("no-matching-key", () => keyring.onDecrypt(forReading(COMMITTING_GCM), own.encryptedDataKeys));
  });
});
