import {
  type ContentKey,
  type ContentProof,
  contentProof,
  decryptContentUnverified,
  GatheredBytes,
  plaintextLength,
} from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { ResolvedOptions } from "../options.js";
import { spoolContent } from "./spool.js";

/** A whole stored body as it arrives, and how to let go of it. */
export interface CiphertextBody {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly destroy: () => void;
  /** To be called before something of it is given out that cannot be taken back. */
  readonly giveOut?: () => void;
}

/** What it was encrypted from. */
export interface Plaintext {
  readonly chunks: AsyncGenerator<Uint8Array>;
  /** Bytes; undefined where only the end will tell. */
  readonly length: number | undefined;
  /** To be called once the chunks were read, or are not wanted any more. */
  readonly destroy: () => void;
}

/** How a whole body is decrypted, and what that proves. */
export interface Decryption {
  /**
   * Proves the body without making its plaintext, where that can be done; `inPieces` for one that is not kept in our own
   * memory meanwhile. Undefined where only decrypting it tells.
   */
  proof?(inPieces: boolean): ContentProof | undefined;
  decrypt(ciphertext: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
  /** Plaintext bytes; undefined where only the end will tell. */
  readonly length: number | undefined;
  /** As many of them as there can be; undefined where S3 did not say how long the body is. */
  readonly maxLength: number | undefined;
  /** What is known of a piece once it is decrypted: that it is authentic, nothing before the end, or nothing at all. */
  readonly proves: "pieces" | "whole" | "nothing";
}

/** @param storedLength bytes of the body, where S3 said it */
export function decryptionOf(content: ContentKey, storedLength: number | undefined): Decryption {
  const length = storedLength === undefined ? undefined : plaintextLength(content.suite, storedLength);
  return {
    proof: (inPieces) => contentProof(content, inPieces),
    decrypt: (ciphertext) => decryptContentUnverified(content, ciphertext),
    length,
    maxLength: length ?? storedLength,
    // CBC carries no tag.
    proves: content.suite.cipher === "cbc" ? "nothing" : "whole",
  };
}

/**
 * Decrypts a whole object, and gives it out only once it is authenticated unless the options say otherwise (S12): from
 * memory up to `bufferSize`, above it from a private copy of the ciphertext. Pieces that prove themselves need no copy.
 */
export async function openWhole(
  options: ResolvedOptions,
  decryption: Decryption,
  body: CiphertextBody,
): Promise<Plaintext> {
  const { length, maxLength, proves } = decryption;
  // What has no tag is not put together from two answers: S3's checksum, if anything, is of one.
  if (proves === "nothing") body.giveOut?.();
  if (maxLength !== undefined && maxLength <= options.bufferSize && !options.enableDelayedAuthenticationMode) {
    const proof = decryption.proof?.(false);
    return proof === undefined
      ? await heldAsPlaintext(decryption, body, maxLength)
      : await heldAsCiphertext(proof, body, maxLength);
  }
  // Holding back what no end will prove would be for nothing.
  if (options.enableDelayedAuthenticationMode || proves !== "whole") {
    body.giveOut?.();
    return { chunks: decryption.decrypt(body.chunks), length, destroy: body.destroy };
  }
  if (options.spool === false) {
    throw new S3EncryptionError(
      "content-too-large",
      `The object is larger than bufferSize (${options.bufferSize} bytes), the most that is held until it is authenticated: raise bufferSize, allow spooling, or accept enableDelayedAuthenticationMode.`,
    );
  }
  const spooled = await spoolContent(decryption, body.chunks, options.spool.directory);
  return { ...spooled, destroy: () => void spooled.destroy().catch(() => {}) };
}

/** What a reader takes at once, such as a write to a socket, and what OpenSSL is fastest in. */
const PIECE = 256 * 1024;

/** Bytes behind the plaintext, at most. */
const TAG_LENGTH = 16;

/** Holds the ciphertext until it is proven, and decrypts it as it is read: there is no plaintext before. */
async function heldAsCiphertext(proof: ContentProof, body: CiphertextBody, expectedLength: number): Promise<Plaintext> {
  const held = new GatheredBytes(expectedLength + TAG_LENGTH);
  for await (const chunk of body.chunks) {
    const before = held.length;
    held.append(chunk);
    // Our own copy: what is decrypted later must be what was hashed, whoever has the chunk meanwhile (G5).
    proof.add(held.bytes.subarray(before));
  }
  const proven = proof.prove();
  const decrypt = proven.inOrder();
  const decrypted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of inPieces(held.bytes.subarray(0, proven.length))) yield decrypt(piece);
  };
  return { chunks: decrypted(), length: proven.length, destroy: () => {} };
}

async function heldAsPlaintext(
  decryption: Decryption,
  body: CiphertextBody,
  expectedLength: number,
): Promise<Plaintext> {
  const plaintext = new GatheredBytes(expectedLength);
  for await (const chunk of decryption.decrypt(body.chunks)) plaintext.append(chunk);
  return { chunks: inPieces(plaintext.bytes), length: plaintext.length, destroy: () => {} };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += PIECE) yield bytes.subarray(offset, offset + PIECE);
}
