import { createPublicKey, ECDH, generateKeyPairSync, type KeyObject } from "node:crypto";
import { type AlgorithmSuite, decryptionFailed, type StringMap, stringMap } from "@s3ec/envelope";

/** The context entry that holds a message's public key: the compressed point (SEC 1, 2.3.3) in base64. */
export const CONTEXT_PUBLIC_KEY = "aws-crypto-public-key";

type Signature = NonNullable<AlgorithmSuite["signature"]>;

const OPENSSL_CURVES = { "P-256": "prime256v1", "P-384": "secp384r1" } as const;

/** Of an uncompressed point: the octet 04 and two coordinates (SEC 1, 2.3.3). */
const POINT_BYTES = { "P-256": 65, "P-384": 97 } as const;

/** A key pair for one message: the private key, and the context with the public one. */
export function createSigningKey(
  { curve }: Signature,
  context: StringMap,
): { readonly signingKey: KeyObject; readonly encryptionContext: StringMap } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: OPENSSL_CURVES[curve] });
  // Not as JWK: Node builds that under the key's lock, and a garbage collection meanwhile that ends the job which made
  // the key waits for the same lock, for ever. The point is what SPKI ends with (RFC 5480, 2.2).
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-POINT_BYTES[curve]);
  const compressed = ECDH.convertKey(point, OPENSSL_CURVES[curve], undefined, undefined, "compressed");
  const entry = [CONTEXT_PUBLIC_KEY, Buffer.from(compressed).toString("base64")] as const;
  return { signingKey: privateKey, encryptionContext: stringMap([...Object.entries(context), entry]) };
}

/** The public key that a context holds; `decryption-failed` where it is missing or not a point of the curve. */
export function verificationKeyOf({ curve }: Signature, context: StringMap): KeyObject {
  const text = Object.hasOwn(context, CONTEXT_PUBLIC_KEY) ? context[CONTEXT_PUBLIC_KEY] : undefined;
  if (text === undefined) throw decryptionFailed();
  try {
    const compressed = Buffer.from(text, "base64");
    const point = Buffer.from(ECDH.convertKey(compressed, OPENSSL_CURVES[curve], undefined, undefined, "uncompressed"));
    const half = (point.length - 1) / 2;
    const x = point.toString("base64url", 1, 1 + half);
    const y = point.toString("base64url", 1 + half);
    return createPublicKey({ key: { kty: "EC", crv: curve, x, y }, format: "jwk" });
  } catch {
    throw decryptionFailed();
  }
}
