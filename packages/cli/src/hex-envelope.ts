import { ENVELOPE_FIELDS, printable } from "@s3ec/envelope";
import type { EnvelopeInspection } from "@s3ec/format-s3";
import { type HexRow, hexLines, rowsOf } from "./hex-rows.js";

/** What each field is, and of one that holds bytes in base64 what those are (docs/formats.md 1.1). */
const MEANINGS: Readonly<Record<string, string>> = {
  "x-amz-key": "the wrapped data key; V1 does not name the wrap",
  "x-amz-key-v2": "the wrapped data key",
  "x-amz-3": "the wrapped data key",
  "x-amz-iv": "the IV of the content",
  "x-amz-d": "the key commitment",
  "x-amz-i": "the message id",
  "x-amz-wrap-alg": "how the data key is wrapped",
  "x-amz-w": "how the data key is wrapped: 02 AES/GCM, 12 kms+context, 22 RSA-OAEP-SHA1",
  "x-amz-cek-alg": "the content's cipher, to which a wrap that is not legacy is bound",
  "x-amz-c": "the suite, in decimal: 115 is 0x0073, AES-256-GCM with HKDF-SHA512 and key commitment",
  "x-amz-tag-len": "bits of the content's tag",
  "x-amz-matdesc": "the material description, or KMS's encryption context",
  "x-amz-m": "the material description",
  "x-amz-t": "KMS's encryption context",
  "x-amz-unencrypted-content-length": "bytes of plaintext, for information only",
  "s3ec-of": "which object an instruction file is of, for writers",
  EncryptedEnvelopeKey: "the wrapped data key; .NET's first client does not name the wrap",
  IV: "the IV of the content",
};
const WRAPPED_KEYS = new Set(["x-amz-key", "x-amz-key-v2", "x-amz-3", "EncryptedEnvelopeKey"]);
const BYTES = new Set([...WRAPPED_KEYS, "x-amz-iv", "x-amz-d", "x-amz-i", "IV"]);

/** An envelope's fields, each with what it is, in the order of docs/formats.md; what is none of them is left out. */
export function fieldLines(fields: Readonly<Record<string, unknown>>, wrapAlgorithm: string): string[] {
  const names = [...ENVELOPE_FIELDS, "EncryptedEnvelopeKey", "IV"].filter((name) => Object.hasOwn(fields, name));
  return names.flatMap((name) => {
    const value = String(fields[name]);
    const meaning = MEANINGS[name] ?? "";
    if (!BYTES.has(name)) return [`  ${name} = ${printable(value)}`, `    ${meaning}`];
    const bytes = Buffer.from(value, "base64");
    const parts = WRAPPED_KEYS.has(name) ? partsOfWrap(wrapAlgorithm, bytes.length) : [[meaning, 0] as const];
    const rows: readonly HexRow[] = rowsOf(bytes, parts);
    return [
      `  ${name} = ${bytes.length} bytes in base64${WRAPPED_KEYS.has(name) ? `: ${meaning}` : ""}`,
      ...hexLines(rows),
    ];
  });
}

/** docs/formats.md 1.4. */
function partsOfWrap(wrapAlgorithm: string, length: number): readonly (readonly [string, number])[] {
  switch (wrapAlgorithm) {
    case "AES/GCM":
      return [
        ["IV of the wrap", 12],
        ["data key, encrypted", length - 28],
        ["tag of the wrap", 16],
      ];
    case "AES":
      return [["data key and padding, under AES-ECB", length]];
    case "AESWrap":
      return [["data key, wrapped as in RFC 3394", length]];
    case "kms":
    case "kms+context":
      return [["what KMS returned", length]];
    default:
      return [[`data key, encrypted with ${wrapAlgorithm}`, length]];
  }
}

/** What the stored bytes of the object are: of `tag`, its last ones, where they are one. */
export function bodyRows({ authenticated, storedLength }: EnvelopeInspection, tag: Uint8Array | undefined): HexRow[] {
  if (!authenticated) {
    return [
      { offset: 0, length: storedLength, meaning: "ciphertext, padded to whole blocks; nothing authenticates it" },
    ];
  }
  const length = Math.max(0, storedLength - 16);
  return [
    ...(length === 0 ? [] : [{ offset: 0, length, meaning: "ciphertext, as long as the plaintext" }]),
    { offset: length, length: 16, meaning: "tag over all of it", ...(tag === undefined ? {} : { bytes: tag }) },
  ];
}
