import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFile, mkdtemp, open, rm, truncate, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import {
  EncryptedUpload,
  type EncryptedUploadOptions,
  FileChangedError,
  S3EncryptionClient,
  type S3EncryptionOptions,
} from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { expect } from "chai";
import { bytesOfLength, chunksOf, put, refusal, TEST_KEYRING } from "./fixture.js";
import { DrivenUpload, MiB } from "./multipart.js";
import { type Asked, PartStore } from "./part-store.js";
import { ThirdPartyKeyring } from "./third-party-keyring.js";

describe("the requests of an upload", () => {
  let folder: string;
  let file: string;
  let opened: (() => unknown)[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    file = join(folder, "file");
  });
  after(() => rm(folder, { recursive: true }));
  afterEach(async () => {
    for (const close of opened) await close();
    opened = [];
  });

  async function storeThat(instead: (asked: Asked) => boolean | Promise<boolean>): Promise<PartStore> {
    const store = await PartStore.start(instead);
    opened.push(() => store.close());
    return store;
  }

  function clientOf(
    store: PartStore,
    config: S3ClientConfig = {},
    options: Partial<S3EncryptionOptions> = {},
  ): S3EncryptionClient {
    const client = new S3EncryptionClient({
      endpoint: store.endpoint,
      forcePathStyle: true,
      region: "us-east-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      ...config,
      encryption: { keyring: TEST_KEYRING, ...options },
    });
    opened.push(() => client.destroy());
    return client;
  }

  function upload(client: S3EncryptionClient, options: Partial<EncryptedUploadOptions> = {}): EncryptedUpload {
    return new EncryptedUpload({
      client,
      file,
      params: { Bucket: "bucket", Key: "key" },
      partSize: 5 * MiB,
      ...options,
    });
  }

  it("keep no connection idle for other parts: the last is asked for when the others have been read", async () => {
    await writeFile(file, Buffer.alloc(42 * MiB));
    let othersAtLast = 0;
    const store = await storeThat(async ({ part, request }) => {
      if (part === 3) othersAtLast = sum(store.asked.filter((asked) => asked.part !== 3));
      // Slower than all of it could be held by the connection.
      if (part === 2) for (let waits = 0; waits < 20; waits++) await delay(10);
      return request.destroyed;
    });
    await upload(clientOf(store), { partSize: 20 * MiB }).done();
    expect(othersAtLast).to.be.greaterThan(25 * MiB);
  });

  for (const [what, length] of [
    ["has bytes of the file", 12 * MiB],
    ["is the tag", 10 * MiB],
    ["is some of the tag", 10 * MiB - 7],
  ] as const) {
    it(`need a single connection, also where one is refused before it was sent and the last part ${what}`, async () => {
      await writeFile(file, bytesOfLength(length));
      const store = await storeThat(({ part, attempt, response }) => {
        if (part !== 2 || attempt > 1) return false;
        response.writeHead(503, { connection: "close" }).end();
        return true;
      });
      const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
      opened.push(() => httpAgent.destroy());
      // The SDK reads ahead of a request what it sums up.
      const config = { requestHandler: { httpAgent }, requestChecksumCalculation: "WHEN_REQUIRED" } as const;
      await upload(clientOf(store, config)).done();
      expect(store.asked.filter(({ part }) => part === 2)).to.have.length(2);
    });
  }

  for (const [what, body] of [
    ["a file", undefined],
    ["a stream", () => chunksOf(bytesOfLength(61 * MiB), MiB)],
  ] as const) {
    it(`are not taken for done where they were answered before they were sent: ${what}`, async () => {
      await writeFile(file, Buffer.alloc(61 * MiB));
      const store = await storeThat(({ part, response }) => {
        if (part !== 1) return false;
        response.setHeader("etag", '"early"').end();
        return true;
      });
      const params = { Bucket: "bucket", Key: "key", ...(body === undefined ? {} : { Body: body() as never }) };
      const source = body === undefined ? { file } : { file: undefined as never };
      const started = new EncryptedUpload({ client: clientOf(store), params, ...source, partSize: 30 * MiB });
      const error = await refusal(started.done());
      expect(error.code).to.equal("content-mismatch");
      expect(error.message).to.include("not by S3");
      expect(store.asked.at(-1)?.method).to.equal("DELETE");
    });
  }

  for (const length of [100_000, 1.5 * MiB, 11 * MiB]) {
    it(`go to the region that S3 redirects to, also where some of a body was sent: ${length} bytes`, async () => {
      await writeFile(file, bytesOfLength(length));
      const store = await storeThat(redirecting);
      await upload(clientOf(store, { followRegionRedirects: true })).done();
      const puts = store.asked.filter(({ method, isOver }) => method === "PUT" && isOver);
      expect(sum(puts)).to.be.greaterThan(length);
      expect(store.asked.filter(({ isOver }) => !isOver)).to.have.length.greaterThan(0);
    });
  }

  it("refuse to go on in another region with a stream that was read", async () => {
    const store = await storeThat(redirecting);
    const client = clientOf(store, { followRegionRedirects: true, expectContinueHeader: false });
    const chunks = chunksOf(bytesOfLength(12 * MiB), MiB);
    const error = await refusal(client.send(put("key", chunks as never, { ContentLength: 12 * MiB })));
    expect(error.code).to.equal("unsupported-operation");
    expect(error.message).to.include("region of the bucket");
  });

  for (const [what, body] of [
    [
      "a wrong clock",
      (hour: string) => `<Error><Code>RequestTimeTooSkewed</Code><ServerTime>${hour}</ServerTime></Error>`,
    ],
  ] as const) {
    it(`are sent again after ${what}, as the SDK sends bytes`, async () => {
      await writeFile(file, bytesOfLength(3 * MiB));
      const hour = new Date(Date.now() + 3_600_000);
      const store = await storeThat(({ headers, response }) => {
        response.setHeader("date", hour.toUTCString());
        const [, day = "", time = ""] = /(\d{8})T(\d{6})Z/.exec(String(headers["x-amz-date"])) ?? [];
        const signed = Date.parse(
          `${day.replace(/(....)(..)(..)/, "$1-$2-$3")}T${time.replace(/(..)(..)(..)/, "$1:$2:$3")}Z`,
        );
        if (Math.abs(hour.getTime() - signed) < 900_000) return false;
        response.writeHead(403).end(body(hour.toISOString()));
        return true;
      });
      await upload(clientOf(store)).done();
      expect(store.asked.map(({ method }) => method)).to.deep.equal(["PUT", "PUT"]);
    });
  }

  it("do not fail for what a listener throws, which is an error of its own", async () => {
    await writeFile(file, bytesOfLength(MiB));
    const store = await storeThat(() => false);
    const listeners = process.rawListeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const uncaught = once(process, "uncaughtException");
      const started = upload(clientOf(store)).on("httpUploadProgress", () => {
        throw new Error("The listener's own.");
      });
      expect((await started.done()).ETag).to.equal('"o"');
      expect((await uncaught)[0]).to.have.property("message", "The listener's own.");
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener as NodeJS.UncaughtExceptionListener);
    }
  });

  it("wait as long as S3 wants them to before they are sent again", async () => {
    await writeFile(file, bytesOfLength(MiB));
    const store = await storeThat(({ attempt, response }) => {
      if (attempt === 1) response.writeHead(503, { "retry-after": "3" }).end();
      return attempt === 1;
    });
    const client = clientOf(store);
    const hints: unknown[] = [];
    const strategy = await client.config.retryStrategy();
    client.config.retryStrategy = async () => ({
      ...strategy,
      acquireInitialRetryToken: async () => TOKEN,
      recordSuccess: () => {},
      refreshRetryTokenForRetry: async (_, { errorType, retryAfterHint }) => {
        hints.push(errorType, retryAfterHint instanceof Date);
        return TOKEN;
      },
    });
    await upload(client).done();
    expect(hints).to.deep.equal(["TRANSIENT", true]);
  });

  it("of single commands are not taken for done where they were answered before they were sent", async () => {
    const store = await storeThat(({ part, attempt, response }) => {
      if (part === undefined || attempt > 1) return false;
      response.setHeader("etag", '"early"').end();
      return true;
    });
    const started = await DrivenUpload.create(clientOf(store), "key");
    const part = bytesOfLength(20 * MiB);
    const error = await refusal(started.part(1, part));
    expect(error.message).to.include("not by S3");
    expect(await started.part(1, part)).to.equal('"1"');
    await started.complete();
  });

  const messages = { keyring: new ThirdPartyKeyring(), formats: [new AwsMessageFormat()] };
  const LENGTH = 24 * MiB;
  const changes: Readonly<Record<string, () => Promise<unknown>>> = {
    overwritten: async () => {
      const handle = await open(file, "r+");
      await handle.write(Buffer.alloc(MiB, 1), 0, MiB, LENGTH - MiB);
      await handle.close();
    },
    shortened: () => truncate(file, LENGTH - MiB),
    lengthened: () => appendFile(file, "more"),
  };
  for (const [what, options, params] of [
    ["as a message", messages, {}],
    [
      "with a checksum of all of it",
      {},
      { ChecksumSHA256: createHash("sha256").update(Buffer.alloc(LENGTH)).digest("base64") },
    ],
  ] as const) {
    for (const [how, change] of Object.entries(changes)) {
      for (const partSize of [5 * MiB, 30 * MiB]) {
        it(`make no object of a file that is ${how} meanwhile, ${what}, in parts of ${partSize} bytes`, async () => {
          await writeFile(file, Buffer.alloc(LENGTH));
          let isChanged = false;
          const store = await storeThat(async ({ method }) => {
            if (method === "PUT" && !isChanged) await change();
            isChanged ||= method === "PUT";
            return false;
          });
          const started = upload(clientOf(store, { maxAttempts: 1 }, options), {
            partSize,
            params: { Bucket: "bucket", Key: "key", ...params },
          });
          const error = await refusal(started.done());
          expect(error).to.be.instanceOf(FileChangedError);
          expect(error).to.have.property("path", file);
          // Neither all of a put, nor a completion.
          expect(
            store.asked.filter(({ isOver, part }) => isOver && part === undefined).map(({ method }) => method),
          ).not.to.include("PUT");
          expect(store.asked.filter(({ method }) => method === "POST").length).to.be.at.most(1);
        });
      }
    }
  }
});

const TOKEN = { getRetryCount: () => 0, getRetryCost: () => 0, getRetryDelay: () => 0 };

/** As from the region that a bucket is not in, before anything was read. */
function redirecting({ headers, response }: Asked): boolean {
  if (!headers.authorization?.includes("us-east-1")) return false;
  response.writeHead(301, { "x-amz-bucket-region": "eu-south-2" });
  response.end("<Error><Code>PermanentRedirect</Code></Error>");
  return true;
}

function sum(asked: readonly Asked[]): number {
  return asked.reduce((total, { received }) => total + received, 0);
}
