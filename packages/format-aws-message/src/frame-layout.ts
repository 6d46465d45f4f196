import { type ByteRange, decryptionFailed } from "@s3ec/envelope";
import { IV_LENGTH, TAG_LENGTH } from "./message-suites.js";

/** Bytes that a frame adds to its content: sequence number, IV and tag. */
export const FRAME_OVERHEAD: number = 4 + IV_LENGTH + TAG_LENGTH;
/** What the last frame has besides: the mark that it is the last, and its content's length. */
const FINAL_OVERHEAD: number = FRAME_OVERHEAD + 4 + 4;
/** Sequence numbers are four bytes, and the highest is the mark of the last frame. */
export const MAX_FRAMES: number = 2 ** 32 - 1;

/** How the body of a message is cut. */
export interface FrameLayout {
  /** Of the frame that ends the message, counted from 1. */
  readonly finalFrame: number;
  /** Plaintext bytes of the last frame. */
  readonly finalLength: number;
  /** Plaintext bytes of the whole message. */
  readonly total: number;
}

/** The body of this many plaintext bytes. A last frame is full rather than empty, but for an empty message. */
export function layoutOfPlaintext(frameLength: number, total: number): FrameLayout {
  const regular = total === 0 ? 0 : Math.ceil(total / frameLength) - 1;
  return { finalFrame: regular + 1, finalLength: total - regular * frameLength, total };
}

/** Bytes of the body. */
export function bodyLength(frameLength: number, { finalFrame, finalLength }: FrameLayout): number {
  return (finalFrame - 1) * (frameLength + FRAME_OVERHEAD) + FINAL_OVERHEAD + finalLength;
}

/** The layout of an unsigned body of this many bytes; `decryption-failed` for a length that no such body has. */
export function layoutOfBody(frameLength: number, length: number): FrameLayout {
  const stride = frameLength + FRAME_OVERHEAD;
  const rest = length - FINAL_OVERHEAD;
  const regular = Math.floor(rest / stride);
  const finalLength = rest - regular * stride;
  if (rest < 0 || finalLength > frameLength || regular >= MAX_FRAMES) throw decryptionFailed();
  return { finalFrame: regular + 1, finalLength, total: regular * frameLength + finalLength };
}

/** The frames that hold a range, and where in them it is. */
export interface FrameRange {
  /** First and last frame, both inclusive, counted from 1. */
  readonly firstFrame: number;
  readonly lastFrame: number;
  /** First and last plaintext byte of the message, both inclusive. */
  readonly first: number;
  readonly last: number;
}

/** Undefined when the range starts past the end. */
export function framesOfRange(frameLength: number, layout: FrameLayout, range: ByteRange): FrameRange | undefined {
  const { total, finalFrame } = layout;
  const first = "suffixLength" in range ? Math.max(0, total - range.suffixLength) : range.first;
  const last = "suffixLength" in range ? total - 1 : Math.min(range.last ?? total - 1, total - 1);
  if (first > last) return undefined;
  const frameOf = (offset: number): number => Math.floor(offset / frameLength) + 1;
  // Only the last frame proves where the end is, and it may be an empty one that another writer put behind the content.
  return { firstFrame: frameOf(first), lastFrame: last === total - 1 ? finalFrame : frameOf(last), first, last };
}
