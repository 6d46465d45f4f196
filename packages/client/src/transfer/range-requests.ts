import type { Readable } from "node:stream";
import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { answeredBody } from "../read/answered-body.js";
import { abortsMany } from "../request-aborted.js";
import { destroyStream } from "../streams.js";
import type { Telemetry } from "../telemetry/telemetry.js";

/** How the stored bytes of an object are asked for. */
export interface RangeSource {
  /** @param signal aborted when the answer is not wanted any more */
  readonly get: (input: GetObjectCommandInput, signal: AbortSignal) => Promise<GetObjectCommandOutput>;
  /** How often one range may be asked for in all. */
  readonly attempts: () => Promise<number>;
  /** Told of each time that one is asked for again. */
  readonly telemetry: Telemetry;
}

/** Made once: each abort would make one, with its stack. */
const NOT_WANTED = Object.assign(new Error("The answer is not wanted any more."), { name: "AbortError" });

/** The requests for one object, and how to let go of them. */
export class Requests {
  readonly #source: RangeSource;
  readonly #outer: AbortSignal;
  readonly #stop = abortsMany();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #bodies = new Set<Readable>();

  constructor(source: RangeSource, outer: AbortSignal) {
    this.#source = source;
    this.#outer = outer;
    outer.addEventListener("abort", this.destroy, { once: true });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  readonly get = async (input: GetObjectCommandInput): Promise<GetObjectCommandOutput> => {
    const request = this.#source.get(input, this.signal);
    this.#pending.add(request);
    const output = await request.finally(() => this.#pending.delete(request));
    const Body = answeredBody(output);
    this.#bodies.add(Body);
    Body.once("close", () => this.#bodies.delete(Body));
    if (this.signal.aborted) destroyStream(Body);
    return output;
  };

  readonly destroy = (): void => {
    this.#outer.removeEventListener("abort", this.destroy);
    this.#stop.abort(NOT_WANTED);
    for (const body of this.#bodies) destroyStream(body);
  };

  async close(): Promise<void> {
    this.destroy();
    await Promise.allSettled(this.#pending);
  }
}
