/** Of text that holds a key, and something beside it. */
const TEXT: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN /,
    "is PEM, as RSA keys and certificates are: it is of use to a raw-rsa keyring, where it holds an RSA key",
  ],
  [/^\s*0x[0-9a-f\s]+$/i, 'is hex with 0x before it: leave the 0x out, and say encoding: "hex"'],
  [
    /^\s*[0-9a-f]{2}(?:[:,.-]\s*[0-9a-f]{2}){15,}\s*$/i,
    'is hex with signs between its bytes: leave the signs out, and say encoding: "hex"',
  ],
  [
    /^\s*\[\s*-?\d{1,3}(?:\s*,\s*-?\d{1,3})+\s*\]\s*$/,
    "is a list of numbers, as Java prints bytes: write the bytes themselves, or hex of them",
  ],
  [/^\s*(["'])[^"']+\1\s*$/, "stands in quotation marks: leave them out"],
  [
    /^\s*(?:#.*\n\s*)*[A-Za-z_][\w.-]*\s*[=:]\s*[^\s=]/,
    "is lines with names, as of a properties file: write the value that is the key, alone",
  ],
  [/^\uFEFF/, "is text that begins with a byte order mark: save it without"],
];

/**
 * What the bytes are that are no AES key: the end of a sentence that begins with "this", and holds nothing of them.
 * Undefined where that cannot be told.
 */
export function aesKeyMistake(bytes: Buffer): string | undefined {
  if (isUtf16(bytes)) return "is text in UTF-16, as PowerShell writes it: save it as UTF-8, or as ASCII";
  if (isDer(bytes)) {
    return "is DER, as RSA keys and certificates are: it is of use to a raw-rsa keyring, where it holds an RSA key";
  }
  // What is long is none of these, and patterns would take their time.
  const text = bytes.length > 64 * 1024 ? "" : bytes.toString("utf8");
  return TEXT.find(([pattern]) => pattern.test(text))?.[1];
}

/** With its mark, or ASCII in every other byte. */
function isUtf16(bytes: Buffer): boolean {
  const head = bytes.toString("hex", 0, 16);
  return bytes.length > 32 && /^(?:fffe|feff)|^(?:00(?!00)..){8}|^(?:(?!00)..00){8}/.test(head);
}

/** A sequence that is as long as it says, and longer than a key. */
function isDer(bytes: Buffer): boolean {
  if (bytes.length <= 32 || bytes[0] !== 0x30) return false;
  const short = bytes[1] ?? 0;
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  if (lengthBytes > 4) return false;
  const length = lengthBytes === 0 ? short : bytes.readUIntBE(2, lengthBytes);
  return bytes.length === 2 + lengthBytes + length;
}
