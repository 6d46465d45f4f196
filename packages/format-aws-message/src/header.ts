import { type EncryptedDataKey, malformedEnvelope, parseStringMap, S3EncryptionError } from "@s3ec/envelope";
import {
  keyProvider,
  type ObjectHead,
  type StringMap,
  serializeEncryptionContext,
  stringMap,
  type WrapAlgorithm,
} from "@s3ec/materials";
import { ByteReader, IncompleteBytes } from "./byte-reader.js";
import { IV_LENGTH, type MessageSuite, messageSuite, TAG_LENGTH } from "./message-suites.js";

/** What a header may claim before anything of it is authentic (S14). */
export interface HeaderLimits {
  readonly maxEncryptedDataKeys: number;
  /** Bytes. */
  readonly maxHeaderLength: number;
  /** Bytes; a frame is held in memory until it is authenticated. */
  readonly maxFrameLength: number;
}

/** An encrypted data key as a header holds it: which wrap it is, only the configured keyring can tell. */
export interface HeaderDataKey {
  /** `aws-kms`, or the namespace of a raw keyring. */
  readonly providerId: string;
  /** A KMS key's ARN, or a raw key's name and whatever its wrap puts behind it. */
  readonly providerInfo: Uint8Array;
  /** The wrapped bytes. */
  readonly ciphertext: Uint8Array;
}

/** A parsed header: nothing of it is authentic yet. */
export interface ParsedHeader extends ObjectHead {
  /** What the message is encrypted with. */
  readonly suite: MessageSuite;
  /** `suite.messageIdLength` random bytes. */
  readonly messageId: Uint8Array;
  /** All of it: a signature's public key included. */
  readonly encryptionContext: StringMap;
  /** In the order stored; each alone opens the message. */
  readonly encryptedDataKeys: readonly HeaderDataKey[];
  /** Otherwise the content is one block, as no SDK has written by default for years. */
  readonly isFramed: boolean;
  /** Plaintext bytes of every frame but the last; 0 where there are none. */
  readonly frameLength: number;
  /** Of a committing suite: 32 bytes; otherwise undefined. */
  readonly commitment: Uint8Array | undefined;
  /** The bytes that the tag authenticates. */
  readonly authenticated: Uint8Array;
  /** 12 bytes, of the header's tag. */
  readonly iv: Uint8Array;
  /** 16 bytes, which authenticate the header. */
  readonly tag: Uint8Array;
  /** All bytes of the header, which a signature covers. */
  readonly bytes: Uint8Array;
}

const SINGLE_BLOCK = 1;
const FRAMED = 2;
const CUSTOMER_DATA = 0x80;
const COMMITMENT_LENGTH = 32;

/**
 * Parses a header of version 1 or 2 (AWS Encryption SDK message format). `null` where the first bytes are not those of
 * one, `"incomplete"` where more are needed. Throws `malformed-envelope` for a header that breaks the format or a limit.
 */
export function parseHeader(start: Uint8Array, limits: HeaderLimits): ParsedHeader | "incomplete" | null {
  const suite = suiteOf(start);
  if (suite === null || suite === "incomplete") return suite;
  try {
    const { length } = parse(start.subarray(0, limits.maxHeaderLength), suite, limits);
    // Once more on a copy, which the caller cannot change afterwards, and which keeps no more than itself in memory.
    return parse(Uint8Array.from(start.subarray(0, length)), suite, limits);
  } catch (error) {
    if (!(error instanceof IncompleteBytes)) throw error;
    if (start.length < limits.maxHeaderLength) return "incomplete";
    throw malformedEnvelope(`The message's header is longer than the ${limits.maxHeaderLength} bytes allowed.`);
  }
}

function suiteOf(start: Uint8Array): MessageSuite | "incomplete" | null {
  const [version, type] = start;
  if (version === undefined) return "incomplete";
  if (version !== 1 && version !== 2) return null;
  const idOffset = version === 1 ? 2 : 1;
  if (version === 1 && type !== undefined && type !== CUSTOMER_DATA) return null;
  const [high, low] = start.subarray(idOffset);
  if (high === undefined || low === undefined) return "incomplete";
  return messageSuite(version, high * 256 + low) ?? null;
}

function parse(start: Uint8Array, suite: MessageSuite, limits: HeaderLimits): ParsedHeader {
  const reader = new ByteReader(start);
  reader.take(suite.headerVersion === 1 ? 4 : 3);
  const messageId = reader.take(suite.messageIdLength);
  const encryptionContext = parseContext(reader.take(reader.uint16()));
  const encryptedDataKeys = parseDataKeys(reader, limits.maxEncryptedDataKeys);
  const contentType = reader.uint8();
  if (contentType !== FRAMED && contentType !== SINGLE_BLOCK) {
    throw malformedEnvelope("The message's content is neither in frames nor in one block.");
  }
  const isFramed = contentType === FRAMED;
  if (suite.headerVersion === 1 && (reader.uint32() !== 0 || reader.uint8() !== IV_LENGTH)) {
    throw malformedEnvelope("The message's header has another IV length or reserved bytes than its suite allows.");
  }
  const frameLength = reader.uint32();
  if (isFramed && (frameLength === 0 || frameLength > limits.maxFrameLength)) {
    throw malformedEnvelope(`The message's frame length must be 1 to ${limits.maxFrameLength} bytes (maxFrameLength).`);
  }
  if (!isFramed && frameLength !== 0) throw malformedEnvelope("The message has no frames, and yet a frame length.");
  const commitment = suite.committing ? reader.take(COMMITMENT_LENGTH) : undefined;
  const authenticated = start.subarray(0, reader.offset);
  const iv = suite.headerVersion === 1 ? reader.take(IV_LENGTH) : new Uint8Array(IV_LENGTH);
  const tag = reader.take(TAG_LENGTH);
  const bytes = start.subarray(0, reader.offset);
  return Object.freeze({
    length: reader.offset,
    suite,
    messageId,
    encryptionContext,
    encryptedDataKeys,
    isFramed,
    frameLength,
    commitment,
    authenticated,
    iv,
    tag,
    bytes,
  });
}

