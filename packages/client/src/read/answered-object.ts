import type { GetObjectCommandInput, GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import type { CallOptions } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import { plainClientOf } from "../plain-client.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import { askAgain } from "./ask-again.js";
import { BesideObject } from "./beside-object.js";
import { ReadAhead } from "./read-ahead.js";
import { resumedBody } from "./resumed-body.js";
import type { CiphertextBody } from "./whole-content.js";

export type Result = { output: GetObjectCommandOutput; response: unknown };
export type Next = (input: GetObjectCommandInput) => Promise<Result>;

/** Bytes of an object that may be held while a file beside it is fetched. */
const HELD_LENGTH = 1024 * 1024;

/** How a get asks S3: for the object and the files beside it the way the caller's command goes, for the rest by its client. */
export class Asking {
  readonly next: Next;
  readonly telemetry: Telemetry;
  readonly #client: S3Client;
  readonly #signal: AbortSignal | undefined;

  /** @param client the one that the command was sent with */
  constructor(next: Next, client: S3Client, { telemetry }: ResolvedOptions, signal: AbortSignal | undefined) {
    this.next = next;
    this.telemetry = telemetry;
    this.#client = client;
    this.#signal = signal;
  }

  /** How often the body of one object is asked for: as often as the client asks for anything. */
  async attempts(): Promise<number> {
    return await this.#client.config.maxAttempts();
  }

  /** @param ready called before each request */
  beside(object: GetObjectCommandInput, ready: () => void): BesideObject {
    return new BesideObject(object, {
      get: async (file) => {
        ready();
        return (await this.next(file)).output;
      },
      client: () => {
        ready();
        return plainClientOf(this.#client);
      },
      signal: this.#signal,
    });
  }
}

/** What S3 answered, while it is found out how to open it. */
export class AnsweredObject {
  /** The stored bytes that are still to be read. */
  chunks: AsyncIterable<Uint8Array>;
  readonly #asked: GetObjectCommandInput;
  readonly #asking: Asking;
  readonly #signal: AbortSignal | undefined;
  #result: Result;
  #body: CiphertextBody;
  #isHeld = false;
  #isLetGo = false;

  constructor(result: Result, asked: GetObjectCommandInput, asking: Asking, { abortSignal }: CallOptions) {
    this.#result = result;
    this.#asked = asked;
    this.#asking = asking;
    this.#signal = abortSignal;
    this.#body = this.#bodyOf(result);
    this.chunks = this.#body.chunks;
  }

  get result(): Result {
    return this.#result;
  }

  get output(): GetObjectCommandOutput {
    return this.#result.output;
  }

  /**
   * What lies beside the object. An object that waits for that must not keep a socket from it: enough of them would wait
   * for ever. A small one is read meanwhile; a large one is let go of, and asked for again.
   */
  beside(object: GetObjectCommandInput): BesideObject {
    return this.#asking.beside(object, () => {
      if (this.#isHeld || this.#isLetGo) return;
      const { ContentLength: length } = this.output;
      if (length === undefined || length > HELD_LENGTH) {
        this.#isLetGo = true;
        this.#body.destroy();
      } else {
        this.#isHeld = true;
        const { chunks } = this;
        const read = async (take: (chunk: Uint8Array) => void): Promise<void> => {
          for await (const chunk of chunks) take(chunk);
        };
        this.chunks = new ReadAhead(read, Buffer.allocUnsafeSlow(length)).chunks();
      }
    });
  }

  /** The stored bytes, to be decrypted now. */
  async content(): Promise<CiphertextBody> {
    if (this.#isLetGo) {
      this.#isLetGo = false;
      this.#result = await askAgain(this.#asking.next, this.#asked, this.output, this.output.ContentRange);
      this.#body = this.#bodyOf(this.#result);
      this.chunks = this.#body.chunks;
    }
    if (this.chunks === this.#body.chunks) return this.#body;
    const { read, ...body } = this.#body;
    return { ...body, chunks: this.chunks };
  }

  destroy(): void {
    this.#body.destroy();
  }

  #bodyOf({ output }: Result): CiphertextBody {
    return resumedBody(output, {
      asked: this.#asked,
      send: this.#asking.next,
      attempts: async () => (this.#asked.Range === undefined ? await this.#asking.attempts() : 1),
      telemetry: this.#asking.telemetry,
      signal: this.#signal,
    });
  }
}
