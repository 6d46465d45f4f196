import { createSecretKey, type KeyObject } from "node:crypto";
import { S3EncryptionError } from "@s3ec/materials";

/** How a written key stands for its bytes: it is them, or text of them. */
export type AesKeyEncoding = "bytes" | "hex" | "base64";

export const AES_KEY_ENCODINGS: readonly AesKeyEncoding[] = ["bytes", "hex", "base64"];

/**
 * Reads an AES key of 16, 24 or 32 bytes from a file, a variable or an array. Text of a key is as long as another, longer
 * key: where more than one of `readings` gives a key, so that a guess may be wrong, it is refused unless `encoding` says
 * which is meant. Else the first of them is the one that is used.
 *
 * @param readings the encodings that are possible here. Default: all, bytes first
 * @throws S3EncryptionError `invalid-argument`, without a word of the key
 */
export function readAesKey(
  written: Uint8Array | string,
  encoding?: AesKeyEncoding,
  readings: readonly AesKeyEncoding[] = AES_KEY_ENCODINGS,
): KeyObject {
  const content = typeof written === "string" ? Buffer.from(written, "utf8") : written;
  const [usual = "bytes"] = encoding === undefined ? readings : [encoding];
  const key = reading(content, usual);
  try {
    if (encoding === undefined) {
      refuseAmbiguous(content, readings);
      // What was decoded may itself be text of a key.
      if (key !== undefined && usual !== "bytes") refuseAmbiguous(key, AES_KEY_ENCODINGS);
    }
    if (key !== undefined) return createSecretKey(key);
  } finally {
    if (key !== content) key?.fill(0);
  }
  const other = encoding === undefined ? readings.find((name) => isReading(content, name)) : undefined;
  throw noKey(content.length, usual, other);
}

function refuseAmbiguous(content: Uint8Array, readings: readonly AesKeyEncoding[]): void {
  const fitting = readings.filter((name) => isReading(content, name));
  if (fitting.length <= 1) return;
  throw new S3EncryptionError(
    "invalid-argument",
    `This AES key can be read in more than one way, as ${fitting.join(" and as ")}, and each gives another key: say which is meant with encoding: "hex" | "base64" | "bytes".`,
  );
}

function isReading(content: Uint8Array, encoding: AesKeyEncoding): boolean {
  const key = reading(content, encoding);
  if (key !== content) key?.fill(0);
  return key !== undefined;
}

/** The key that the content stands for; undefined where that is none. */
function reading(content: Uint8Array, encoding: AesKeyEncoding): Uint8Array | undefined {
  const bytes = encoding === "bytes" ? content : decoded(content, encoding);
  if (bytes !== undefined && [16, 24, 32].includes(bytes.length)) return bytes;
  if (bytes !== content) bytes?.fill(0);
  return undefined;
}

const TEXTS = {
  hex: /^(?:[0-9a-f]{2})*$/i,
  // Of either alphabet, padded or not.
  base64: /^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/,
} as const;

function decoded(content: Uint8Array, encoding: "hex" | "base64"): Buffer | undefined {
  // Longer than any text of a key, line breaks included.
  if (content.length > 256) return undefined;
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
  const bare = text.replace(/[\t\n\r ]/g, "");
  return TEXTS[encoding].test(bare) ? Buffer.from(bare, encoding) : undefined;
}

function noKey(length: number, usual: AesKeyEncoding, other: AesKeyEncoding | undefined): S3EncryptionError {
  const hint = other === undefined ? "" : `; in ${other} it would be one: say so with encoding: "${other}"`;
  const what = usual === "bytes" ? `this one has ${length}` : `this is none in ${usual}`;
  return new S3EncryptionError(
    "invalid-argument",
    `An AES wrapping key has 16, 24 or 32 bytes (use 32 for a new one); ${what}${hint}.`,
  );
}
