import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { KmsError } from "./kms-error.js";

/** What a ciphertext is bound to. */
export type EncryptionContext = Readonly<Record<string, string>>;
/** The encryption algorithms of RSA keys, in the names of KMS. */
export type RsaAlgorithm = "RSAES_OAEP_SHA_1" | "RSAES_OAEP_SHA_256";

/** All encryption algorithms of RSA keys. */
export const rsaAlgorithms: readonly RsaAlgorithm[] = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];

const version = 1;
const ivBytes = 12;
const tagBytes = 16;

/** `version(1) keyIdLength(1) keyId iv(12) ciphertext tag(16)`; all before the IV, and the context, are authenticated. */
export function seal(keyId: string, material: Buffer, context: EncryptionContext, plaintext: Buffer): Buffer {
  const header = Buffer.concat([Buffer.of(version, keyId.length), Buffer.from(keyId, "latin1")]);
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", material, iv).setAAD(Buffer.concat([header, canonicalContext(context)]));
  return Buffer.concat([header, iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The id of the key that a blob names, which is all that can be read without it. */
export function keyIdOfBlob(blob: Buffer): string {
  const length = blob[1] ?? 0;
  if (blob[0] !== version || blob.length < 2 + length + ivBytes + tagBytes) throw invalidCiphertext();
  return blob.toString("latin1", 2, 2 + length);
}

/** @throws KmsError `InvalidCiphertextException` for another key, another context and an altered blob alike */
export function unseal(material: Buffer, context: EncryptionContext, blob: Buffer): Buffer {
  const start = 2 + keyIdOfBlob(blob).length;
  const header = blob.subarray(0, start);
  const decipher = createDecipheriv("aes-256-gcm", material, blob.subarray(start, start + ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.concat([header, canonicalContext(context)]))
    .setAuthTag(blob.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(blob.subarray(start + ivBytes, -tagBytes)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

/**
 * Encrypts with the public half of the key.
 * @throws KmsError `ValidationException` for a plaintext that is too long
 */
export function sealRsa(privateKeyPem: string, algorithm: RsaAlgorithm, plaintext: Buffer): Buffer {
  const key = createPublicKey(privateKeyPem);
  const { oaepHash, hashBytes } = oaepOf(algorithm);
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  if (plaintext.length > modulusBytes - 2 * hashBytes - 2)
    throw new KmsError("ValidationException", "The plaintext is too long for this key and encryption algorithm.");
  return publicEncrypt({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, plaintext);
}

/** @throws KmsError `InvalidCiphertextException` whatever is wrong */
export function unsealRsa(privateKeyPem: string, algorithm: RsaAlgorithm, ciphertext: Buffer): Buffer {
  const { oaepHash } = oaepOf(algorithm);
  try {
    const key = createPrivateKey(privateKeyPem);
    return privateDecrypt({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, ciphertext);
  } catch {
    throw invalidCiphertext();
  }
}

/** Equal exactly for equal contexts: pairs in the order of their keys, each text after its length. */
export function canonicalContext(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).map((pair) => pair.map((text) => Buffer.from(text)));
  pairs.sort(([a = Buffer.alloc(0)], [b = Buffer.alloc(0)]) => Buffer.compare(a, b));
  return Buffer.concat(
    pairs.flat().flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      return [length, text];
    }),
  );
}

/** KMS says nothing about what is wrong with a ciphertext, so this has no message either. */
export function invalidCiphertext(): KmsError {
  return new KmsError("InvalidCiphertextException", "");
}

function oaepOf(algorithm: RsaAlgorithm): { oaepHash: string; hashBytes: number } {
  return algorithm === "RSAES_OAEP_SHA_1" ? { oaepHash: "sha1", hashBytes: 20 } : { oaepHash: "sha256", hashBytes: 32 };
}
