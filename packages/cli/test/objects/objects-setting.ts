import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type GetObjectCommandOutput, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { type Outcome, temporaryFolder } from "../command.js";
import { inProcess } from "./in-process.js";

/** A local S3, a folder with a configuration, and a client that does not encrypt. */
export class ObjectsSetting {
  readonly server: DevServer;
  readonly folder: string;
  readonly plain: S3Client;
  readonly #remove: () => void;

  private constructor(server: DevServer, { folder, remove }: ReturnType<typeof temporaryFolder>) {
    this.server = server;
    this.folder = folder;
    this.#remove = remove;
    this.plain = new S3Client(server.clientConfig);
    // A key that is made for tests.
    writeFileSync(join(folder, "app.key"), Buffer.alloc(32, 7), { mode: 0o600 });
    this.configure({});
  }

  static async start(buckets: readonly string[] = ["demo", "other"]): Promise<ObjectsSetting> {
    return new ObjectsSetting(await startDevServer({ buckets: [...buckets] }), temporaryFolder());
  }

  configure(client: object): void {
    const keyring = { type: "raw-aes", wrappingKey: { file: "app.key" } };
    writeFileSync(join(this.folder, "s3ec.config.json"), JSON.stringify({ keyring, client }));
  }

  /** Runs `s3ec`; a command that waits for standard input must not be run so. */
  run(...args: readonly string[]): Promise<Outcome> {
    return inProcess([...args, "--dev-server", this.server.endpoint], this.folder);
  }

  /** Makes a file, last modified a minute ago, or then. */
  write(name: string, content: string | Uint8Array, modified = new Date(Date.now() - 60_000)): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, modified, modified);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  modified(name: string): number {
    return statSync(join(this.folder, name)).mtimeMs;
  }

  /** The files below a folder, sorted, and none behind a link, which the `recursive` of newer Nodes follows. */
  files(name: string): string[] {
    const below = (path: string): string[] =>
      readdirSync(join(this.folder, name, path), { withFileTypes: true }).flatMap((entry) => {
        const at = join(path, entry.name);
        return entry.isDirectory() ? below(at) : entry.isFile() ? [at] : [];
      });
    return below("").sort();
  }

  async putPlain(Key: string, Body: string, Bucket = "demo"): Promise<void> {
    await this.plain.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: "text/plain" }));
  }

  async head(Key: string, Bucket = "demo"): Promise<Omit<GetObjectCommandOutput, "Body">> {
    return await this.plain.send(new HeadObjectCommand({ Bucket, Key }));
  }

  /** Whether S3 was asked for such operations since `clearRequests`. */
  asked(operation: string): number {
    return this.server.requests.filter((request) => request.operation === operation).length;
  }

  async end(): Promise<void> {
    this.plain.destroy();
    await this.server.close();
    this.#remove();
  }
}
