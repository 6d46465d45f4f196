import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import {
  type DecryptionMaterials,
  decryptionFailed,
  defineWrapAlgorithm,
  type EncryptedDataKey,
  type EncryptionMaterials,
  importDataKey,
  isSameWrapAlgorithm,
  type Keyring,
  type WrapAlgorithm,
  withDataKey,
  withWrappedDataKey,
} from "@s3ec/materials";

/** A keyring as somebody outside writes it: it knows its wrap and the binding, and nothing of formats. */
export class ThirdPartyKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  /** How often it was asked to unwrap. */
  unwraps = 0;
  readonly #key: KeyObject = createSecretKey(randomBytes(32));

  constructor(name = "acme:vault/v1") {
    this.wrapAlgorithms = [defineWrapAlgorithm({ name })];
  }

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv).setAAD(Buffer.from(materials.algorithmBinding));
    const [wrapAlgorithm] = this.wrapAlgorithms;
    if (wrapAlgorithm === undefined) throw new Error("It has one.");
    const description = materials.materialDescription ?? {};
    return await withWrappedDataKey(materials, (bytes) => {
      const ciphertext = Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
      return { wrapAlgorithm, ciphertext, description };
    });
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    const mine = encryptedDataKeys.find((key) =>
      this.wrapAlgorithms.some((wrap) => isSameWrapAlgorithm(wrap, key.wrapAlgorithm)),
    );
    if (mine === undefined) return null;
    this.unwraps++;
    const { ciphertext } = mine;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, ciphertext.subarray(0, 12));
    decipher.setAAD(Buffer.from(materials.algorithmBinding)).setAuthTag(ciphertext.subarray(-16));
    try {
      return withDataKey(
        materials,
        importDataKey(Buffer.concat([decipher.update(ciphertext.subarray(12, -16)), decipher.final()])),
      );
    } catch {
      throw decryptionFailed();
    }
  }
}
