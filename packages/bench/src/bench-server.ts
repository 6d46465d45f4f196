import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { Fault } from "@s3ec/dev-server";

export const BUCKET = "bench";

/** A dev-server in a process of its own. */
export class BenchServer {
  readonly config: S3ClientConfig;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, config: S3ClientConfig) {
    this.#process = process;
    this.config = config;
  }

  static async start(directory: string): Promise<BenchServer> {
    const child = fork(fileURLToPath(new URL("server-process.js", import.meta.url)), [directory]);
    const [config] = await once(child, "message");
    return new BenchServer(child, config);
  }

  /** Slows down what is asked of the server meanwhile. */
  async during<Result>(fault: Fault, work: () => Promise<Result>): Promise<Result> {
    await this.#tell({ fault });
    try {
      return await work();
    } finally {
      await this.#tell({});
    }
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.disconnect();
    await exited;
  }

  async #tell(message: { readonly fault?: Fault }): Promise<void> {
    const answered = once(this.#process, "message");
    this.#process.send(message);
    await answered;
  }
}
