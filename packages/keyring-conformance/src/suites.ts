import { type AlgorithmSuite, COMMITTING_GCM, GCM } from "@s3ec/envelope";

/** Where a data key's wraps are stored: beside an object, or in a message of the AWS Encryption SDK. */
export type Format = "s3" | "message";

/** As a keyring sees the suites that messages are written with; `@s3ec/format-aws-message` knows what else they are. */
function messageSuite(id: number, signature?: AlgorithmSuite["signature"]): AlgorithmSuite {
  const signed = signature === undefined ? "" : "_ECDSA_P384";
  return Object.freeze({
    name: `ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY${signed}`,
    format: "message",
    wrapsNamedBy: "provider",
    holdsManyWraps: true,
    authenticatesContext: true,
    id,
    cipher: "gcm",
    committing: true,
    dataKeyLengths: Object.freeze([32]),
    ivLength: 12,
    tagLength: 16,
    maxContentLength: Number.MAX_SAFE_INTEGER,
    storedName: id.toString(16).padStart(4, "0"),
    ...(signature === undefined ? {} : { signature }),
  });
}

/** The suites that a keyring is asked to write for; the first one where one is enough. */
export const SUITES: Readonly<Record<Format, readonly [AlgorithmSuite, ...AlgorithmSuite[]]>> = Object.freeze({
  s3: [COMMITTING_GCM, GCM],
  message: [messageSuite(0x0478), messageSuite(0x0578, { curve: "P-384", hash: "sha384" })],
});
