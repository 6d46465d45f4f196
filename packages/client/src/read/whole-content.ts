import { type ContentProof, GatheredBytes, type ProvenContent } from "@s3ec/envelope";
import { type OpenedObject, S3EncryptionError } from "@s3ec/materials";
import type { ResolvedOptions } from "../options.js";
import { watchedPlaintext } from "../telemetry/watched-plaintext.js";
import { IS_WORKER } from "../this-runtime.js";
import { CiphertextBuffers } from "./ciphertext-buffers.js";
import { type BodyToRead, readAll } from "./drained.js";
import { spoolContent } from "./spool.js";

/** A whole stored body as it arrives, and how to let go of it. */
export interface CiphertextBody extends BodyToRead {
  readonly destroy: () => void;
  /** To be called before something of it is given out that cannot be taken back. */
  readonly giveOut?: () => void;
}

/** What it was encrypted from. */
export interface Plaintext {
  readonly chunks: AsyncGenerator<Uint8Array>;
  /** All of it, for who does not read the chunks, where it is in memory. */
  readonly whole?: Uint8Array;
  /** Bytes; undefined where only the end will tell. */
  readonly length: number | undefined;
  /** To be called once the chunks were read, or are not wanted any more. */
  readonly destroy: () => void;
}

/**
 * Decrypts a whole object, and gives it out only once it is authenticated unless the options say otherwise (S12): from
 * memory up to `bufferSize`, above it from a private copy of the ciphertext. Pieces that prove themselves need no copy.
 *
 * @param storedLength bytes of the object, where S3 said it
 */
export async function openWhole(
  options: ResolvedOptions,
  opened: OpenedObject,
  storedLength: number | undefined,
  body: CiphertextBody,
): Promise<Plaintext> {
  const { proves } = opened;
  const { telemetry } = options;
  const length = storedLength === undefined ? undefined : opened.plaintextLength(storedLength);
  const maxLength = length ?? storedLength;
  // What has no tag is not put together from two answers: S3's checksum, if anything, is of one.
  if (proves === "nothing") body.giveOut?.();
  if (maxLength !== undefined && maxLength <= options.bufferSize && !options.enableDelayedAuthenticationMode) {
    const proof = opened.proof?.(false);
    return await telemetry.step(stepOfReading(opened), {}, async (step) => {
      const plaintext =
        proof === undefined
          ? await heldAsPlaintext(opened, body, maxLength)
          : await heldAsCiphertext(proof, body, maxLength);
      step.learn("s3ec.content_length", plaintext.length);
      return plaintext;
    });
  }
  // Holding back what no end will prove would be for nothing.
  if (options.enableDelayedAuthenticationMode || proves !== "whole") {
    body.giveOut?.();
    return watchedPlaintext(telemetry, { chunks: opened.decrypt(body.chunks), length, destroy: body.destroy });
  }
  if (options.spool === false) throw tooLargeToHold(options.bufferSize);
  const { directory } = options.spool;
  const spooled = await telemetry.step("s3ec.spool", {}, async (step) => {
    const content = await spoolContent(opened, body, directory);
    step.learn("s3ec.content_length", content.length);
    return content;
  });
  return watchedPlaintext(telemetry, { ...spooled, destroy: () => void spooled.destroy().catch(() => {}) });
}

/** Which step it is to read all of an object's content before anything of it is given out. */
export function stepOfReading({ proves }: OpenedObject): "s3ec.decrypt" | "s3ec.verify" {
  return proves === "nothing" ? "s3ec.decrypt" : "s3ec.verify";
}

function tooLargeToHold(bufferSize: number): S3EncryptionError {
  const way = IS_WORKER ? "read it in ranges (a Worker has no disk to spool to)" : "allow spooling";
  return new S3EncryptionError(
    "content-too-large",
    `The object is larger than bufferSize (${bufferSize} bytes), the most that is held until it is authenticated: raise bufferSize, ${way}, or accept enableDelayedAuthenticationMode.`,
  );
}

/** What a reader takes at once, such as a write to a socket, and what OpenSSL is fastest in. */
const PIECE = 256 * 1024;

/** Bytes behind the plaintext, at most. */
const TAG_LENGTH = 16;

/** Bytes up to which content is decrypted in one call, so that the buffer of its ciphertext serves again at once. */
const AT_ONCE = 1024 * 1024;

const BUFFERS = new CiphertextBuffers();

/** Holds the ciphertext until it is proven: there is no plaintext before. What is large is decrypted as it is read. */
async function heldAsCiphertext(proof: ContentProof, body: CiphertextBody, expectedLength: number): Promise<Plaintext> {
  const length = expectedLength + TAG_LENGTH;
  if (expectedLength <= AT_ONCE) {
    return await BUFFERS.lend(length, async (buffer) => {
      const { proven, bytes } = await gatherProven(proof, body, new GatheredBytes(buffer));
      return inMemory(proven.decrypt(0, bytes));
    });
  }
  const { proven, bytes } = await gatherProven(proof, body, new GatheredBytes(length));
  const decrypt = proven.inOrder();
  const decrypted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of inPieces(bytes)) yield decrypt(piece);
  };
  return { chunks: decrypted(), length: proven.length, destroy: () => {} };
}

/** Reads a body to its end into `room`, which gets nothing any more once that has ended, and proves it. */
async function gatherProven(
  proof: ContentProof,
  body: CiphertextBody,
  room: GatheredBytes,
): Promise<{ readonly proven: ProvenContent; readonly bytes: Uint8Array }> {
  let held: GatheredBytes | undefined = room;
  let hashed = 0;
  // Of our own copy: what is decrypted later must be what was hashed, whoever has the chunk meanwhile (G5).
  const hash = (): void => {
    proof.add(room.bytes.subarray(hashed));
    hashed = room.length;
  };
  try {
    await readAll(body, (chunk) => {
      held?.append(chunk);
      if (room.length - hashed >= PIECE) hash();
      return undefined;
    });
  } finally {
    // A stream of somebody else's may go on behind its end.
    held = undefined;
  }
  hash();
  const proven = proof.prove();
  return { proven, bytes: room.bytes.subarray(0, proven.length) };
}

function inMemory(whole: Uint8Array): Plaintext {
  return {
    // Made for who asks for it, which is hardly anybody.
    get chunks() {
      return inPieces(whole);
    },
    whole,
    length: whole.length,
    destroy: () => {},
  };
}

async function heldAsPlaintext(opened: OpenedObject, body: CiphertextBody, expectedLength: number): Promise<Plaintext> {
  const plaintext = new GatheredBytes(expectedLength);
  for await (const chunk of opened.decrypt(body.chunks)) plaintext.append(chunk);
  return { chunks: inPieces(plaintext.bytes), length: plaintext.length, destroy: () => {} };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += PIECE) yield bytes.subarray(offset, offset + PIECE);
}
