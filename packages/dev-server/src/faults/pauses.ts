import { type FaultMatch, type FaultTarget, strikes } from "./fault-match.js";

/**
 * Where a request is held: `request`, before anything is done; `commit`, when its body or its source was read and its
 * source's conditions were checked, before its target's conditions are checked and it takes effect; `answer`, when
 * everything is done and nothing was answered.
 */
export type PauseStage = "request" | "commit" | "answer";

/** Which request to hold, and where. */
export interface PauseRequest extends FaultMatch {
  /** Default `request`. `commit` is a stage of PutObject, CopyObject, UploadPart, UploadPartCopy and CompleteMultipartUpload. */
  readonly at?: PauseStage;
}

/** One request that is, or will be, held. */
export interface Pause {
  /** Resolves once a request is held, with what it is; never, when none comes. */
  readonly reached: Promise<FaultTarget>;
  /** Lets the request go on, whether or not its client still waits; before it came: lets it pass. */
  release(): void;
}

interface Held {
  readonly wanted: PauseRequest;
  readonly released: Promise<void>;
  readonly reach: (target: FaultTarget) => void;
  readonly release: () => void;
  isReached: boolean;
}

/** The requests that tests hold, each pause holding the first that comes to its stage. */
export class Pauses {
  readonly #held = new Set<Held>();

  /** Holds the next request that matches. */
  add(wanted: PauseRequest): Pause {
    let release = (): void => {};
    let reach: (target: FaultTarget) => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reached = new Promise<FaultTarget>((resolve) => {
      reach = resolve;
    });
    const held: Held = { wanted, released, reach, release, isReached: false };
    this.#held.add(held);
    return { reached, release: () => this.#release(held) };
  }

  /** Waits for as long as a test holds this request at this stage, even when its client has gone: S3 would go on too. */
  async hold(target: FaultTarget, stage: PauseStage): Promise<void> {
    for (const held of this.#held) {
      if (held.isReached || (held.wanted.at ?? "request") !== stage || !strikes(held.wanted, target)) continue;
      held.isReached = true;
      held.reach(target);
      await held.released;
      return;
    }
  }

  /** Lets everything go on that is, or would be, held. */
  releaseAll(): void {
    for (const held of this.#held) this.#release(held);
  }

  #release(held: Held): void {
    this.#held.delete(held);
    held.release();
  }
}
