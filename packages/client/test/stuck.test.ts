import { Agent } from "node:http";
import { PassThrough, Writable } from "node:stream";
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  PutObjectCommand,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { EncryptedDownload, S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

describe("nothing waits for ever:", () => {
  const content = bytesOfLength(5_000_000);
  const params = { Bucket: BUCKET, Key: "object" };
  let fixture: Fixture;

  before(async () => {
    fixture = await Fixture.start();
    const files = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    await fixture.client(files).send(new PutObjectCommand({ ...params, Body: content }));
    await fixture.client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "in-metadata", Body: content }));
  });
  after(() => fixture.close());
  afterEach(() => {
    fixture.server.faults.clear();
    fixture.server.clearRequests();
  });

  async function download(client: S3EncryptionClient, Key: string, partSize: number): Promise<Buffer> {
    const to = new PassThrough();
    const bytes = to.toArray();
    bytes.catch(() => {});
    await new EncryptedDownload({ client, params: { Bucket: BUCKET, Key }, to, partSize }).done();
    return Buffer.concat(await bytes);
  }

  describe("a store that ignores ranges", () => {
    /** Before they are signed, the ranges are taken away. */
    function ignoring(config: S3ClientConfig = {}, options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient {
      const encryption = { keyring: TEST_KEYRING, ...options };
      const settings = { ...fixture.server.clientConfig, maxAttempts: 1, ...config, encryption };
      const client = fixture.track(new S3EncryptionClient(settings));
      client.middlewareStack.add(
        (next) => (args) => {
          const { Range, ...input } = args.input as GetObjectCommandInput;
          return next({ ...args, input });
        },
        { step: "initialize", priority: "low", name: "ignoreRanges" },
      );
      return client;
    }

    for (const [what, options] of [
      ["an object", {}],
      ["an object that is looked at for a message", { formats: [new S3Format(), new AwsMessageFormat()] }],
    ] as const) {
      for (const partSize of [1_000_000, 6_000_000]) {
        it(`gives ${what} with an instruction file over a single connection, in parts of ${partSize} bytes`, async () => {
          const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
          try {
            const client = ignoring({ requestHandler: { httpAgent } }, options);
            expect((await download(client, "object", partSize)).equals(content)).to.equal(true);
          } finally {
            httpAgent.destroy();
          }
        });
      }
    }

    it("is asked once for an object whose key is in its metadata", async () => {
      const bytes = await download(ignoring(), "in-metadata", 1_000_000);
      expect(bytes.equals(content)).to.equal(true);
      expect(fixture.server.requests.map(({ operation, headers }) => [operation, headers.range])).to.deep.equal([
        ["GetObject", undefined],
      ]);
    });

    it("is asked again for a body that broke off, which goes on where it did", async () => {
      fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 2_000_000, times: 2 });
      const client = ignoring({ maxAttempts: 3 });
      expect((await download(client, "in-metadata", 1_000_000)).equals(content)).to.equal(true);
    });
  });

  describe("a download into a stream that takes nothing any more", () => {
    const ended = (options: ConstructorParameters<typeof Writable>[0] = {}): Writable =>
      new Writable({ write: (_chunk, _encoding, done) => done(), ...options }).end();

    for (const [what, target] of [
      ["was ended just now", () => ended()],
      ["was ended and closed", async () => await closed(ended())],
      ["was ended and stays open", () => ended({ autoDestroy: false })],
      ["was destroyed", () => ended().destroy()],
    ] as const) {
      it(`is refused before anything is asked for when it ${what}`, async () => {
        const started = new EncryptedDownload({ client: fixture.client(), params, to: await target() });
        expect((await refusal(started.done())).code).to.equal("invalid-argument");
        expect(fixture.server.requests.length).to.equal(0);
      });
    }

    for (const [how, stop] of [
      ["ended", (to: Writable) => to.end()],
      ["destroyed", (to: Writable) => to.destroy()],
    ] as const) {
      for (const [when, enableDelayedAuthenticationMode] of [
        ["before the first byte", false],
        ["after the first bytes", true],
      ] as const) {
        it(`is an error when it is ${how} ${when}`, async () => {
          let got = 0;
          const to = new Writable({
            write(chunk: Buffer, _encoding, done) {
              got += chunk.length;
              stop(this);
              done();
            },
          });
          const client = fixture.client({ enableDelayedAuthenticationMode });
          const started = new EncryptedDownload({ client, params, to, partSize: 1_000_000 });
          const outcome = errorOf(started.done());
          if (!enableDelayedAuthenticationMode) stop(to);
          await outcome;
          expect(got).to.be.below(content.length);
        });
      }
    }

    it("tells why a stream failed that did so by itself", async () => {
      const to = new Writable();
      to.on("error", () => {});
      const started = new EncryptedDownload({ client: fixture.client(), params, to });
      to.destroy(new Error("The target's own reason."));
      expect((await errorOf(started.done())).message).to.equal("The target's own reason.");
    });
  });

  it("an object whose reader has gone lets go of what it waits for", async () => {
    fixture.server.faults.add({ operation: "GetObject", throttleBytesPerSecond: 50_000 });
    const client = fixture.client({ enableDelayedAuthenticationMode: true });
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "in-metadata" }));
    const to = new Writable({ write() {} });
    (Body as NodeJS.ReadableStream).pipe(to);
    (Body as unknown as Writable).destroy();
    await closed(Body as unknown as Writable);
  });
});

async function closed<Stream extends { readonly closed: boolean; once(event: "close", done: () => void): unknown }>(
  stream: Stream,
): Promise<Stream> {
  if (!stream.closed) await new Promise<void>((done) => stream.once("close", done));
  return stream;
}