function parseContext(bytes: Uint8Array): StringMap {
  if (bytes.length === 0) return stringMap([]);
  const reader = new ByteReader(bytes);
  try {
    const count = reader.uint16();
    const entries: [string, string][] = [];
    for (let index = 0; index < count; index++) {
      entries.push([text(reader.take(reader.uint16())), text(reader.take(reader.uint16()))]);
    }
    const map = stringMap(entries);
    // Two entries of one name would mean what each reader takes them for.
    if (count > 0 && reader.offset === bytes.length && Object.keys(map).length === count) return map;
  } catch (error) {
    if (!(error instanceof IncompleteBytes)) throw error;
  }
  throw malformedEnvelope("The message's encryption context is not what its length and count say.");
}

function parseDataKeys(reader: ByteReader, max: number): readonly HeaderDataKey[] {
  const count = reader.uint16();
  if (count === 0 || count > max) {
    throw malformedEnvelope(`The message must hold 1 to ${max} encrypted data keys (maxEncryptedDataKeys).`);
  }
  return Array.from({ length: count }, () => ({
    providerId: text(reader.take(reader.uint16())),
    providerInfo: reader.take(reader.uint16()),
    ciphertext: reader.take(reader.uint16()),
  }));
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function text(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw malformedEnvelope("The message's header holds a text that is not UTF-8.");
  }
}

/**
 * The header's encrypted data keys as the keyrings know them. A wrap that declares a description stored it as provider
 * information; one that does not is a key provider of the AWS Encryption SDK, whose information is its own business.
 */
export function encryptedDataKeysOf(
  { encryptedDataKeys }: ParsedHeader,
  declared: readonly WrapAlgorithm[],
): readonly EncryptedDataKey[] {
  return encryptedDataKeys.flatMap(({ providerId, providerInfo, ciphertext }) => {
    const wrapAlgorithm =
      declared.find((entry) => entry.name === providerId && isStorable(entry)) ?? foreignProvider(providerId);
    if (wrapAlgorithm === undefined) return [];
    if (wrapAlgorithm.describedBy === "provider-info") {
      return { wrapAlgorithm, ciphertext, description: stringMap([]), providerInfo };
    }
    const description = parseStringMap(text(providerInfo), "description of an encrypted data key");
    return { wrapAlgorithm, ciphertext, description };
  });
}

/** Not the wraps of the S3 formats: what bears the name of one in a message is a provider of somebody else's. */
export function isStorable({ describedBy, keyKind, legacy }: WrapAlgorithm): boolean {
  return !legacy && (describedBy === "provider-info" || keyKind === "other");
}

function foreignProvider(id: string): WrapAlgorithm | undefined {
  return id === "" ? undefined : keyProvider(id);
}

/** What the encryption of a message decides about its header. */
export interface HeaderToWrite {
  readonly suite: MessageSuite;
  readonly messageId: Uint8Array;
  readonly encryptionContext: StringMap;
  readonly encryptedDataKeys: readonly HeaderDataKey[];
  readonly frameLength: number;
  readonly commitment: Uint8Array;
}

/** The bytes of a version 2 header that its tag authenticates: all but the tag. */
export function serializeHeader(header: HeaderToWrite): Uint8Array {
  const { suite, messageId, encryptionContext, encryptedDataKeys, frameLength, commitment } = header;
  const context = serializeEncryptionContext(encryptionContext);
  const keys = encryptedDataKeys.flatMap(({ providerId, providerInfo, ciphertext }) =>
    [Buffer.from(providerId, "utf8"), providerInfo, ciphertext].flatMap((part) => [uint16(part.length), part]),
  );
  const end = Buffer.alloc(5);
  end.writeUInt8(FRAMED);
  end.writeUInt32BE(frameLength, 1);
  return Buffer.concat([
    Uint8Array.of(suite.headerVersion),
    uint16(suite.id),
    messageId,
    uint16(context.length),
    context,
    uint16(encryptedDataKeys.length),
    ...keys,
    end,
    commitment,
  ]);
}

function uint16(value: number): Buffer {
  if (value > 0xffff) {
    throw new S3EncryptionError("invalid-argument", "An encrypted data key has more than the 65,535 bytes that fit.");
  }
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
