const WORD = String.raw`=\?utf-8\?[bq]\?[^?]*\?=`;
/** Words and the white space between them, nothing else: JSON text begins otherwise, so a word inside it is the caller's own. */
const ENCODED_WORDS = new RegExp(`^${WORD}(?:\\s*${WORD})*$`, "i");
const EACH_WORD = /=\?utf-8\?([bq])\?([^?]*)\?=/gi;

/**
 * Undoes what S3 does to non-ASCII header bytes: it answers with RFC 2047 encoded words over the whole value, whose text is
 * the original UTF-8 read as Latin-1 (1.9, H18). Text that is neither comes back as it was.
 */
export function decodeHeaderText(text: string): string {
  const expanded = ENCODED_WORDS.test(text) ? (expandWords(text) ?? text) : text;
  // Code points above U+00FF cannot be bytes read as Latin-1.
  if (/[\u0100-\uffff]/.test(expanded)) return expanded;
  return decodeUtf8(Buffer.from(expanded, "latin1")) ?? expanded;
}

/** Joined without the space between them; undefined where one is no UTF-8. */
function expandWords(text: string): string | undefined {
  let expanded = "";
  for (const [, encoding = "", payload = ""] of text.matchAll(EACH_WORD)) {
    const word = decodeUtf8(encoding.toLowerCase() === "b" ? Buffer.from(payload, "base64") : decodeQ(payload));
    if (word === undefined) return undefined;
    expanded += word;
  }
  return expanded;
}

function decodeQ(payload: string): Uint8Array {
  const latin1 = payload
    .replaceAll("_", " ")
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, "latin1");
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
