import type { KeyObject } from "node:crypto";
import { type ByteRange, decryptionFailed } from "@s3ec/envelope";
import { type OpenedObject, type OpenedRange, S3EncryptionError } from "@s3ec/materials";
import { BodyReader } from "./body-reader.js";
import { decryptFrames, decryptSingleBlock } from "./decrypt-body.js";
import type { FrameKey } from "./frame-cipher.js";
import { FRAME_OVERHEAD, framesOfRange, layoutOfBody } from "./frame-layout.js";
import type { ParsedHeader } from "./header.js";
import { IV_LENGTH, TAG_LENGTH } from "./message-suites.js";
import { SignatureCheck } from "./signature.js";

/** IV, length and tag. */
const SINGLE_BLOCK_OVERHEAD = IV_LENGTH + 8 + TAG_LENGTH;

/** Plaintext bytes of an unsigned message of this many bytes; `decryption-failed` for a length that none has. */
function unsignedLength({ isFramed, frameLength, length }: ParsedHeader, storedLength: number): number {
  if (!isFramed) {
    const blockLength = storedLength - length - SINGLE_BLOCK_OVERHEAD;
    if (blockLength < 0) throw decryptionFailed();
    return blockLength;
  }
  return layoutOfBody(frameLength, storedLength - length).total;
}

/**
 * Plaintext bytes of an object that begins with this header, found without any key: undefined for a signed message,
 * whose signature has no fixed length, and for a length that no message has. Not authenticated.
 */
export function messagePlaintextLength(header: ParsedHeader, storedLength: number): number | undefined {
  if (header.suite.signature !== undefined) return undefined;
  try {
    return unsignedLength(header, storedLength);
  } catch {
    return undefined;
  }
}

function decryptBody(
  { isFramed }: ParsedHeader,
  ...body: Parameters<typeof decryptSingleBlock>
): AsyncGenerator<Uint8Array> {
  return isFramed ? decryptFrames(...body) : decryptSingleBlock(...body);
}

/** A message without a signature: each frame proves itself, and the last one that none is missing. */
export class UnsignedMessage implements OpenedObject {
  readonly proves = "pieces";
  readonly #header: ParsedHeader;
  readonly #key: FrameKey;

  constructor(header: ParsedHeader, key: FrameKey) {
    this.#header = header;
    this.#key = key;
  }

  plaintextLength(storedLength: number): number {
    return unsignedLength(this.#header, storedLength);
  }

  decrypt(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    return decryptBody(this.#header, this.#key, new BodyReader(body));
  }

  range(range: ByteRange, storedLength: number): OpenedRange | undefined {
    const { isFramed, length: headerLength, frameLength } = this.#header;
    if (!isFramed) {
      throw new S3EncryptionError(
        "unsupported-operation",
        "A range of a message without frames cannot be verified, since it has one tag for all of it: read the whole object.",
      );
    }
    const layout = layoutOfBody(frameLength, storedLength - headerLength);
    const frames = framesOfRange(frameLength, layout, range);
    if (frames === undefined) return undefined;
    const { firstFrame, lastFrame, first, last } = frames;
    const stride = frameLength + FRAME_OVERHEAD;
    const endsMessage = lastFrame === layout.finalFrame;
    const skip = first - (firstFrame - 1) * frameLength;
    const decrypt = (fetched: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> => {
      const span = { firstFrame, lastFrame, endsMessage, finalLength: layout.finalLength };
      const decrypted = decryptFrames(this.#key, new BodyReader(fetched), undefined, span);
      return cut(decrypted, skip, last - first + 1);
    };
    return {
      fetchFirst: headerLength + (firstFrame - 1) * stride,
      fetchLast: endsMessage ? storedLength - 1 : headerLength + lastFrame * stride - 1,
      first,
      last,
      endsEarlier: false,
      total: layout.total,
      decrypt,
    };
  }
}

/** A message whose signature, behind everything else, says who wrote it: nothing of it is final before that. */
export class SignedMessage implements OpenedObject {
  readonly proves = "whole";
  readonly #header: ParsedHeader;
  readonly #key: FrameKey;
  readonly #hash: "sha256" | "sha384";
  readonly #verificationKey: KeyObject;

  constructor(header: ParsedHeader, key: FrameKey, hash: "sha256" | "sha384", verificationKey: KeyObject) {
    this.#header = header;
    this.#key = key;
    this.#hash = hash;
    this.#verificationKey = verificationKey;
  }

  /** How long the signature is, only the message's end tells. */
  plaintextLength(): undefined {
    return undefined;
  }

  async *decrypt(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const signature = new SignatureCheck(this.#hash, this.#verificationKey);
    signature.update(this.#header.bytes);
    const reader = new BodyReader(body, signature.update);
    const decrypted = decryptBody(this.#header, this.#key, reader, (rest) => signature.verifyFooter(rest));
    // One piece behind, since the last frame may be empty: all that is in front of it would be out by then.
    let held: Uint8Array | undefined;
    for await (const piece of decrypted) {
      if (held !== undefined) yield held;
      held = piece;
    }
    if (held !== undefined) yield held;
  }

  range(): never {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A range of a signed message cannot be verified, since the signature covers all of it: read the whole object.",
    );
  }
}

/** Exactly `take` bytes behind the first `skip`. Reads to the end, where the source says whether it was whole. */
async function* cut(plaintext: AsyncIterable<Uint8Array>, skip: number, take: number): AsyncGenerator<Uint8Array> {
  let [toSkip, toTake] = [skip, take];
  for await (const piece of plaintext) {
    const from = Math.min(toSkip, piece.length);
    const part = piece.subarray(from, from + toTake);
    toSkip -= from;
    toTake -= part.length;
    if (part.length > 0) yield part;
  }
}
