import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import {
  createDataKey,
  type DecryptionMaterials,
  defineWrapAlgorithm,
  type EncryptedDataKey,
  type EncryptionMaterials,
  importDataKey,
  type Keyring,
  lendDataKey,
  stringMap,
  type WrapAlgorithm,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";

const WRAP = defineWrapAlgorithm({ name: "bench:aes-gcm/v1" });
const IV = 12;
const TAG = 16;

/** Wraps under a key of this run only. It protects nothing. */
export class WrappingKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[] = [WRAP];
  readonly #key: KeyObject = createSecretKey(randomBytes(32));

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    const dataKey = createDataKey(materials.suite);
    const iv = randomBytes(IV);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv, { authTagLength: TAG });
    const ciphertext = await lendDataKey(dataKey, (bytes) =>
      Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]),
    );
    return withEncryptedDataKey(withDataKey(materials, dataKey), {
      wrapAlgorithm: WRAP,
      ciphertext,
      description: stringMap([]),
    });
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    [mine]: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    if (mine === undefined) return null;
    const { ciphertext } = mine;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, ciphertext.subarray(0, IV), { authTagLength: TAG });
    decipher.setAuthTag(ciphertext.subarray(-TAG));
    const dataKey = Buffer.concat([decipher.update(ciphertext.subarray(IV, -TAG)), decipher.final()]);
    return withDataKey(materials, importDataKey(dataKey));
  }
}
