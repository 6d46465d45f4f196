import {
  constants,
  createCipheriv,
  createHmac,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { wrapRfc3394 } from "@s3ec/test-support";

// Objects as other writers lay them out, made from the primitives alone, so that none of our own code marks itself.

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

export function gcm(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array, aad = ""): Buffer {
  const bits = key.length === 16 ? "128" : "256";
  const cipher = createCipheriv(`aes-${bits}-gcm`, key, iv).setAAD(Buffer.from(aad, "latin1"));
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

export function cbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, iv);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

/** The wraps of docs/formats.md 1.4. */
export const wrap = {
  aesGcm(kek: Uint8Array, dataKey: Uint8Array, binding: string, nonce: Uint8Array = randomBytes(12)): Buffer {
    return Buffer.concat([nonce, gcm(kek, nonce, dataKey, binding)]);
  },
  aesWrap: wrapRfc3394,
  aesEcb(kek: Uint8Array, dataKey: Uint8Array): Buffer {
    const cipher = createCipheriv(`aes-${kek.length * 8}-ecb`, kek, null);
    return Buffer.concat([cipher.update(dataKey), cipher.final()]);
  },
  rsaPkcs1(key: KeyObject, dataKey: Uint8Array): Buffer {
    return publicEncrypt({ key: createPublicKey(key), padding: constants.RSA_PKCS1_PADDING }, dataKey);
  },
  rsaOaepSha1(key: KeyObject, dataKey: Uint8Array, binding: string): Buffer {
    const payload = Buffer.concat([Buffer.of(dataKey.length), dataKey, Buffer.from(binding, "utf8")]);
    return publicEncrypt({ key: createPublicKey(key), oaepHash: "sha1" }, payload);
  },
};

/** A committed body with the two fields that go with it (1.3), over HKDF spelled out by HMAC for the commitment. */
export function committed(
  dataKey: Uint8Array,
  plaintext: Uint8Array,
): { body: Buffer; fields: { "x-amz-c": string; "x-amz-d": string; "x-amz-i": string } } {
  const messageId = randomBytes(28);
  const extracted = createHmac("sha512", messageId).update(dataKey).digest();
  const commitment = createHmac("sha512", extracted).update("\x00\x73COMMITKEY\x01", "latin1").digest().subarray(0, 28);
  const contentKey = Buffer.from(
    hkdfSync("sha512", dataKey, messageId, Buffer.from("\x00\x73DERIVEKEY", "latin1"), 32),
  );
  return {
    body: gcm(contentKey, Buffer.alloc(12, 1), plaintext, "\x00\x73"),
    fields: { "x-amz-c": "115", "x-amz-d": base64(commitment), "x-amz-i": base64(messageId) },
  };
}
