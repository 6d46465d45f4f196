import { COMMITTING_GCM, type StringMap } from "@s3ec/envelope";
import type { EncryptionMaterials } from "@s3ec/materials";
import { bytes, forWriting, opens, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { RawAesKeyring, type RawAesKeyringOptions } from "../dist/index.js";

const OLD = bytes(0x40, 32);
const OLDER = bytes(0x50, 16);
const NEW = bytes(0x60, 32);

const rotated = (more: Partial<RawAesKeyringOptions> = {}): RawAesKeyring =>
  new RawAesKeyring({
    wrappingKey: NEW,
    materialDescription: { key: "new" },
    decryptionKeys: [
      { wrappingKey: OLD, materialDescription: { key: "old", team: "a" } },
      { wrappingKey: OLDER, materialDescription: {} },
    ],
    ...more,
  });

async function written(wrappingKey: Uint8Array, materialDescription: StringMap): Promise<EncryptionMaterials> {
  return await new RawAesKeyring({ wrappingKey }).onEncrypt(forWriting(COMMITTING_GCM, { materialDescription }));
}

describe("decryptionKeys", () => {
  it("are selected by the exact description, in any order of its entries", async () => {
    for (const [key, description] of [
      [OLD, { key: "old", team: "a" }],
      [OLD, { team: "a", key: "old" }],
      [OLDER, {}],
      [NEW, { key: "new" }],
      [NEW, { key: "old" }],
      [NEW, { key: "old", team: "a", more: "" }],
      [NEW, { unknown: "description" }],
    ] as const) {
      expect(await opens(rotated(), await written(key, description))).to.equal(true);
    }
  });

  it("are the only key tried when selected", async () => {
    const materials = await written(NEW, { key: "old", team: "a" });
    await refusal("decryption-failed", () => opens(rotated(), materials));
  });

  it("are not tried for a description of another shape", async () => {
    for (const description of [
      { key: "old" },
      { key: "old", team: "A" },
      { key: "new" },
      JSON.parse('{"__proto__":"x"}'),
    ]) {
      const materials = await written(OLD, description);
      await refusal("decryption-failed", () => opens(rotated(), materials));
    }
  });

  it("never write", async () => {
    const own = await rotated().onEncrypt(forWriting(COMMITTING_GCM));
    expect(own.encryptedDataKeys[0]?.description).to.deep.equal({ key: "new" });
    const named = await rotated().onEncrypt(forWriting(COMMITTING_GCM, { materialDescription: { order: "7" } }));
    expect(named.encryptedDataKeys[0]?.description).to.deep.equal({ order: "7" });
    for (const materials of [own, named]) {
      expect(await opens(new RawAesKeyring({ wrappingKey: NEW }), materials)).to.equal(true);
    }
  });

  it("refuse to have their description written under another key, which this keyring could not read back", async () => {
    for (const materialDescription of [{ team: "a", key: "old" }, {}]) {
      await refusal("invalid-argument", () => rotated().onEncrypt(forWriting(COMMITTING_GCM, { materialDescription })));
    }
  });

  it("have descriptions of their own", async () => {
    const key = { wrappingKey: OLD, materialDescription: { a: "1", b: "2" } };
    const same = { wrappingKey: NEW, materialDescription: { b: "2", a: "1" } };
    await refusal("invalid-configuration", () => rotated({ decryptionKeys: [key, same] }));
    await refusal("invalid-configuration", () =>
      rotated({ materialDescription: same.materialDescription, decryptionKeys: [key] }),
    );
    await refusal("invalid-configuration", () =>
      rotated({ materialDescription: {}, decryptionKeys: [{ ...key, materialDescription: {} }] }),
    );
  });

  it("and descriptions are checked and copied", async () => {
    for (const wrong of [{ a: 1 }, { a: null }, "text", ["a", 1]]) {
      const materialDescription = wrong as unknown as StringMap;
      await refusal("invalid-argument", () => rotated({ materialDescription }));
      await refusal("invalid-argument", () => rotated({ decryptionKeys: [{ wrappingKey: OLD, materialDescription }] }));
      await refusal("invalid-argument", () => rotated().onEncrypt(forWriting(COMMITTING_GCM, { materialDescription })));
    }
    await refusal("invalid-argument", () =>
      rotated({ decryptionKeys: [{ wrappingKey: bytes(1, 31), materialDescription: { a: "" } }] }),
    );
    const materialDescription = { key: "new" };
    const keyring = rotated({ materialDescription });
    materialDescription.key = "changed";
    const { encryptedDataKeys } = await keyring.onEncrypt(forWriting(COMMITTING_GCM));
    expect(encryptedDataKeys[0]?.description).to.deep.equal({ key: "new" });
    expect(encryptedDataKeys[0]?.description).to.be.frozen;
  });

  it("take no other decision from a description", async () => {
    const materials = await written(NEW, {});
    const description = { "x-amz-wrap-alg": "AESWrap", aes: "x", kms_cmk_id: "y" };
    const encryptedDataKeys = materials.encryptedDataKeys.map((key) => ({ ...key, description }));
    expect(await opens(rotated(), { ...materials, encryptedDataKeys })).to.equal(true);
  });
});
