import { S3EncryptionError } from "@s3ec/materials";

/** Parts that wait until others have their place. */
export class WaitingParts {
  readonly #waiting = new Set<(failure?: S3EncryptionError) => void>();

  /** All look again at whether they have a place now. */
  wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** All fail, since part 1 has: nothing says any more that it will come. */
  fail(cause: unknown): void {
    const failure = new S3EncryptionError(
      "unsupported-operation",
      "The part was not sent: it waited for part 1, which failed.",
      { cause },
    );
    for (const look of [...this.#waiting]) look(failure);
  }

  /**
   * Waits until it is time to look again, also because of an abort; false where nothing has changed by the deadline.
   *
   * @param deadline as `performance.now()` tells the time
   */
  async next(deadline: number, signal: AbortSignal | undefined): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    let look: (failure?: S3EncryptionError) => void = () => {};
    const onAbort = (): void => look();
    try {
      return await new Promise<boolean>((resolve, reject) => {
        look = (failure) => (failure === undefined ? resolve(true) : reject(failure));
        this.#waiting.add(look);
        signal?.addEventListener("abort", onAbort, { once: true });
        timer = setTimeout(() => resolve(false), Math.max(0, deadline - performance.now()));
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      this.#waiting.delete(look);
    }
  }
}
