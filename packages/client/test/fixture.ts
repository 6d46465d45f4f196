import { randomBytes } from "node:crypto";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { canSealInParts } from "@s3ec/envelope";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";

export const BUCKET = "bucket";

export function put(
  Key: string,
  Body: NonNullable<PutObjectCommandInput["Body"]> = "secret",
  more: Pick<PutObjectCommandInput, "ContentLength"> = {},
): PutObjectCommand {
  return new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more });
}

export function get(Key: string): GetObjectCommand {
  return new GetObjectCommand({ Bucket: BUCKET, Key });
}

/** A dev-server with one bucket, and the clients made against it; `close` ends them all. */
export class Fixture {
  readonly server: DevServer;
  readonly plain: S3Client;
  readonly #clients: S3Client[] = [];

  private constructor(server: DevServer) {
    this.server = server;
    this.plain = this.track(new S3Client({ ...server.clientConfig, maxAttempts: 1 }));
  }

  static async start(): Promise<Fixture> {
    return new Fixture(await startDevServer({ buckets: [BUCKET], fsync: false }));
  }

  track<Client extends S3Client>(client: Client): Client {
    this.#clients.push(client);
    return client;
  }

  client(options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient {
    const keyed = options.keyring === undefined && options.materialsManager === undefined;
    const encryption = keyed ? { ...options, keyring: TEST_KEYRING } : options;
    return this.track(new S3EncryptionClient({ ...this.server.clientConfig, maxAttempts: 1, encryption }));
  }

  /** The stored bytes and metadata, as a client without encryption sees them. */
  async stored(key: string, VersionId?: string): Promise<{ body: Buffer; metadata: Record<string, string> }> {
    const asked = { Bucket: BUCKET, Key: key, ...(VersionId === undefined ? {} : { VersionId }) };
    const { Body, Metadata = {} } = await this.plain.send(new GetObjectCommand(asked));
    return { body: Buffer.from((await Body?.transformToByteArray()) ?? []), metadata: Metadata };
  }

  async metadata(key: string): Promise<Record<string, string>> {
    return (await this.plain.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }))).Metadata ?? {};
  }

  async keys(prefix: string): Promise<string[]> {
    const { Contents = [] } = await this.plain.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
    return Contents.map(({ Key = "" }) => Key);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.server.close();
  }
}

/** A key made for this run; it protects nothing. */
export const TEST_KEYRING: RawAesKeyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });

/** The typed refusal that a promise must end in. */
export async function refusal(promise: Promise<unknown>): Promise<S3EncryptionError> {
  const outcome: unknown = await promise.then(
    () => "it succeeded",
    (error: unknown) => error,
  );
  if (!(outcome instanceof S3EncryptionError)) throw new Error(`Not a typed refusal: ${String(outcome)}`);
  return outcome;
}

/** What must come of an object whose cipher this runtime lacks: a refusal that names the cipher. */
export async function saysWhichCipher(reading: Promise<unknown>): Promise<void> {
  expect((await refusal(reading)).message).to.contain("no aes-192-");
}

/**
 * A suite of what goes on with content in parts. On a runtime that cannot (G10) it is skipped, since it would wait for what
 * never comes, and what it asks for is to be refused by name.
 *
 * @param ask for what is resumed, of the object or as the object `object`
 */
export function describeInParts(title: string, ask: (fixture: Fixture) => Promise<unknown>, body: () => void): void {
  if (canSealInParts()) {
    describe(title, body);
    return;
  }
  describe.skip(title, body);
  it(`${title} is refused by name`, async () => {
    const fixture = await Fixture.start();
    try {
      await fixture.client().send(put("object"));
      const { code, message } = await refusal(ask(fixture));
      expect(code).to.equal("unsupported-operation");
      expect(message).to.match(/ runtime\b/);
      expect(fixture.server.openUploads).to.have.length(0);
    } finally {
      await fixture.close();
    }
  });
}

/** Deterministic bytes that compress and repeat badly enough to show a misplaced chunk. */
export function bytesOfLength(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (length ^ 0x9e3779b9) >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}
