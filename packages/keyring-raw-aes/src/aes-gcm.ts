import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { assertHasCipher } from "@s3ec/envelope";
import type { AesGcm } from "@s3ec/materials";

const TAG = 16;

/** AES-GCM with a key that this process holds. */
export const GCM: AesGcm<KeyObject> = {
  encrypt(key, iv, aad, data) {
    const cipher = createCipheriv(cipherName(key), key, iv, { authTagLength: TAG });
    cipher.setAAD(aad);
    return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
  },
  decrypt(key, iv, aad, sealed) {
    const decipher = createDecipheriv(cipherName(key), key, iv, { authTagLength: TAG });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(-TAG));
    const data = decipher.update(sealed.subarray(0, -TAG));
    try {
      decipher.final();
      return data;
    } catch {
      data.fill(0);
      return undefined;
    }
  },
};

function cipherName(key: KeyObject): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" {
  switch (key.symmetricKeySize) {
    case 16:
      return "aes-128-gcm";
    case 24:
      assertHasCipher("aes-192-gcm");
      return "aes-192-gcm";
    default:
      return "aes-256-gcm";
  }
}
