import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { EncryptedUpload, type EncryptedUploadOptions, encryptS3, type UploadProgress } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, chunksOf, Fixture, refusal, TEST_KEYRING } from "./fixture.js";
import { busySockets, errorOf, retryingClient, until } from "./transfers.js";

const MiB = 1024 * 1024;

describe("EncryptedUpload", () => {
  const large = bytesOfLength(12 * MiB + 5);
  let fixture: Fixture;
  let folder: string;

  before(async () => {
    fixture = await Fixture.start();
    folder = mkdtempSync(join(tmpdir(), "s3ec-test-"));
  });
  after(async () => {
    await fixture.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => fixture.server.faults.clear());

  async function read(Key: string): Promise<Buffer> {
    const { Body } = await fixture.client().send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  function operations(Key: string): string[] {
    return fixture.server.requests.filter(({ key }) => key === Key).map(({ operation }) => operation);
  }

  function upload(Key: string, options: Partial<EncryptedUploadOptions> & { readonly Body?: Readable | Buffer }) {
    const { Body, ...rest } = options;
    return new EncryptedUpload({
      client: fixture.client(),
      ...rest,
      params: { Bucket: BUCKET, Key, ...(Body && { Body }) },
    });
  }

  const bodies: Record<string, (path: string) => Partial<EncryptedUploadOptions> & { Body?: Readable | Buffer }> = {
    "a file": (path) => ({ file: path }),
    "a read stream": (path) => ({ Body: createReadStream(path) }),
    "a buffer": () => ({ Body: large }),
    "a stream of unknown length": () => ({ Body: Readable.from(chunksOf(large, 100_000)) }),
  };
  for (const [name, options] of Object.entries(bodies)) {
    it(`stores ${name} in parts, and it reads back`, async () => {
      const path = join(folder, "large");
      writeFileSync(path, large);
      const key = `parts ${name}`;
      await upload(key, options(path)).done();
      expect(operations(key)).to.include("CreateMultipartUpload").and.to.include("CompleteMultipartUpload");
      expect((await fixture.stored(key)).body.length).to.equal(large.length + 16);
      expect((await read(key)).equals(large)).to.equal(true);
    });
  }

  it("sends one PutObject when one part holds everything", async () => {
    await upload("one", { Body: Readable.from([Buffer.from("small")]) }).done();
    expect(operations("one")).to.deep.equal(["PutObject"]);
    expect((await read("one")).toString()).to.equal("small");
  });

  it("stores an empty file", async () => {
    const path = join(folder, "empty");
    writeFileSync(path, "");
    await upload("empty", { file: path }).done();
    expect(operations("empty")).to.deep.equal(["PutObject"]);
    expect((await read("empty")).length).to.equal(0);
  });

  for (const [what, length] of [
    ["fill its parts", 10 * MiB - 16],
    ["leave one byte for another part", 10 * MiB - 15],
  ] as const) {
    it(`stores bytes that ${what}, whether or not their number is known`, async () => {
      const bytes = large.subarray(0, length);
      for (const more of [{}, { ContentLength: length }]) {
        fixture.server.clearRequests();
        const params = { Bucket: BUCKET, Key: "exact", Body: Readable.from(chunksOf(bytes, 99_999)), ...more };
        await new EncryptedUpload({ client: fixture.client(), params, partSize: 5 * MiB, queueSize: 1 }).done();
        const parts = Math.ceil((length + 16) / (5 * MiB));
        expect(operations("exact").filter((operation) => operation === "UploadPart").length).to.equal(parts);
        expect((await read("exact")).equals(bytes)).to.equal(true);
      }
    });
  }

  it("says where the object is, in parts or not", async () => {
    for (const [key, Body] of Object.entries({ "a/small one": Buffer.from("small"), "a/large one": large })) {
      const { Location, Bucket, Key } = await upload(key, { Body }).done();
      expect(Location).to.match(/^http:\/\/127\.0\.0\.1:\d+\//);
      expect(new URL(Location ?? "").pathname).to.equal(`/${BUCKET}/${key.replace(" ", "%20")}`);
      expect([Bucket, Key]).to.deep.equal([BUCKET, key]);
    }
  });

  for (const sizes of [{ queueSize: 0 }, { queueSize: 1.5 }, { partSize: 5 * MiB - 1 }, { partSize: Number.NaN }]) {
    it(`refuses ${JSON.stringify(sizes)} before anything is sent`, async () => {
      fixture.server.clearRequests();
      const Body = new Readable({ read() {} });
      const { code } = await refusal((async () => upload("sizes", { Body, ...sizes }).done())());
      expect(code).to.equal("invalid-argument");
      expect(operations("sizes")).to.deep.equal([]);
    });
  }

  it("reads start and end of a read stream as its length", async () => {
    const path = join(folder, "slice");
    writeFileSync(path, large);
    await upload("slice", { Body: createReadStream(path, { start: 10, end: 6 * MiB }) }).done();
    expect((await read("slice")).equals(large.subarray(10, 6 * MiB + 1))).to.equal(true);
  });

  it("reports progress in bytes of the body", async () => {
    const seen: UploadProgress[] = [];
    await upload("progress", { Body: large })
      .on("httpUploadProgress", (event) => seen.push(event))
      .done();
    expect(seen.length).to.be.greaterThan(1);
    expect(seen.at(-1)).to.include({ loaded: large.length, total: large.length, Key: "progress", Bucket: BUCKET });
  });

  it("works on a plain client with encryption options, and on one given to encryptS3", async () => {
    const encryption = { keyring: TEST_KEYRING };
    const params = { Bucket: BUCKET, Key: "plain", Body: large };
    await new EncryptedUpload({ client: fixture.plain, encryption, params }).done();
    expect((await read("plain")).equals(large)).to.equal(true);
    const client = encryptS3(fixture.track(new S3Client(fixture.server.clientConfig)), encryption);
    await new EncryptedUpload({ client, params: { ...params, Key: "encrypted" } }).done();
    expect((await read("encrypted")).equals(large)).to.equal(true);
  });

  it("refuses a client that has no encryption options", () => {
    const make = () => new EncryptedUpload({ client: fixture.plain, params: { Bucket: BUCKET, Key: "k", Body: "x" } });
    expect(make).to.throw("Pass an S3EncryptionClient").with.property("code", "invalid-argument");
  });

  it("keeps metadata and tags", async () => {
    const params = { Bucket: BUCKET, Key: "tagged", Body: large, Metadata: { a: "b" }, ContentType: "text/plain" };
    await new EncryptedUpload({ client: fixture.client(), params, tags: [{ Key: "k 1", Value: "v=1" }] }).done();
    const head = await fixture.plain.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "tagged" }));
    expect(head.Metadata).to.include({ a: "b" });
    expect(head.ContentType).to.equal("text/plain");
    const create = fixture.server.requests.find((request) => request.key === "tagged");
    expect(create?.headers["x-amz-tagging"]).to.equal("k%201=v%3D1");
  });

  it("puts the instruction file right before the object appears", async () => {
    await upload("filed", { Body: large, instructionFileSuffix: ".escrow" }).done();
    const order = fixture.server.requests
      .filter(({ key }) => key?.startsWith("filed"))
      .map(({ operation, key }) => `${operation} ${key}`);
    // Read and looked at before it is put, and once the object is there.
    const asked = ["GetObject filed.escrow", "HeadObject filed"];
    const appeared = order.indexOf("CompleteMultipartUpload filed");
    expect(order.slice(appeared - 3, appeared)).to.deep.equal([...asked, "PutObject filed.escrow"]);
    expect(order.slice(appeared + 1))
      .to.include.members(asked)
      .and.not.include("PutObject filed.escrow");
  });

  it("leaves the instruction file of the object that is there when a part fails", async () => {
    await upload("kept", { Body: Buffer.from("old"), instructionFileSuffix: ".escrow" }).done();
    const before = await fixture.stored("kept.escrow");
    fixture.server.faults.add({ operation: "UploadPart", partNumber: 2, status: 500 });
    await errorOf(upload("kept", { Body: large, instructionFileSuffix: ".escrow" }).done());
    expect((await fixture.stored("kept.escrow")).body.equals(before.body)).to.equal(true);
    expect(fixture.server.openUploads).to.deep.equal([]);
  });

  for (const [what, length] of [
    ["shorter", large.length + 1],
    ["longer", large.length - 1],
  ] as const) {
    it(`refuses a body that is ${what} than its ContentLength, and leaves nothing open`, async () => {
      const Body = Readable.from(chunksOf(large, 65_536));
      const params = { Bucket: BUCKET, Key: what, Body, ContentLength: length };
      const refused = await refusal(new EncryptedUpload({ client: fixture.client(), params }).done());
      expect(refused.code).to.equal("content-mismatch");
      expect(Body.destroyed).to.equal(true);
      expect(fixture.server.openUploads).to.deep.equal([]);
      expect(await fixture.keys(what)).to.deep.equal([]);
    });
  }

  it("refuses a part size with which the length does not fit into 10,000 parts", async () => {
    const Body = new Readable({ read() {} });
    const params = { Bucket: BUCKET, Key: "k", Body, ContentLength: 5 * MiB * 10_000 };
    const refused = await refusal(new EncryptedUpload({ client: fixture.client(), params, partSize: 5 * MiB }).done());
    expect(refused.code).to.equal("invalid-argument");
    expect(Body.destroyed).to.equal(true);
  });

  it("refuses more than the suite can encrypt before the first byte", async () => {
    const Body = new Readable({ read: () => expect.fail("it was read") });
    const params = { Bucket: BUCKET, Key: "k", Body, ContentLength: 2 ** 36 - 31 };
    const refused = await refusal(new EncryptedUpload({ client: fixture.client(), params }).done());
    expect(refused.code).to.equal("content-too-large");
  });

  for (const fault of [{ status: 500 }, { status: 503, code: "SlowDown" }, { cutAfterBytes: 100_000 }]) {
    it(`sends a part again after ${JSON.stringify(fault)}`, async () => {
      fixture.server.faults.add({ operation: "UploadPart", partNumber: 2, times: 1, ...fault });
      const client = retryingClient(fixture);
      await new EncryptedUpload({ client, params: { Bucket: BUCKET, Key: "again", Body: large } }).done();
      expect((await read("again")).equals(large)).to.equal(true);
    });
  }

  describe("aborted", () => {
    it("before it starts", async () => {
      const started = upload("aborted", { Body: large });
      await started.abort();
      expect((await errorOf(started.done())).name).to.equal("AbortError");
    });

    it("while it waits for a source that never yields", async () => {
      const Body = new Readable({ read() {} });
      const started = upload("aborted", { Body });
      const done = errorOf(started.done());
      await new Promise(setImmediate);
      await started.abort();
      expect((await done).name).to.equal("AbortError");
      expect(Body.destroyed).to.equal(true);
    });

    for (const [operation, slowness] of [
      ["CreateMultipartUpload", { delayMs: 300 }],
      ["UploadPart", { throttleBytesPerSecond: MiB }],
    ] as const) {
      it(`while ${operation} is under way`, async () => {
        fixture.server.clearRequests();
        fixture.server.faults.add({ operation, ...slowness });
        const Body = Readable.from(chunksOf(large, 65_536));
        const started = upload("aborted", { Body, client: retryingClient(fixture) });
        const done = errorOf(started.done());
        await until(() => operations("aborted").includes(operation));
        await started.abort();
        expect((await done).name).to.equal("AbortError");
        expect(Body.destroyed).to.equal(true);
        await until(() => fixture.server.openUploads.length === 0 && busySockets() === 0);
        expect(await fixture.keys("aborted")).to.deep.equal([]);
      });
    }
  });

  it("leaves the parts of a failed upload when asked to, and says which upload it was", async () => {
    fixture.server.faults.add({ operation: "UploadPart", partNumber: 3, status: 500 });
    const failed = upload("left", { Body: large, leavePartsOnError: true });
    await errorOf(failed.done());
    const UploadId = failed.uploadId;
    expect(fixture.server.openUploads.map(({ uploadId }) => uploadId)).to.deep.equal([UploadId]);
    await fixture.plain.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: "left", UploadId }));
  });

  it("is where S3EncryptionClient sends a stream of unknown length that is not small", async () => {
    const Body = Readable.from(chunksOf(large, 65_536));
    const output = await fixture.client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "sent", Body }));
    expect(output.ETag).to.match(/-\d+"$/);
    expect(output).not.to.have.any.keys("Location", "Key", "Bucket");
    expect((await read("sent")).equals(large)).to.equal(true);
  });

  it("lets the call's signal abort that", async () => {
    const Body = Readable.from(
      (async function* () {
        yield large;
        await new Promise(() => {});
      })(),
    );
    const stop = new AbortController();
    const sent = errorOf(
      fixture
        .client()
        .send(new PutObjectCommand({ Bucket: BUCKET, Key: "stopped", Body }), { abortSignal: stop.signal }),
    );
    await until(() => fixture.server.openUploads.length === 1);
    stop.abort();
    expect((await sent).name).to.equal("AbortError");
    expect(fixture.server.openUploads).to.deep.equal([]);
  });
});
