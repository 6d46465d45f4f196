import type { ByteRange, CommitmentPolicy, StringMap } from "@s3ec/envelope";
import type { MaterialsManager, RequestedObject } from "./materials-manager.js";

/**
 * A second way to store an encrypted object: as a message that begins with a header of its own, holds everything that is
 * needed to decrypt it, and asks nothing of the object's metadata. What a client is given to write and recognise them.
 */
export interface MessageFormat {
  /**
   * Refuses what must not be written, gets materials, and starts the one pass of encryption (S18).
   * Throws `commitment-policy`, `invalid-argument`, `content-too-large`, and what the manager throws.
   */
  seal(message: MessageToSeal): Promise<SealedMessage>;

  /**
   * The header that these first bytes of an object hold: `null` when no message begins like this, `"incomplete"` when it
   * takes more bytes to say. Pure: uses no key. Throws `malformed-envelope` for what begins like a message and is none.
   */
  parseHeader(start: Uint8Array): MessageHeader | "incomplete" | null;

  /**
   * Every gate, then the materials, then the commitment and the header's authentication: all before a byte of the body is
   * looked at (S5, S6). `header` must come from `parseHeader` of the same format.
   */
  open(header: MessageHeader, message: MessageToOpen): Promise<OpenedMessage>;
}

export interface MessageToSeal extends RequestedObject {
  readonly materialsManager: MaterialsManager;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly encryptionContext: StringMap;
  readonly materialDescription?: StringMap;
  readonly plaintext: AsyncIterable<Uint8Array>;
  /** Plaintext bytes, where known; the plaintext then must have exactly as many. */
  readonly contentLength?: number;
}

export interface SealedMessage {
  readonly ciphertext: AsyncGenerator<Uint8Array>;
  /** Bytes of the whole message; undefined where only its end will tell. */
  readonly length: number | undefined;
}

export interface MessageHeader {
  /** Bytes that it takes up at the beginning of the object. */
  readonly length: number;
}

export interface MessageToOpen extends RequestedObject {
  readonly materialsManager: MaterialsManager;
  readonly commitmentPolicy: CommitmentPolicy;
  /** Must be what the header holds (S10). */
  readonly encryptionContext: StringMap;
  readonly materialDescription?: StringMap;
}

/** A message whose header is authentic. */
export interface OpenedMessage {
  /**
   * Whether each piece that `decrypt` yields is authentic when it is yielded. Otherwise, as with a signature at the end,
   * nothing of it is proven before all of it is.
   */
  readonly provesPieces: boolean;

  /** Plaintext bytes of an object of this many bytes; undefined where only its end will tell. Throws `decryption-failed`. */
  plaintextLength(storedLength: number): number | undefined;

  /** Decrypts the body: all bytes behind the header. Ends without an error only where the message was whole. */
  decrypt(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;

  /**
   * What to fetch for a range of plaintext bytes, each of which is authenticated before it is yielded. Undefined when the
   * range starts past the end. Throws `unsupported-operation` where a part cannot be proven without the rest.
   */
  range(range: ByteRange, storedLength: number): MessageRange | undefined;
}

/** A range of a message. First and last bytes are inclusive. */
export interface MessageRange {
  readonly fetchFirst: number;
  readonly fetchLast: number;
  /** In plaintext bytes. */
  readonly first: number;
  readonly last: number;
  /** Plaintext bytes of the whole message. Authentic only for a range that reaches its end. */
  readonly total: number;
  /** Decrypts the fetched bytes to exactly the range. */
  decrypt(fetched: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}
