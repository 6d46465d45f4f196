import { ClientRequest } from "node:http";
import type { S3Client } from "@aws-sdk/client-s3";
import { httpStatusOf } from "../s3-errors.js";

// A registered symbol on the input survives middleware that copies the input.
const ATTEMPTS = Symbol.for("@s3ec/attempts");

/**
 * What became of each attempt that the SDK made at one request. An answer below 500 says that nothing was done; an attempt
 * of which not all was sent cannot have been done; any other may have been.
 */
export class Attempts {
  readonly #wasSentWhole: () => boolean;
  #doubtful = 0;
  #unanswered = 0;
  #unwritten: ClientRequest | undefined;

  /** @param wasSentWhole asked as an attempt fails: whether its body had been sent to the end */
  constructor(wasSentWhole: () => boolean = () => true) {
    this.#wasSentWhole = wasSentWhole;
  }

  /** Whether it is certain that S3 did not do what it was asked to. */
  get wereRefused(): boolean {
    return this.#doubtful === 0;
  }

  /** Whether S3 may still come to do it: an attempt has arrived of which nothing was heard. */
  get mayStillLand(): boolean {
    return this.#unanswered > 0;
  }

  /** Whether the last answer came after all of its request had left this process, as far as that shows. */
  get wasWritten(): boolean {
    return this.#unwritten === undefined;
  }

  /** Ends a request that was answered before its end, so that nothing of it arrives later. */
  endUnwritten(): void {
    this.#unwritten?.destroy();
  }

  /** @param response as the request handler gave it */
  answered(response: unknown): void {
    const request: unknown = member(member(response, "body"), "req");
    this.#unwritten = request instanceof ClientRequest && !request.writableFinished ? request : undefined;
    if (!wasSentAgain(request)) return;
    this.#doubtful += 1;
    this.#unanswered += 1;
  }

  /** S3 has done it; what fails by then is behind it. */
  succeeded(): void {
    this.#doubtful += 1;
  }

  /** @param status of S3's answer, if there was one; a success that was cut off is none */
  failed(status: number | undefined): void {
    if (status !== undefined && status >= 500) this.#doubtful += 1;
    const isAnswered = status !== undefined && status >= 300;
    if (isAnswered || !this.#wasSentWhole()) return;
    this.#doubtful += 1;
    this.#unanswered += 1;
  }
}

/**
 * Whether the runtime has sent a request twice without a word, as Deno does where a connection that was kept closes before the
 * answer: that is the second one's, and the first may have been done.
 */
function wasSentAgain(request: unknown): boolean {
  return request instanceof ClientRequest && member(request, "_retrying") === true;
}

function member(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
}

/** The same input, with somebody who watches what becomes of it. */
export function watched<Input extends object>(input: Input, attempts: Attempts): Input {
  return { ...input, [ATTEMPTS]: attempts };
}

/** Lets `watched` inputs be watched on a client's stack: inside the SDK's retries, so that each attempt passes. */
export function watchAttempts(stack: Pick<S3Client["middlewareStack"], "add">): void {
  stack.add(
    (next) => async (args) => {
      const attempts: unknown = Reflect.get(args.input, ATTEMPTS);
      if (!(attempts instanceof Attempts)) return next(args);
      try {
        const result = await next(args);
        attempts.succeeded();
        return result;
      } catch (error) {
        attempts.failed(httpStatusOf(error));
        throw error;
      }
    },
    // Outside of what reads the answer: S3 can say with a 200 that it has failed, which the SDK finds there.
    { step: "deserialize", priority: "high", name: "s3EncryptionAttempts", override: true },
  );
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const attempts: unknown = Reflect.get(args.input, ATTEMPTS);
      if (attempts instanceof Attempts) attempts.answered(result.response);
      return result;
    },
    // Before anything has put another stream in the place of the answer's.
    { step: "deserialize", priority: "low", name: "s3EncryptionWritten", override: true },
  );
}
