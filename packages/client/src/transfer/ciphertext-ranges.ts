import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { answeredBody } from "../read/answered-body.js";
import type { ReadAhead } from "../read/read-ahead.js";
import { assertWhole, notWhatWasAsked, servedRange } from "../read/served-range.js";
import { destroyStream } from "../streams.js";
import { type PinnedObject, rangeOf, type WantedRange } from "./range-reading.js";
import { type RangeSource, Requests } from "./range-requests.js";
import { rangeInMemory, rangesInOrder } from "./ranges-in-order.js";
import { type RangeTaker, rangesInPlaces } from "./ranges-in-places.js";
import { wholeBlocks } from "./transfer-options.js";

export interface RangeSettings {
  /** Bytes of one range. */
  readonly partSize: number;
  /** The same of a large object, at most, where ranges are not held: each costs a request. Default: `partSize`. */
  readonly largestPart?: number;
  /** Ranges in flight at once. */
  readonly queueSize: number;
  readonly signal: AbortSignal;
}

/** Bytes of the stored object. */
interface Interval {
  readonly offset: number;
  readonly length: number;
}

/** The first range is held in memory while it is found out how to open the object. */
const LONGEST_FIRST_RANGE = 8 * 1024 * 1024;

function firstLength({ partSize }: RangeSettings): number {
  return Math.min(partSize, LONGEST_FIRST_RANGE);
}

/**
 * Reads a stored object through ranged GETs, several at once. All are answered from one version of the object, or it is
 * refused with `content-mismatch`. A range that breaks off is resumed where it did.
 */
export async function openRanges(
  source: RangeSource,
  params: GetObjectCommandInput,
  settings: RangeSettings,
): Promise<RangedObject> {
  // An abort that came before nobody would hear of any more.
  settings.signal.throwIfAborted();
  const requests = new Requests(source, settings.signal);
  try {
    const first = await firstRange(requests, params, firstLength(settings));
    const attempts = await source.attempts();
    if (first.output.ETag === undefined) throw withoutTag();
    return new RangedObject({ ...first, params, attempts, telemetry: source.telemetry }, settings, requests);
  } catch (error) {
    await requests.close();
    throw error;
  }
}

interface FirstRange {
  readonly output: GetObjectCommandOutput;
  readonly length: number;
  /** The last byte that its body holds. */
  readonly last: number;
  readonly isWhole: boolean;
}

async function firstRange({ get }: Requests, params: GetObjectCommandInput, asked: number): Promise<FirstRange> {
  let output: GetObjectCommandOutput;
  try {
    output = await get({ ...params, Range: `bytes=0-${asked - 1}` });
  } catch (error) {
    // Nothing can be asked of an empty object; no client of ours writes one, but what it is shows in its metadata.
    if (!isError(error) || error.name !== "InvalidRange") throw error;
    output = await get(params);
  }
  const { ContentRange, ContentLength } = output;
  if (ContentRange === undefined && ContentLength !== undefined) {
    assertWhole(output);
    return { output, length: ContentLength, last: ContentLength - 1, isWhole: true };
  }
  const { first, last, total } = servedRange(output);
  if (first !== 0 || last !== Math.min(asked, total) - 1) throw notWhatWasAsked();
  return { output, length: total, last, isWhole: false };
}

/** A stored object whose first range was answered. */
export class RangedObject {
  /** S3's answer to the first range: the metadata, and which version the others are pinned to. */
  readonly output: GetObjectCommandOutput;
  /** Bytes of the whole stored object. */
  readonly length: number;
  readonly #settings: RangeSettings;
  readonly #requests: Requests;
  readonly #object: PinnedObject;
  readonly #firstLast: number;
  /** The first range, in memory or on its way there. */
  readonly #first: ReadAhead | undefined;
  /** The answer of whoever ignores the range, and sends more than there is room for. */
  #held: GetObjectCommandOutput | undefined;
  #chunks: AsyncGenerator<Uint8Array>;
  #isBegun = false;

