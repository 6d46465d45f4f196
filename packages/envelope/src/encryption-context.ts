import { S3EncryptionError } from "./errors.js";
import type { StringMap } from "./string-map.js";

const MAX_UINT16 = 0xffff;

/**
 * An encryption context as the AWS Encryption SDK serializes it: `count(2)`, then for each entry `length(2) ‖ name ‖
 * length(2) ‖ value`, in UTF-8, sorted by the bytes of the name; no bytes at all for an empty one. Messages hold it, and
 * raw keyrings authenticate it.
 * @throws S3EncryptionError `invalid-argument` for more than 65,535 bytes, and for what is not Unicode
 */
export function serializeEncryptionContext(context: StringMap): Uint8Array {
  const entries = Object.entries(context).map(([name, value]) => [utf8(name), utf8(value)] as const);
  if (entries.length === 0) return new Uint8Array(0);
  entries.sort(([a], [b]) => Buffer.compare(a, b));
  const parts = entries.flatMap(([name, value]) => [uint16(name.length), name, uint16(value.length), value]);
  const serialized = Buffer.concat([uint16(entries.length), ...parts]);
  if (serialized.length > MAX_UINT16) throw tooLong();
  return serialized;
}

function utf8(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  // A lone surrogate would be stored as another text than was passed, and two contexts could become one.
  if (bytes.toString("utf8") !== text) {
    throw new S3EncryptionError(
      "invalid-argument",
      "An encryption context must be Unicode text, without lone surrogates.",
    );
  }
  if (bytes.length > MAX_UINT16) throw tooLong();
  return bytes;
}

function uint16(value: number): Buffer {
  if (value > MAX_UINT16) throw tooLong();
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function tooLong(): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", "The encryption context has more than the 65,535 bytes that fit.");
}
