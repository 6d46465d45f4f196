import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";
import {
  contextMismatch,
  createDataKey,
  type DecryptionMaterials,
  decryptionFailed,
  defineWrapAlgorithm,
  type EncryptedDataKey,
  type EncryptionMaterials,
  importDataKey,
  isSameStringMap,
  isSameWrapAlgorithm,
  type Keyring,
  lendDataKey,
  type StringMap,
  type WrapAlgorithm,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";

const CONTEXT_WRAP = defineWrapAlgorithm({ name: "reference:context", describedBy: "encryption-context" });

/**
 * A right keyring in its steps, each of which a wrong one overrides: AES-256-GCM under a fixed key, bound to the content
 * algorithm and the context.
 */
export class ReferenceKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[] = [CONTEXT_WRAP];
  readonly #key: Buffer;

  constructor(key: Uint8Array) {
    this.#key = Buffer.from(key);
  }

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    const dataKey = materials.dataKey ?? this.createDataKey(materials);
    const description = materials.encryptionContext;
    const ciphertext = await this.lend(dataKey, (bytes) => this.seal(bytes, this.aad(materials, description)));
    const result = withDataKey(materials, dataKey);
    return withEncryptedDataKey(result, { wrapAlgorithm: CONTEXT_WRAP, ciphertext, description });
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    const own = encryptedDataKeys.find(({ wrapAlgorithm }) => this.isOwn(wrapAlgorithm));
    if (own === undefined) return null;
    this.checkContext(materials, own.description);
    return withDataKey(materials, this.import(this.open(own.ciphertext, this.aad(materials, own.description))));
  }

  createDataKey({ suite }: EncryptionMaterials): KeyObject {
    return createDataKey(suite);
  }

  lend(dataKey: KeyObject, use: (bytes: Uint8Array) => Uint8Array): Promise<Uint8Array> {
    return lendDataKey(dataKey, use);
  }

  import(bytes: Uint8Array): KeyObject {
    return importDataKey(bytes);
  }

  isOwn(wrapAlgorithm: WrapAlgorithm): boolean {
    return isSameWrapAlgorithm(wrapAlgorithm, CONTEXT_WRAP);
  }

  checkContext(materials: DecryptionMaterials, description: StringMap): void {
    if (!isSameStringMap(materials.encryptionContext, description)) throw contextMismatch();
  }

  aad({ algorithmBinding }: DecryptionMaterials | EncryptionMaterials, description: StringMap): string {
    return JSON.stringify([algorithmBinding, ...Object.entries(description).sort()]);
  }

  seal(bytes: Uint8Array, aad: string): Uint8Array {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv).setAAD(Buffer.from(aad));
    return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  /** Right for a ciphertext of any length. */
  open(ciphertext: Uint8Array, aad: string): Uint8Array {
    if (ciphertext.length !== 60) throw decryptionFailed();
    try {
      return this.decipher(ciphertext, aad);
    } catch (cause) {
      throw decryptionFailed(cause);
    }
  }

  decipher(ciphertext: Uint8Array, aad: string): Uint8Array {
    const decipher = createDecipheriv("aes-256-gcm", this.#key, ciphertext.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(aad)).setAuthTag(ciphertext.subarray(44, 60));
    return Buffer.concat([decipher.update(ciphertext.subarray(12, 44)), decipher.final()]);
  }
}
