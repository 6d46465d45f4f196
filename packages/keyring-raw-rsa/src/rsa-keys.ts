import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from "node:crypto";
import { isKeyObject, isUint8Array } from "node:util/types";
import { assertKnownOptions, S3EncryptionError } from "@s3ec/materials";
import { keyKindMistake, rsaKeyMistake, type WantedRsaKey } from "./key-mistakes.js";

/** A private key as PEM or DER, where its encoding has to be said. */
export interface EncodedRsaPrivateKey {
  /** PEM as text or bytes, or DER. */
  readonly key: string | Uint8Array;
  /** How DER is encoded; PEM says it itself. Default `pkcs8`. */
  readonly type?: "pkcs8" | "pkcs1";
  /** Opens an encrypted key. Default: none. */
  readonly passphrase?: string;
}

/** A public key as PEM or DER, where its encoding has to be said. */
export interface EncodedRsaPublicKey {
  /** PEM as text or bytes, or DER; also of a certificate. */
  readonly key: string | Uint8Array;
  /** How DER is encoded; PEM says it itself. Default `spki`. */
  readonly type?: "spki" | "pkcs1";
}

/** PEM text, PEM or PKCS#8 DER bytes, JWK, `KeyObject`, or `{ key, type, passphrase }`. */
export type RsaPrivateKey = string | Uint8Array | KeyObject | JsonWebKey | EncodedRsaPrivateKey;

/** PEM text, PEM or SPKI DER bytes (also a certificate), JWK, `KeyObject`, or `{ key, type }`. */
export type RsaPublicKey = string | Uint8Array | KeyObject | JsonWebKey | EncodedRsaPublicKey;

const MIN_MODULUS_BITS = 2048;
const MIN_MODULUS_BITS_FOR_READING = 1024;
const DER_SEQUENCE = 0x30;

/** Reads a private key; throws `invalid-argument`, without a word of the key. A weak one has 1,024 to 2,047 bits. */
export function rsaPrivateKey(input: RsaPrivateKey, acceptWeak = false): KeyObject {
  const minBits = acceptWeak ? MIN_MODULUS_BITS_FOR_READING : MIN_MODULUS_BITS;
  return rsaKey("privateKey", "private", minBits, () => {
    if (isKeyObject(input)) return withOwnLock(input);
    if (typeof input === "string" || isUint8Array(input)) return readPrivateKey({ key: input });
    if (isEncoded(input)) {
      assertKnownOptions(input, { key: true, type: true, passphrase: true }, "privateKey");
      return readPrivateKey(input);
    }
    assertUsage("privateKey", input, ["unwrapKey", "decrypt"]);
    return createPrivateKey({ key: input, format: "jwk" });
  });
}

/** Reads a public key; throws `invalid-argument`, also for a private key in its place. */
export function rsaPublicKey(input: RsaPublicKey): KeyObject {
  return rsaKey("publicKey", "public", MIN_MODULUS_BITS, () => {
    if (isKeyObject(input)) return withOwnLock(input);
    if (typeof input === "string" || isUint8Array(input)) return readPublicKey({ key: input });
    if (isEncoded(input)) {
      assertKnownOptions(input, { key: true, type: true }, "publicKey");
      return readPublicKey(input);
    }
    assertUsage("publicKey", input, ["wrapKey", "encrypt"]);
    if ("d" in input) throw privateInPlaceOfPublic();
    return createPublicKey({ key: input, format: "jwk" });
  });
}

/** The public half of a private key; a public key given beside it must be that half. */
export function publicHalf(privateKey: KeyObject, given: KeyObject | undefined): KeyObject {
  const derived = createPublicKey(privateKey);
  if (given !== undefined && !derived.equals(given)) {
    throw new S3EncryptionError(
      "invalid-configuration",
      "publicKey does not belong to privateKey: what one writes the other could not read. Pass a pair, or one of them.",
    );
  }
  return derived;
}

function rsaKey(name: string, type: "private" | "public", minBits: number, read: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (error) {
    if (error instanceof S3EncryptionError) throw error;
    // Without the cause: some of Node's messages quote the value they refuse.
    throw invalid(
      `${name} cannot be read. Pass an RSA key as PEM, DER, JWK or KeyObject; { key, type } says how DER is encoded${type === "private" ? ", { key, passphrase } opens an encrypted key" : ""}.`,
    );
  }
  if (name === "publicKey" && key.type === "private") throw privateInPlaceOfPublic();
  if (key.type !== type || key.asymmetricKeyType !== "rsa") {
    throw invalid(`${name} ${keyKindMistake(key, { type })}.`);
  }
  const bits = bitsOf(key);
  if (bits < minBits) {
    throw invalid(
      `${name} must have ${minBits} bits or more; RSA keys of ${bits} bits can be broken.${bits < MIN_MODULUS_BITS_FOR_READING || type === "public" ? "" : " To read what it wrote, set enableWeakKeysForReading."}`,
    );
  }
  return key;
}

