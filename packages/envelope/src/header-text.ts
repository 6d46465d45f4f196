const ENCODED_WORD = /=\?utf-8\?([bq])\?([^?]*)\?=(?:\s+(?==\?utf-8\?[bq]\?[^?]*\?=))?/gi;

/**
 * Undoes what S3 does to non-ASCII header bytes: it answers with an RFC 2047 encoded word whose text is the original
 * UTF-8 read as Latin-1 (1.9, H18). Text that is neither comes back as it was.
 */
export function decodeHeaderText(text: string): string {
  const expanded = text.replace(ENCODED_WORD, (word, encoding: string, payload: string) => {
    const bytes = encoding.toLowerCase() === "b" ? Buffer.from(payload, "base64") : decodeQ(payload);
    return decodeUtf8(bytes) ?? word;
  });
  // Code points above U+00FF cannot be bytes read as Latin-1; pure ASCII needs no second look.
  if (/[\u0100-\uffff]/.test(expanded) || !/[\u0080-\u00ff]/.test(expanded)) return expanded;
  return decodeUtf8(Buffer.from(expanded, "latin1")) ?? expanded;
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
