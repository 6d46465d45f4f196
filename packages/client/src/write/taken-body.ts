import { Readable } from "node:stream";
import { S3EncryptionError } from "@s3ec/materials";
import { isAsyncIterable, isNodeStream, isWebStream, letGoOfBody, NOTHING } from "../streams.js";

/** Bodies that can be read only once, and that a put has taken. */
const TAKEN = sharedSet("taken-bodies");

/** Bodies that `sealObject` gave. */
const CIPHERTEXT = sharedSet("ciphertext-bodies");

/** One for whichever copies of this package there are. */
function sharedSet(name: string): WeakSet<object> {
  const key = Symbol.for(`@s3ec/client/${name}`);
  const set: WeakSet<object> = Reflect.get(globalThis, key) ?? new WeakSet();
  Reflect.set(globalThis, key, set);
  return set;
}

/** Says of a body that it is ciphertext, which nobody means to encrypt again. */
export function asCiphertext<Body extends object>(body: Body): Body {
  CIPHERTEXT.add(body);
  return body;
}

/**
 * Takes a body that can be read only once, before anything of its put is sent. Read a second time it would give nothing,
 * and by two puts at once a part to each: what was stored before would be replaced by that, with success.
 *
 * Throws `invalid-argument`, or what the body failed with; the body is then somebody else's, and left alone. One that gives
 * something other than its bytes is nobody else's, and let go of.
 */
export function takeBody(body: unknown): void {
  if (typeof body !== "object" || body === null || !(isNodeStream(body) || isWebStream(body) || isAsyncIterable(body)))
    return;
  if (TAKEN.has(body)) throw refused("was given to a put before, and can be read only once");
  assertUnread(body);
  if (isWebStream(body) && body.locked) throw refused("is locked: somebody else is reading it");
  if (isNodeStream(body) && body.readableFlowing === true) {
    throw refused('is being read by somebody else, through pipe() or a "data" listener, who would take a part of it');
  }
  TAKEN.add(body);
  try {
    assertBytes(body);
  } catch (error) {
    letGoOfBody(body);
    throw error;
  }
}

/** Takes a body that is to be encrypted. Throws as `takeBody`, and for what is ciphertext already. */
export function takePlaintext(body: unknown): void {
  if (typeof body === "object" && body !== null && CIPHERTEXT.has(body)) {
    throw new S3EncryptionError(
      "invalid-argument",
      "The Body is ciphertext of sealObject, which would be encrypted again, and its wrapped key be lost: store it with a client that does not encrypt, such as plainClientOf(client).",
    );
  }
  takeBody(body);
}

/** Throws when some of a stream has gone elsewhere, as far as it tells. */
export function assertUnread(body: object): void {
  // It says itself what is wrong.
  if (isNodeStream(body) && body.errored) throw body.errored;
  const isOver = isNodeStream(body) && (body.destroyed === true || body.readable === false);
  // Of web streams too, though its type does not say so.
  if (isOver || Readable.isDisturbed(body as Readable) || isReadWebStream(body))
    throw refused("was read from, or closed, before");
}

/** Throws when a stream has an encoding other than UTF-8, whose text is its bytes. */
export function assertBytes(body: object): void {
  const encoding = encodingOf(body);
  if (encoding !== undefined && !isUtf8(encoding)) throw encoded(encoding);
}

/** That of a stream; of other makers' streams it stands where Node's have kept it first. */
function encodingOf(stream: object): string | undefined {
  const { readableEncoding, _readableState: state }: { readableEncoding?: unknown; _readableState?: unknown } = stream;
  const kept = typeof state === "object" && state !== null ? Reflect.get(state, "encoding") : undefined;
  return [readableEncoding, kept].find((encoding): encoding is string => typeof encoding === "string");
}

function isUtf8(encoding: string): boolean {
  return /^utf-?8$/i.test(encoding);
}

/**
 * What a stream gives, as long as that is its bytes: text of a stream of UTF-8 is, unless they were none; then it has U+FFFD in
 * their place. Asked of each piece, since an encoding can be set while the put begins.
 */
export async function* bytesAsRead(stream: object, chunks: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const chunk of chunks) {
    if (typeof chunk === "string") {
      assertBytes(stream);
      if (chunk.includes("\uFFFD") && encodingOf(stream) !== undefined) throw encoded("utf8");
    }
    yield chunk;
  }
}

/** A stream with an encoding gives text, and what would be stored is that. */
function encoded(encoding: string): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    `The Body is a stream with an encoding (${encoding}), which gives text that is not its bytes; leave the encoding out.`,
  );
}

/** Whether a body that was read before shows it: neither iterators nor streams of other makers have to. */
export function tellsThatItWasRead(body: object): boolean {
  return "readableDidRead" in body || DISTURBED in body || isToldByResponse(body);
}

/** Where Node's streams say that they were read from. */
const DISTURBED = Symbol.for("nodejs.stream.disturbed");

/** Whether a web stream that says it nowhere, as Deno's, was read from: no response can be made of it then. */
function isReadWebStream(body: object): boolean {
  return !(DISTURBED in body) && isToldByResponse(body) && !body.locked && isRefusedByResponse(body);
}

function isToldByResponse(body: object): body is ReadableStream {
  if (typeof ReadableStream !== "function" || !(body instanceof ReadableStream)) return false;
  responsesTell ??= refusesCancelled();
  return responsesTell;
}

/** Asked of the runtime once. */
let responsesTell: boolean | undefined;

function refusesCancelled(): boolean {
  const stream = new ReadableStream();
  if (typeof Response !== "function" || isRefusedByResponse(stream)) return false;
  stream.cancel().catch(NOTHING);
  return isRefusedByResponse(stream);
}

function isRefusedByResponse(stream: ReadableStream): boolean {
  try {
    return new Response(stream).bodyUsed;
  } catch {
    return true;
  }
}

/** Of a body that cannot tell, nothing at all is what it would give a second time. */
export async function* notNothing(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  for await (const chunk of chunks) {
    isEmpty = false;
    yield chunk;
  }
  if (isEmpty) {
    throw new S3EncryptionError(
      "invalid-argument",
      "The Body gave nothing, as one does that was read before; pass a new one, or ContentLength: 0 to store an empty object.",
    );
  }
}

function refused(what: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", `The Body ${what}; pass a new one.`);
}
