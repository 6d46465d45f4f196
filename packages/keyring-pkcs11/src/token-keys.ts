import { createPublicKey, type KeyObject } from "node:crypto";
import { S3EncryptionError } from "@s3ec/materials";
import { type Attribute, CK, type Handle, type TokenSession } from "./cryptoki.js";
import { keyUnavailable } from "./token-errors.js";

/** A key by what its objects carry in the token: a label, an id in hex, or both. */
export interface KeySelector {
  /** Its `CKA_LABEL`. Default: any. */
  readonly keyLabel?: string;
  /** Its `CKA_ID`, in hex such as `01` or `a1b2`. Default: any. */
  readonly keyId?: string;
}

/** What kind of key it is, and so which wrap it makes. */
export type KeyType = "aes" | "rsa";

export interface AesTokenKey {
  readonly type: "aes";
  readonly key: Handle;
}

export interface RsaTokenKey {
  readonly type: "rsa";
  readonly publicKey: KeyObject;
  /** Absent where the token shows the public key alone. */
  readonly privateKey: Handle | undefined;
}

export type TokenKey = AesTokenKey | RsaTokenKey;

const MIN_MODULUS_BITS = 2048;

/**
 * The one key that a selector names. Throws `key-unavailable` where there is none and `invalid-configuration` where
 * there are several.
 */
export function findKey(session: TokenSession, selector: KeySelector, type: KeyType | undefined): TokenKey {
  const find = (what: string, objectClass: number, keyType: number): Handle | undefined => {
    const [found, ...others] = findObjects(session, [
      { type: CK.CKA_CLASS, value: objectClass },
      { type: CK.CKA_KEY_TYPE, value: keyType },
      ...template(selector),
    ]);
    if (others.length === 0) return found;
    throw invalid(`The token has several ${what}s ${nameOf(selector)}: name the one by its keyId.`);
  };
  const key = type === "rsa" ? undefined : find("AES key", CK.CKO_SECRET_KEY, CK.CKK_AES);
  const privateKey = type === "aes" ? undefined : find("private RSA key", CK.CKO_PRIVATE_KEY, CK.CKK_RSA);
  const publicKey = type === "aes" ? undefined : find("public RSA key", CK.CKO_PUBLIC_KEY, CK.CKK_RSA);
  const rsa = publicKey ?? privateKey;
  if (key !== undefined && rsa !== undefined) {
    throw invalid(`The token has an AES key and an RSA key ${nameOf(selector)}: say which with keyType.`);
  }
  if (key !== undefined) return { type: "aes", key };
  if (rsa !== undefined) return { type: "rsa", publicKey: readPublicKey(session, rsa), privateKey };
  throw keyUnavailable(
    `The token shows no ${type === undefined ? "AES or RSA" : type.toUpperCase()} key ${nameOf(selector)}: check its label and id; private and secret keys are seen with the pin only.`,
  );
}

/** Throws `no-matching-key` where only the public key is at hand. */
export function privateKeyOf({ privateKey }: RsaTokenKey): Handle {
  if (privateKey !== undefined) return privateKey;
  throw new S3EncryptionError(
    "no-matching-key",
    "This PKCS#11 keyring sees only the public key, which writes but cannot read; pass its pin to read.",
  );
}

/** A selector in words: `with the label "app" and the id 01`. */
export function nameOf({ keyLabel, keyId }: KeySelector): string {
  const label = keyLabel === undefined ? [] : [`the label "${keyLabel}"`];
  const id = keyId === undefined ? [] : [`the id ${keyId}`];
  return `with ${[...label, ...id].join(" and ")}`;
}

/** Throws `invalid-argument` unless it names something. */
export function assertSelector({ keyLabel, keyId }: KeySelector): void {
  if (keyLabel === undefined && keyId === undefined) throw wrongArgument("Name the key by keyLabel, keyId or both.");
  if (keyLabel !== undefined && (typeof keyLabel !== "string" || keyLabel === "")) {
    throw wrongArgument("keyLabel must be the label of a key in the token.");
  }
  if (keyId !== undefined && (typeof keyId !== "string" || !/^(?:[0-9a-f]{2})+$/i.test(keyId))) {
    throw wrongArgument('keyId must be the id of a key in the token in hex, such as "01" or "a1b2".');
  }
}

export function template({ keyLabel, keyId }: KeySelector): Attribute[] {
  return [
    ...(keyLabel === undefined ? [] : [{ type: CK.CKA_LABEL, value: keyLabel }]),
    ...(keyId === undefined ? [] : [{ type: CK.CKA_ID, value: Buffer.from(keyId, "hex") }]),
  ];
}

export function findObjects({ cryptoki, handle }: TokenSession, attributes: Attribute[]): Handle[] {
  cryptoki.C_FindObjectsInit(handle, attributes);
  try {
    return cryptoki.C_FindObjects(handle, 2);
  } finally {
    cryptoki.C_FindObjectsFinal(handle);
  }
}

/** Both halves of a pair carry the modulus and the exponent, which are public. */
function readPublicKey({ cryptoki, handle }: TokenSession, object: Handle): KeyObject {
  const attributes = [{ type: CK.CKA_MODULUS }, { type: CK.CKA_PUBLIC_EXPONENT }];
  const [n, e] = cryptoki.C_GetAttributeValue(handle, object, attributes).map(({ value }) => value);
  if (n === undefined || e === undefined) throw invalid("The token does not show the public half of the RSA key.");
  const key = { kty: "RSA", n: unsigned(n).toString("base64url"), e: unsigned(e).toString("base64url") };
  const publicKey = createPublicKey({ key, format: "jwk" });
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits >= MIN_MODULUS_BITS) return publicKey;
  throw invalid(`The RSA key must have ${MIN_MODULUS_BITS} bits or more; RSA keys of ${bits} bits can be broken.`);
}

function unsigned(integer: Buffer): Buffer {
  const start = integer.findIndex((byte) => byte !== 0);
  return integer.subarray(Math.max(start, 0));
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-configuration", message);
}

function wrongArgument(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
