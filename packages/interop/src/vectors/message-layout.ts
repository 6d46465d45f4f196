/** Where one field of a message is, in bytes from its beginning. */
export interface Field {
  readonly start: number;
  readonly end: number;
}

interface WrappedKeyLayout {
  readonly providerId: Field;
  readonly providerInfo: Field;
  readonly ciphertext: Field;
}

export interface FrameLayout {
  readonly whole: Field;
  /** Only of the final frame. */
  readonly endMark?: Field;
  readonly sequenceNumber: Field;
  readonly iv: Field;
  /** Only of the final frame. */
  readonly contentLength?: Field;
  readonly content: Field;
  readonly tag: Field;
}

/** Every field of a message; those that only one of the two formats has are absent from the other. */
export interface MessageLayout {
  readonly version: Field;
  readonly type?: Field;
  readonly suite: Field;
  readonly messageId: Field;
  readonly contextLength: Field;
  readonly context: Field;
  readonly wrappedKeyCount: Field;
  readonly wrappedKeys: readonly WrappedKeyLayout[];
  readonly contentType: Field;
  readonly reserved?: Field;
  readonly ivLength?: Field;
  readonly frameLength: Field;
  readonly commitment?: Field;
  readonly headerIv?: Field;
  readonly headerTag: Field;
  /** Of a message without frames, its one body, whose length has 8 bytes. */
  readonly frames: readonly FrameLayout[];
  /** Length and signature, of a signed message. */
  readonly footer?: Field;
}

const IV = 12;
const TAG = 16;
const FINAL_MARK = 0xffffffff;
const UNFRAMED = 1;

/** Takes fields off the front of a message. */
class Cursor {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  take(length: number): Field {
    const field = { start: this.#offset, end: this.#offset + length };
    if (field.end > this.#bytes.length) throw new Error(`The message ends within ${field.start} to ${field.end}.`);
    this.#offset = field.end;
    return field;
  }

  /** A field of a length that stands before it in two bytes. */
  takePrefixed(): Field {
    const length = this.take(2);
    return this.take(this.number(length));
  }

  number({ start, end }: Field): number {
    return this.#bytes.readUIntBE(start, Math.min(end - start, 6));
  }
}

/** Finds the fields of an intact message, without a key. */
export function layoutOf(bytes: Buffer): MessageLayout {
  const cursor = new Cursor(bytes);
  const version = cursor.take(1);
  const isFormat1 = cursor.number(version) === 1;
  const type = isFormat1 ? { type: cursor.take(1) } : {};
  const suite = cursor.take(2);
  const messageId = cursor.take(isFormat1 ? 16 : 32);
  const contextLength = cursor.take(2);
  const context = cursor.take(cursor.number(contextLength));
  const wrappedKeyCount = cursor.take(2);
  const wrappedKeys = Array.from({ length: cursor.number(wrappedKeyCount) }, () => ({
    providerId: cursor.takePrefixed(),
    providerInfo: cursor.takePrefixed(),
    ciphertext: cursor.takePrefixed(),
  }));
  const contentType = cursor.take(1);
  const before = isFormat1 ? { reserved: cursor.take(4), ivLength: cursor.take(1) } : {};
  const frameLength = cursor.take(4);
  const after = isFormat1 ? { headerIv: cursor.take(IV) } : { commitment: cursor.take(32) };
  const headerTag = cursor.take(TAG);
  const frames =
    cursor.number(contentType) === UNFRAMED ? [unframedBody(cursor)] : framesOf(cursor, cursor.number(frameLength));
  return {
    version,
    ...type,
    suite,
    messageId,
    contextLength,
    context,
    wrappedKeyCount,
    wrappedKeys,
    contentType,
    ...before,
    frameLength,
    ...after,
    headerTag,
    frames,
    ...(cursor.isAtEnd ? {} : { footer: { start: cursor.take(0).start, end: cursor.takePrefixed().end } }),
  };
}

function framesOf(cursor: Cursor, frameLength: number): FrameLayout[] {
  for (const frames: FrameLayout[] = []; ; ) {
    const first = cursor.take(4);
    const isFinal = cursor.number(first) === FINAL_MARK;
    const sequenceNumber = isFinal ? cursor.take(4) : first;
    const iv = cursor.take(IV);
    const contentLength = isFinal ? cursor.take(4) : undefined;
    const content = cursor.take(contentLength === undefined ? frameLength : cursor.number(contentLength));
    const tag = cursor.take(TAG);
    const whole = { start: first.start, end: tag.end };
    const final = contentLength === undefined ? {} : { endMark: first, contentLength };
    frames.push({ whole, sequenceNumber, iv, content, tag, ...final });
    if (isFinal) return frames;
  }
}

function unframedBody(cursor: Cursor): FrameLayout {
  const iv = cursor.take(IV);
  const high = cursor.take(4);
  const low = cursor.take(4);
  const content = cursor.take(cursor.number(low));
  const tag = cursor.take(TAG);
  const contentLength = { start: high.start, end: low.end };
  return { whole: { start: iv.start, end: tag.end }, sequenceNumber: emptyBefore(iv), iv, contentLength, content, tag };
}

/** A message without frames numbers nothing. */
function emptyBefore({ start }: Field): Field {
  return { start, end: start };
}

/** The context as the header holds it, the signature's public key included. */
export function contextOf(bytes: Buffer, { context }: MessageLayout): Record<string, string> {
  const entries: [string, string][] = [];
  const cursor = new Cursor(bytes.subarray(0, context.end));
  cursor.take(context.start);
  const text = ({ start, end }: Field): string => bytes.toString("utf8", start, end);
  if (context.end > context.start) {
    const count = cursor.number(cursor.take(2));
    for (let entry = 0; entry < count; entry++)
      entries.push([text(cursor.takePrefixed()), text(cursor.takePrefixed())]);
  }
  return Object.fromEntries(entries);
}
