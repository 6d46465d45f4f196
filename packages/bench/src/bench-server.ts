import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CreateBucketCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { Fault } from "@s3ec/dev-server";
import { CREDENTIALS, type Server, startS3 } from "@s3ec/interop";
import type { Certificate } from "./certificate.js";

export const BUCKET = "bench";

/** Which server; over TLS where there is a certificate, which `NODE_EXTRA_CA_CERTS` then has to name. */
export interface ServerKind {
  readonly program: "versitygw" | "dev-server";
  readonly tls?: Certificate;
}

/** A server in a process of its own, so that its work is not counted as the client's. */
export interface BenchServer {
  readonly config: S3ClientConfig;
  /** Slows down what is asked of the server meanwhile; the dev-server only. */
  during<Result>(fault: Fault, work: () => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

/** @param directory where it keeps what it stores */
export function startServer({ program, tls }: ServerKind, directory: string): Promise<BenchServer> {
  return program === "versitygw" ? Versitygw.start(directory, tls) : DevServerProcess.start(directory, tls);
}

class Versitygw implements BenchServer {
  readonly config: S3ClientConfig;
  readonly #server: Server;

  private constructor(server: Server) {
    const { endpoint, region } = server;
    this.config = { endpoint, region, credentials: CREDENTIALS, forcePathStyle: true };
    this.#server = server;
  }

  static async start(directory: string, tls: Certificate | undefined): Promise<Versitygw> {
    const started = new Versitygw(await startS3({ directory, ...(tls === undefined ? {} : { tls }) }));
    const client = new S3Client(started.config);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
    return started;
  }

  during<Result>(): Promise<Result> {
    return Promise.reject(new Error("Only the dev-server can be slowed down."));
  }

  async stop(): Promise<void> {
    await this.#server.close();
  }
}

class DevServerProcess implements BenchServer {
  readonly config: S3ClientConfig;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, config: S3ClientConfig) {
    this.#process = process;
    this.config = config;
  }

  static async start(directory: string, tls: Certificate | undefined): Promise<DevServerProcess> {
    const files = tls === undefined ? [] : [tls.cert, tls.key];
    const child = fork(fileURLToPath(new URL("server-process.js", import.meta.url)), [directory, ...files]);
    const [config] = await once(child, "message");
    return new DevServerProcess(child, config);
  }

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
