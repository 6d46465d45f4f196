import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";

export const BUCKET = "bucket";

/** Keys made for this run; they protect nothing. */
export const [former, renewed] = ["old", "new"].map(
  (key) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } }),
) as [RawAesKeyring, RawAesKeyring];

/** A dev-server, the clients made against it, and a folder for journals; `close` ends and removes them all. */
export class BulkFixture {
  readonly server: DevServer;
  readonly plain: S3Client;
  readonly folder: string = mkdtempSync(join(tmpdir(), "s3ec-bulk-"));
  readonly #clients: S3Client[] = [];

  private constructor(server: DevServer) {
    this.server = server;
    this.plain = this.track(new S3Client({ ...server.clientConfig, maxAttempts: 1 }));
  }

  static async start(): Promise<BulkFixture> {
    return new BulkFixture(await startDevServer({ buckets: [BUCKET], fsync: false }));
  }

  track<Client extends S3Client>(client: Client): Client {
    this.#clients.push(client);
    return client;
  }

  /** One with the former key, unless told otherwise. */
  client(options: Partial<S3EncryptionOptions> = {}, maxAttempts = 1): S3EncryptionClient {
    const encryption = { keyring: former, ...options } as S3EncryptionOptions;
    return this.track(new S3EncryptionClient({ ...this.server.clientConfig, maxAttempts, encryption }));
  }

  async put(keys: readonly string[], options: Partial<S3EncryptionOptions> = {}): Promise<void> {
    const client = this.client(options);
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: `content of ${Key}` }));
  }

  /** The content, as this keyring reads it; the code of why it does not. */
  async read(Key: string, options: Partial<S3EncryptionOptions> = {}): Promise<string> {
    try {
      const { Body } = await this.client(options).send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      return (await Body?.transformToString()) ?? "";
    } catch (error) {
      return String((error as { readonly code?: unknown }).code);
    }
  }

  /** Requests that change something, and which key they change. */
  changes(operation?: string): string[] {
    const changing = /^(?:Put|Copy|Delete|Complete)/;
    return this.server.requests
      .filter((request) =>
        operation === undefined ? changing.test(request.operation) : request.operation === operation,
      )
      .map(({ key = "" }) => key);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.server.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Keys in the order of a listing. */
export function numbered(count: number, prefix = "o/"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, "0")}`);
}
