import { randomBytes } from "node:crypto";
import type { CompletedPart, UploadPartCommandInput } from "@aws-sdk/client-s3";
import type { ContentParts, Piece } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import { abortsMany, requestAborted } from "../request-aborted.js";
import { NOTHING } from "../streams.js";
import { MAX_PARTS } from "../transfer/parts-to-send.js";
import type { PartwiseObject } from "../write/seal-object.js";
import { type FinalPart, finalParts } from "./final-parts.js";
import { type ListedParts, requireAllNamed } from "./named-parts.js";
import { LEAST_PART_LENGTH, PartLayout } from "./part-layout.js";
import { WaitingParts } from "./waiting-parts.js";

/** Milliseconds that a part waits for those that decide its place. */
const PATIENCE = 60_000;

/** A request for those that wait for it, which ends with the last of them. */
export interface HeldSending {
  readonly sent: Promise<void>;
  readonly stop: AbortController;
  waiting: number;
}

/** A part that was encrypted: once, and maybe again the same (S18). */
export interface EncryptedPart {
  readonly number: number;
  /** Bytes, of plaintext and of ciphertext. */
  readonly length: number;
  /** How it is sent: what the caller said of it, without its body. */
  readonly input: UploadPartCommandInput;
  /** What the caller said of its plaintext, and was found right. */
  checksums: Readonly<Record<string, string>>;
  /** What the caller was told that its ETag is, once it was answered. */
  etag: string | undefined;
  answeredAt: Date | undefined;
  /** Ciphertext that is not sent before it is known whether the part is the last. */
  held: Buffer | undefined;
  /** What is held, on its way since another part has come behind it. */
  sending: HeldSending | undefined;
  /** What S3 answered, once it has it. */
  sent: CompletedPart | undefined;
}

/** What a part is, and the bytes to send for it, as they were compared (G4). */
export interface SealedPart {
  readonly part: EncryptedPart;
  readonly ciphertext: Buffer;
}

/**
 * One multipart upload that is under way: which part has its place where, what was sent, and, from its completion on, what it
 * ends in. Once it has ended nothing of it is encrypted any more, and its key is gone (G11).
 */
export class OpenUpload {
  /** As the object was created. */
  readonly input: PartwiseObject["input"];
  readonly siblings: PartwiseObject["siblings"];
  /** Options of the call that created it. */
  readonly call: CallOptions;
  /** Bytes of plaintext that there are to be, where its creator has said so. */
  readonly statedLength: number | undefined;
  readonly #patience: number;
  readonly #layout: PartLayout;
  readonly #parts = new Map<number, EncryptedPart & { readonly piece: Piece }>();
  readonly #waiting = new WaitingParts();
  /** Undefined once it has ended. */
  #content: ContentParts | undefined;
  #ending: string | undefined;
  #final: readonly FinalPart[] | undefined;
  readonly #over = abortsMany();
  #busy = 0;
  #sending = 0;
  #isCompleting = false;
  #onHold: (length: number) => void = NOTHING;

  constructor(
    { input, siblings, parts }: PartwiseObject,
    call: CallOptions,
    statedLength?: number,
    patience: number = PATIENCE,
  ) {
    this.input = input;
    this.siblings = siblings;
    this.call = call;
    this.statedLength = statedLength;
    this.#content = parts;
    this.#layout = new PartLayout(parts.maxLength);
    this.#patience = patience;
  }

  /** Whether a command of it is under way. */
  get isBusy(): boolean {
    return this.#busy > 0;
  }

  /** Of the parts that there are. */
  get parts(): Iterable<EncryptedPart> {
    return this.#parts.values();
  }

  /** @param onHold told of the bytes of a part that is to be held, before it is encrypted: throws where there is no room */
  countedBy(onHold: (length: number) => void): void {
    this.#onHold = onHold;
  }

