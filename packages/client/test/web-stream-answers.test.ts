import { PassThrough, Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { EncryptedDownload, EncryptedUpload, type S3EncryptionOptions } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal } from "./fixture.js";

/** What a client answers with whose request handler is built on `fetch`. */
function answerInWebStreams<Client extends S3Client>(client: Client): Client {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const body: unknown = Reflect.get(result.output, "Body");
      if (!(body instanceof Readable)) return result;
      return { ...result, output: { ...result.output, Body: Readable.toWeb(body) } };
    },
    { step: "initialize", priority: "low", name: "answerInWebStreams" },
  );
  return client;
}

describe("a client that is answered in web streams", () => {
  const content = bytesOfLength(2_000_000);
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
    await fixture.client().send(put("object", content));
    await fixture
      .client({ instructionFileConfig: { enableInstructionFilePutObject: true } })
      .send(put("filed", content));
  });
  after(() => fixture.close());

  const client = (options: Partial<S3EncryptionOptions> = {}): S3Client => answerInWebStreams(fixture.client(options));

  const MODES: Readonly<Record<string, Partial<S3EncryptionOptions>>> = {
    "from memory": {},
    "from a spool": { bufferSize: 0 },
    "at once": { enableDelayedAuthenticationMode: true },
  };
  for (const [mode, options] of Object.entries(MODES)) {
    for (const key of ["object", "filed"]) {
      it(`decrypts an object ${mode}: ${key}`, async () => {
        const { Body } = await client(options).send(get(key));
        expect(Body).to.be.instanceOf(ReadableStream);
        expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
      });
    }
  }

  it("decrypts a range", async () => {
    const options = { enableLegacyUnauthenticatedModes: true };
    const { Body } = await client(options).send(
      new GetObjectCommand({ Bucket: BUCKET, Key: "object", Range: "bytes=100-199" }),
    );
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content.subarray(100, 200))).to.equal(true);
  });

  it("downloads", async () => {
    for (const Key of ["object", "filed"]) {
      const to = new PassThrough();
      const received = to.toArray();
      await new EncryptedDownload({ client: client(), params: { Bucket: BUCKET, Key }, to, partSize: 300_000 }).done();
      expect(Buffer.concat(await received).equals(content)).to.equal(true);
    }
  });

  it("gives a stream that ends when it is cancelled", async () => {
    const { Body } = await client({ enableDelayedAuthenticationMode: true }).send(get("object"));
    const reader = Body?.transformToWebStream().getReader();
    await reader?.read();
    await reader?.cancel();
    expect((await reader?.read())?.done).to.equal(true);
  });

  it("gives the error where it would give plaintext of an altered object", async () => {
    const { body, metadata } = await fixture.stored("object");
    body.writeUInt8(body.readUInt8(1000) ^ 1, 1000);
    await fixture.server.putRawObject(BUCKET, "altered", { body, metadata });
    expect((await refusal(client().send(get("altered")))).code).to.equal("decryption-failed");
    const { Body } = await client({ enableDelayedAuthenticationMode: true }).send(get("altered"));
    expect((await refusal(Body?.transformToByteArray() ?? Promise.resolve())).code).to.equal("decryption-failed");
  });

  it("takes an answer without a body for an empty one", async () => {
    const empty = fixture.client();
    empty.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const output = { ...result.output, Body: new Blob([]), ContentLength: 0 };
        return { ...result, output: { ...output, Metadata: {} } };
      },
      { step: "initialize", priority: "low", name: "answerWithBlob" },
    );
    expect((await refusal(empty.send(get("object")))).code).to.equal("not-encrypted");
  });
});

describe("a client of the SDK's build for browsers and Workers", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  function workersClient(): S3Client {
    const client = fixture.client();
    Object.assign(client.config, { runtime: "browser" });
    // Which such a client's handler on `fetch` could not send.
    client.middlewareStack.add(
      (next) => (args) => {
        const body: unknown = Reflect.get(args.request as object, "body");
        if (body instanceof Readable) throw new Error("A stream of Node's was to be sent.");
        return next(args);
      },
      { step: "finalizeRequest", priority: "low", name: "refuseNodeStreams" },
    );
    return answerInWebStreams(client);
  }

  for (const length of [0, 1000, 3_000_000, 12_000_000]) {
    it(`puts a web stream of ${length} bytes without a stream of Node's`, async () => {
      const content = bytesOfLength(length);
      const s3 = workersClient();
      await s3.send(put("stream", new Blob([content]).stream() as never, { ContentLength: length }));
      const { Body } = await s3.send(get("stream"));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
    });
  }

  it("uploads", async () => {
    const content = bytesOfLength(12_000_000);
    const s3 = workersClient();
    await new EncryptedUpload({ client: s3, params: { Bucket: BUCKET, Key: "upload", Body: content } }).done();
    const { Body } = await s3.send(get("upload"));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
  });
});
