import type { ObjectHead } from "@s3ec/materials";
import { ByteReader } from "./byte-reader.js";
import { IV_LENGTH, TAG_LENGTH } from "./message-suites.js";
import { parsedHeader } from "./open-message.js";

/** One field of a message's header, as it is stored (docs/formats.md 8.1 to 8.3). */
export interface HeaderField {
  /** Bytes that stand before it in the object. */
  readonly offset: number;
  /** As stored; a view, not a copy. */
  readonly bytes: Uint8Array;
  /** What the field is. */
  readonly name: string;
  /** What it says, where that is a number, a name or a text; not made printable. */
  readonly value?: string;
}

/**
 * Every field of a message's header, in the order stored; together they are all of its bytes. Nothing of it is secret, and
 * nothing of it was authenticated.
 *
 * @param head what `readHead` of an `AwsMessageFormat` gave
 * @throws S3EncryptionError `invalid-argument` for the head of another format
 */
export function headerFields(head: ObjectHead): readonly HeaderField[] {
  const { bytes, suite, isFramed } = parsedHeader(head);
  const fields = new FieldReader(bytes);
  fields.number("version", 1);
  if (suite.headerVersion === 1) fields.bytes("type", 1, "customer data");
  fields.bytes("suite id", 2, suite.name);
  fields.bytes("message id", suite.messageIdLength);
  const contextLength = fields.number("length of the encryption context", 2);
  const entries = contextLength === 0 ? 0 : fields.number("entries of the encryption context", 2);
  for (let entry = 1; entry <= entries; entry++) {
    fields.text(`name ${entry}`);
    fields.text(`value ${entry}`);
  }
  const keys = fields.number("encrypted data keys", 2);
  for (let key = 1; key <= keys; key++) {
    fields.text(`provider id of key ${key}`);
    fields.bytes(
      `provider information of key ${key}`,
      fields.number(`length of provider information of key ${key}`, 2),
    );
    fields.bytes(`encrypted data key ${key}`, fields.number(`length of encrypted data key ${key}`, 2));
  }
  fields.bytes("content type", 1, isFramed ? "in frames" : "one block");
  if (suite.headerVersion === 1) {
    fields.bytes("reserved", 4);
    fields.number("IV length", 1);
  }
  fields.number("frame length", 4);
  if (suite.committing) fields.bytes("key commitment", bytes.length - TAG_LENGTH - fields.offset);
  if (suite.headerVersion === 1) fields.bytes("IV of the authentication", IV_LENGTH);
  fields.bytes("tag of the header", TAG_LENGTH);
  return fields.read;
}

/** Of a header that was parsed before: what it announces is there. */
class FieldReader {
  readonly read: HeaderField[] = [];
  readonly #reader: ByteReader;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes);
  }

  get offset(): number {
    return this.#reader.offset;
  }

  bytes(name: string, length: number, value?: string): Uint8Array {
    const { offset } = this.#reader;
    const bytes = this.#reader.take(length);
    this.read.push({ offset, bytes, name, ...(value === undefined ? {} : { value }) });
    return bytes;
  }

  number(name: string, length: number): number {
    const { offset } = this.#reader;
    const bytes = Buffer.from(this.#reader.take(length));
    const value = bytes.readUIntBE(0, length);
    this.read.push({ offset, bytes, name, value: String(value) });
    return value;
  }

  text(name: string): void {
    const length = this.number(`length of ${name}`, 2);
    const { offset } = this.#reader;
    const bytes = this.#reader.take(length);
    this.read.push({ offset, bytes, name, value: Buffer.from(bytes).toString("utf8") });
  }
}