  /** Bytes of ciphertext that are kept until it is known whether they are the last. */
  get held(): number {
    return [...this.#parts.values()].reduce((sum, { held }) => sum + (held?.length ?? 0), 0);
  }

  /** Bytes of plaintext, and of what is stored; right once all parts are there. */
  get length(): { readonly plain: number; readonly stored: number } {
    const plain = this.#layout.length;
    return { plain, stored: plain + (this.#content?.trailerLength ?? 0) };
  }

  /** Does something of it, during which it is not let go of. */
  async using<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
    }
  }

  /** Completes it, once at a time. */
  async completing<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isCompleting) throw completing();
    this.#isCompleting = true;
    try {
      return await work();
    } finally {
      this.#isCompleting = false;
    }
  }

  /** Ends it for good, with what waits for it. */
  end(why: string): void {
    this.#ending ??= why;
    this.#content = undefined;
    this.#parts.clear();
    this.#final = undefined;
    this.#waiting.wake();
    this.#over.abort();
  }

  /**
   * Reads a part, for as long as there is something to take it.
   * @throws S3EncryptionError `unsupported-operation` once the upload has ended, or its completion has begun
   */
  async reading<T>(read: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    this.#assertTaking();
    try {
      return await read(this.until(signal));
    } catch (error) {
      if (this.#over.signal.aborted && signal?.aborted !== true) this.#openContent();
      throw error;
    }
  }

  /** Aborted once the upload has ended, or with the caller's. */
  until(signal: AbortSignal | undefined): AbortSignal {
    const over = this.#over.signal;
    return signal === undefined ? over : AbortSignal.any([over, signal]);
  }

  /** Takes a part. Those that wait for the first one end with it, whatever it fails for. */
  async taking<T>(number: number | undefined, take: () => Promise<T>): Promise<T> {
    try {
      return await take();
    } catch (error) {
      if (number === 1 && this.#layout.partLength === undefined) this.#waiting.fail(error);
      throw error;
    }
  }

  /**
   * Encrypts a part in its place, as soon as that is known; one that was encrypted before, again, if it is still the same.
   *
   * @throws S3EncryptionError `content-mismatch` for other plaintext in the place of a part, or a place that is taken: the
   *   upload has then ended, before a byte of it is given out (S18, G2); `unsupported-operation` once it has ended, once its
   *   completion has begun (G1), and where what decides its place does not come
   */
  async seal(number: number, plaintext: Uint8Array, said: PartSaid): Promise<SealedPart> {
    const deadline = performance.now() + this.#patience;
    for (;;) {
      // What is encrypted behind its caller's back would be missing in the end.
      if (said.signal?.aborted === true) throw requestAborted();
      const sealed = this.#sealNow(number, plaintext, said);
      if (sealed !== undefined) return sealed;
      if (await this.#waiting.next(deadline, said.signal)) continue;
      const what =
        this.#layout.partLength === undefined
          ? "part 1, whose length decides where it has its place"
          : "all parts before it, which have not the same length";
      throw new S3EncryptionError(
        "unsupported-operation",
        `Part ${number} has waited too long for ${what}: send that first.`,
      );
    }
  }

  /** Nothing is awaited here: no other part can come between the look at a place and its reservation (G2). */
  #sealNow(number: number, plaintext: Uint8Array, { input, checksums }: PartSaid): SealedPart | undefined {
    const content = this.#assertTaking();
    try {
      const known = this.#parts.get(number);
      if (known !== undefined) {
        const ciphertext = content.sealAgain(known.piece, plaintext);
        known.checksums = { ...known.checksums, ...checksums };
        return { part: known, ciphertext };
      }
      const isHeld = this.#mayBeLast(number, plaintext.length);
      // Before it has its place, which nothing gives back.
      if (isHeld) this.#onHold(plaintext.length);
      const offset = this.#layout.place(number, plaintext.length);
      if (offset === undefined) return undefined;
      const { ciphertext, piece } = content.seal(offset, plaintext);
      const part = {
        number,
        length: plaintext.length,
        input,
        checksums,
        piece,
        etag: undefined,
        answeredAt: undefined,
        sending: undefined,
        held: isHeld ? ciphertext : undefined,
        sent: undefined,
      };
      this.#parts.set(number, part);
      this.#waiting.wake();
      return { part, ciphertext };
    } catch (error) {
      if (error instanceof S3EncryptionError && error.code === "content-mismatch") {
        content.abandon();
        this.end(error.message);
      }
      throw error;
    }
  }

  /** S3 takes a short part only as the last, where the tag follows it; behind part 10,000 there is no room for another. */
  #mayBeLast(number: number, length: number): boolean {
    return length < LEAST_PART_LENGTH || length < (this.#layout.partLength ?? length) || number === MAX_PARTS;
  }

  /**
   * Sends a part: its upload is not completed meanwhile.
   * @throws S3EncryptionError `unsupported-operation` once it has ended, or its completion has begun (G1)
   */
  async sending<T>(send: () => Promise<T>): Promise<T> {
    this.#assertTaking();
    this.#sending += 1;
    try {
      return await send();
    } finally {
      this.#sending -= 1;
    }
  }

  /** What is held although another part has come behind it, and is to be sent now. */
  heldBefore(number: number): readonly EncryptedPart[] {
    return [...this.#parts.values()].filter((part) => part.held !== undefined && part.number < number);
  }

  /** What the caller is told of a part's ETag: the first time's, for what is held one that says nothing. */
  answered(part: EncryptedPart, sent?: CompletedPart): string {
    if (sent !== undefined) part.sent = sent;
    part.answeredAt ??= new Date();
    part.etag ??= sent?.ETag ?? `"${randomBytes(16).toString("hex")}"`;
    return part.etag;
  }

  /**
   * Begins its completion: from here on its parts, their lengths and its tag stand (G1). What has to be sent for it, the
   * same whenever it is asked for.
   *
   * @throws S3EncryptionError `invalid-argument` unless exactly the parts that were sent are named, as they were answered;
   *   nothing has changed then
   */
  complete(listed: ListedParts, uploadId: UploadPartCommandInput["UploadId"]): readonly FinalPart[] {
    const content = this.#openContent();
    const parts = [...this.#parts.values()].sort((a, b) => a.number - b.number);
    if (this.#sending > 0) {
      throw new S3EncryptionError("invalid-argument", "Parts are still being sent: complete once they were answered.");
    }
    requireAllNamed(listed, parts);
    this.#final ??= finalParts(parts, content.close(), uploadId);
    this.#waiting.wake();
    return this.#final;
  }

  #assertTaking(): ContentParts {
    const content = this.#openContent();
    if (this.#final !== undefined) throw completing();
    return content;
  }

  #openContent(): ContentParts {
    if (this.#content !== undefined) return this.#content;
    throw new S3EncryptionError(
      "unsupported-operation",
      `This upload has ended: ${(this.#ending ?? "").replace(/\.$/, "")}. Abort it and begin again.`,
    );
  }
}

/** What a caller says of a part, beside its body. */
export interface PartSaid {
  readonly input: UploadPartCommandInput;
  readonly checksums: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

function completing(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    "The completion of this upload has begun: its parts stand. Complete it again, or abort it.",
  );
}
