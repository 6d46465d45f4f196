import { createSecretKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { isKeyObject, isUint8Array } from "node:util/types";
import { assertKnownOptions, S3EncryptionError } from "@s3ec/materials";
import { AES_KEY_ENCODINGS, type AesKeyEncoding, readAesKey } from "./key-encoding.js";

/** A key as text, or as bytes that happen to be text, where its encoding has to be said. */
export interface EncodedAesKey {
  /** What `encoding` says how to read. */
  readonly key: string | Uint8Array;
  /** `bytes`: as they are; `hex` and `base64`: text of 16, 24 or 32 bytes. */
  readonly encoding: AesKeyEncoding;
}

/**
 * 16, 24 or 32 raw bytes (copied), a secret `KeyObject`, a JWK `{ kty: "oct", k }`, or `{ key, encoding }`. Bytes that are
 * text of another key, in hex or base64, are refused unless the encoding is said; a `KeyObject` is what it holds.
 */
export type AesWrappingKey = Uint8Array | KeyObject | JsonWebKey | EncodedAesKey;

/** Reads a wrapping key of 16, 24 or 32 bytes; throws `invalid-argument`, without a word of the key. */
export function aesWrappingKey(input: AesWrappingKey): KeyObject {
  const key = secretKey(input);
  if (![16, 24, 32].includes(key.symmetricKeySize ?? 0)) {
    throw new S3EncryptionError(
      "invalid-argument",
      `An AES wrapping key has 16, 24 or 32 bytes (use 32 for a new one); this one has ${key.symmetricKeySize}.`,
    );
  }
  return key;
}

function secretKey(input: AesWrappingKey): KeyObject {
  if (isKeyObject(input)) {
    if (input.type === "secret") return input;
    throw unreadable(`a ${input.type} KeyObject`);
  }
  if (isUint8Array(input)) return readAesKey(input);
  if (typeof input !== "object" || input === null) throw unreadable("neither bytes, KeyObject nor JWK");
  return "encoding" in input ? encodedKey(input as EncodedAesKey) : jwkKey(input);
}

function encodedKey(input: EncodedAesKey): KeyObject {
  assertKnownOptions(input, { key: true, encoding: true }, "wrappingKey");
  const { key, encoding } = input;
  if ((typeof key !== "string" && !isUint8Array(key)) || !AES_KEY_ENCODINGS.includes(encoding)) {
    throw unreadable(`no { key, encoding } with a text or bytes and one of ${AES_KEY_ENCODINGS.join(", ")}`);
  }
  return readAesKey(key, encoding);
}

function jwkKey(jwk: JsonWebKey): KeyObject {
  const { kty, k, use, key_ops: operations } = jwk;
  if (kty !== "oct" || typeof k !== "string" || !/^[\w-]+$/.test(k)) {
    throw unreadable('an object that is no JWK with kty "oct" and k in base64url');
  }
  const may = (...names: string[]): boolean =>
    operations === undefined || (Array.isArray(operations) && names.some((name) => operations.includes(name)));
  if ((use !== undefined && use !== "enc") || !may("wrapKey", "encrypt") || !may("unwrapKey", "decrypt")) {
    throw unreadable("a JWK whose use or key_ops do not allow it to wrap and unwrap keys");
  }
  const bytes = Buffer.from(k, "base64url");
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

function unreadable(what: string): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    `Pass an AES wrapping key as bytes, a secret KeyObject, a JWK of kty "oct" or { key, encoding }; this is ${what}.`,
  );
}
