import { PassThrough, Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { EncryptedDownload, type S3EncryptionOptions } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put } from "./fixture.js";

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
});
