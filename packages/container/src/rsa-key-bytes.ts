import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";

const PRIVATE = "an RSA private key of 2048 bits or more as PEM, DER or JWK";
const PUBLIC = "an RSA public key (not a private one) of 2048 bits or more as PEM, DER or JWK";

/** A private key in any encoding, or a sentence about what the bytes are instead. */
export async function rsaPrivateKeyOf(
  bytes: Buffer,
  passphrase: Buffer | undefined,
  minBits: number,
): Promise<KeyObject | string> {
  const secret = passphrase === undefined ? {} : { passphrase };
  const read = firstOf(
    isPem(bytes)
      ? [() => createPrivateKey({ key: bytes, format: "pem", ...secret })]
      : isJwk(bytes)
        ? [() => createPrivateKey({ key: JSON.parse(bytes.toString("utf8")), format: "jwk" })]
        : [
            () => createPrivateKey({ key: bytes, format: "der", type: "pkcs8", ...secret }),
            () => createPrivateKey({ key: bytes, format: "der", type: "pkcs1" }),
          ],
  );
  return judged(read, bytes, { type: "private", hasPassphrase: passphrase !== undefined }, PRIVATE, minBits);
}

/** A public key in any encoding, also of a certificate, or a sentence about what the bytes are instead. */
export async function rsaPublicKeyOf(bytes: Buffer): Promise<KeyObject | string> {
  const wanted = { type: "public", hasPassphrase: false } as const;
  // Node would quietly derive the public half.
  const half = await rsaPrivateKeyOf(bytes, undefined, 0);
  if (typeof half !== "string" || bytes.includes("PRIVATE KEY-----")) {
    return judged({ error: undefined }, bytes, wanted, PUBLIC, 2048);
  }
  const read = firstOf(
    isPem(bytes)
      ? [() => createPublicKey(bytes)]
      : isJwk(bytes)
        ? [() => createPublicKey({ key: JSON.parse(bytes.toString("utf8")), format: "jwk" })]
        : [
            () => new X509Certificate(bytes).publicKey,
            () => createPublicKey({ key: bytes, format: "der", type: "spki" }),
            () => createPublicKey({ key: bytes, format: "der", type: "pkcs1" }),
          ],
  );
  return judged(read, bytes, wanted, PUBLIC, 2048);
}

type Read = { readonly key: KeyObject } | { readonly error: unknown };

/** As the keyring wants it; said here, it is said with the field. */
async function judged(
  read: Read,
  bytes: Buffer,
  wanted: { readonly type: "private" | "public"; readonly hasPassphrase: boolean },
  expected: string,
  minBits: number,
): Promise<KeyObject | string> {
  const bits = "key" in read ? (read.key.asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  if ("key" in read && read.key.asymmetricKeyType === "rsa") {
    return bits >= minBits ? read.key : `expected ${expected}, but this one has ${bits} bits and can be broken`;
  }
  // Loaded for this alone: most configurations are right, and many hold no RSA key.
  const { keyKindMistake, rsaKeyMistake } = await import("@s3ec/keyring-raw-rsa");
  const mistake = "key" in read ? keyKindMistake(read.key, wanted) : rsaKeyMistake(bytes, wanted, read.error);
  return `expected ${expected}${mistake === undefined ? "" : `, but this ${mistake}`}`;
}

/** What the first one gave, or why it gave nothing. */
function firstOf(attempts: readonly (() => KeyObject)[]): Read {
  let first: Read | undefined;
  for (const attempt of attempts) {
    try {
      return { key: attempt() };
    } catch (error) {
      first ??= { error };
    }
  }
  return first ?? { error: undefined };
}

function isPem(bytes: Buffer): boolean {
  return bytes.includes("-----BEGIN ");
}

function isJwk(bytes: Buffer): boolean {
  return bytes.toString("utf8", 0, 64).trimStart().startsWith("{");
}