/**
 * The same key, apart from what its caller's is joined to. Node tells of a key's details under a lock that it shares with
 * the job that generated it; a garbage collection meanwhile that ends the job waits for that lock, for ever.
 */
function withOwnLock(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== "rsa") return key;
  if (key.type === "public") {
    return createPublicKey({ key: key.export({ type: "spki", format: "der" }), type: "spki", format: "der" });
  }
  const encoded = key.export({ type: "pkcs8", format: "der" });
  try {
    return createPrivateKey({ key: encoded, type: "pkcs8", format: "der" });
  } finally {
    encoded.fill(0);
  }
}

function bitsOf({ asymmetricKeyDetails: { modulusLength = 0 } = {} }: KeyObject): number {
  return modulusLength;
}

/** Throws `unsupported-operation` for a key that was accepted for reading alone. */
export function assertMayWrite(publicKey: KeyObject): void {
  const bits = bitsOf(publicKey);
  if (bits >= MIN_MODULUS_BITS) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `The keyring's RSA key has ${bits} bits and only reads: RSA keys that write have ${MIN_MODULUS_BITS} or more. Make its privateKey one of the decryptionKeys of a new key.`,
  );
}

function readPrivateKey({ key, type = "pkcs8", passphrase }: EncodedRsaPrivateKey): KeyObject {
  const encoded = encodedBytes(key);
  const secret = passphrase === undefined ? {} : { passphrase };
  try {
    return isDer(encoded)
      ? createPrivateKey({ key: encoded, format: "der", type, ...secret })
      : createPrivateKey({ key: encoded, format: "pem", ...secret });
  } catch (error) {
    throw mistaken("privateKey", encoded, { type: "private", hasPassphrase: passphrase !== undefined }, error);
  }
}

function readPublicKey({ key, type = "spki" }: EncodedRsaPublicKey): KeyObject {
  const encoded = encodedBytes(key);
  // Node would quietly take the public half; a private key should not even be on a machine that only writes.
  if (encoded.includes("PRIVATE KEY-----") || (isDer(encoded) && isPkcs1PrivateKey(encoded))) {
    throw privateInPlaceOfPublic();
  }
  try {
    if (!isDer(encoded)) return createPublicKey({ key: encoded, format: "pem" });
    return publicKeyOfCertificate(encoded) ?? createPublicKey({ key: encoded, format: "der", type });
  } catch (error) {
    throw mistaken("publicKey", encoded, { type: "public", hasPassphrase: false }, error);
  }
}

/** In PEM, Node finds it by itself. */
function publicKeyOfCertificate(der: Buffer): KeyObject | undefined {
  try {
    return new X509Certificate(der).publicKey;
  } catch {
    return undefined;
  }
}

/** What the bytes are instead, where that can be told. */
function mistaken(name: string, encoded: Buffer, wanted: WantedRsaKey, error: unknown): unknown {
  const mistake = rsaKeyMistake(encoded, wanted, error);
  return mistake === undefined ? error : invalid(`${name} ${mistake}.`);
}

function encodedBytes(key: string | Uint8Array): Buffer {
  return typeof key === "string" ? Buffer.from(key) : Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}

function isDer(encoded: Buffer): boolean {
  return encoded[0] === DER_SEQUENCE;
}

function isPkcs1PrivateKey(der: Buffer): boolean {
  try {
    return createPrivateKey({ key: der, format: "der", type: "pkcs1" }).type === "private";
  } catch {
    return false;
  }
}

function isEncoded<E extends EncodedRsaPrivateKey | EncodedRsaPublicKey>(input: E | JsonWebKey): input is E {
  return "key" in input;
}

function assertUsage(name: string, { use, key_ops: allowed }: JsonWebKey, needed: readonly string[]): void {
  const mayBeUsed = allowed === undefined || (Array.isArray(allowed) && needed.some((name) => allowed.includes(name)));
  if (!mayBeUsed || (use !== undefined && use !== "enc")) {
    throw invalid(`${name} is a JWK whose use or key_ops allow neither ${needed.join(" nor ")}.`);
  }
}

function privateInPlaceOfPublic(): S3EncryptionError {
  return invalid(
    "publicKey holds a private key. Pass it as privateKey, which writes too, or give the public key alone.",
  );
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}

/** Throws `no-matching-key` where the keyring holds the public half only. */
export function privateKeyOf(key: KeyObject | undefined): KeyObject {
  if (key !== undefined) return key;
  throw new S3EncryptionError(
    "no-matching-key",
    "This RSA keyring holds only the public key, which writes but cannot read; configure its privateKey to read.",
  );
}