  constructor(
    first: FirstRange & Pick<PinnedObject, "params" | "attempts" | "telemetry">,
    settings: RangeSettings,
    requests: Requests,
  ) {
    const { output, length, last } = first;
    this.output = output;
    this.length = length;
    this.#settings = settings;
    this.#requests = requests;
    this.#firstLast = last;
    this.#object = { ...first, get: requests.get, signal: requests.signal };
    if (last >= firstLength(settings)) {
      this.#held = output;
    } else {
      // At once: while its instruction file is fetched, a range that nobody reads would keep a socket from that.
      const buffer = Buffer.allocUnsafeSlow(last + 1);
      this.#first = rangeInMemory(this.#object, { first: 0, last, opened: output }, buffer);
    }
    this.#chunks = this.#inOrder();
  }

  /** The stored bytes, all and in order. Requests the other ranges once more than the first chunk is read. */
  get chunks(): AsyncGenerator<Uint8Array> {
    return this.#chunks;
  }

  /** Whether all bytes can be had in any order: not once more than the first chunk was read in order. */
  get canPlace(): boolean {
    return !this.#isBegun;
  }

  /** Lets go of a connection that holds bytes which nobody reads yet: they are asked for again, from the beginning. */
  letGo(): void {
    if (this.#held === undefined) return;
    destroyStream(answeredBody(this.#held));
    this.#held = undefined;
    this.#isBegun = false;
    this.#chunks = this.#inOrder();
  }

  /** Whether the first range, which is in memory or on its way there, is all there is. */
  get isInMemory(): boolean {
    return this.#first !== undefined && this.firstLength === this.length;
  }

  /** Bytes at the beginning that come in any case: they were asked for before it was known what is wanted. */
  get firstLength(): number {
    return this.#firstLast + 1;
  }

  /**
   * Hands on the stored bytes as they arrive, in any order; resolves when each range was taken, and rejects once nothing
   * goes on any more.
   *
   * @param takerAt takes the range that begins at this byte
   * @param kept what is not asked for, in order and behind the first bytes
   */
  async inPlaces(takerAt: (first: number) => RangeTaker, kept: readonly Interval[] = []): Promise<void> {
    this.#isBegun = true;
    const { queueSize } = this.#settings;
    const { destroy } = this;
    const others = this.#first === undefined ? [this.#wholeRange] : this.#rest(kept);
    await rangesInPlaces(this.#object, { first: this.#first, others, queueSize, takerAt, destroy });
  }

  /** Lets go of everything. */
  readonly destroy = (): void => this.#requests.destroy();

  /** The same, and resolves once no request is left. */
  async close(): Promise<void> {
    await this.#requests.close();
  }

  get #wholeRange(): WantedRange {
    return { first: 0, last: this.#firstLast, opened: this.#held };
  }

  async *#inOrder(): AsyncGenerator<Uint8Array> {
    const onStart = (): void => {
      this.#isBegun = true;
    };
    try {
      if (this.#first !== undefined) {
        yield* rangesInOrder(this.#object, this.#first, { ...this.#settings, onStart });
      } else {
        onStart();
        yield* rangeOf(this.#object, this.#wholeRange);
      }
    } finally {
      this.destroy();
    }
  }

  *#rest(kept: readonly Interval[]): Generator<WantedRange> {
    const left = this.length - this.firstLength - kept.reduce((sum, { length }) => sum + length, 0);
    const partSize = placedPartSize(left, this.#settings);
    let first = this.firstLength;
    for (const { offset, length } of [...kept, { offset: this.length, length: 0 }]) {
      for (; first < offset; first = Math.min(first + partSize, offset)) {
        yield { first, last: Math.min(first + partSize, offset) - 1 };
      }
      first = offset + length;
    }
  }
}

/** Ranges that each connection is asked for: enough that none is idle for long while others still have one. */
const RANGES_EACH = 4;

function placedPartSize(left: number, { partSize, largestPart = partSize, queueSize }: RangeSettings): number {
  return Math.max(partSize, Math.min(largestPart, wholeBlocks(left / (queueSize * RANGES_EACH))));
}

function withoutTag(): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    "S3 answered without an entity tag, by which ranges of one version are told from those of another: send a GetObjectCommand.",
  );
}
