import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { KMSClient } from "@aws-sdk/client-kms";
import {
  GetObjectCommand,
  S3Client as PlainClient,
  type PutObjectCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { encryptS3, withEncryptionOptions } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import { BUCKET, bytesOfLength, chunksOf, Fixture, refusal, TEST_KEYRING } from "./fixture.js";
import { MiB } from "./multipart.js";
import { errorOf, until } from "./transfers.js";

interface UploadedFile {
  readonly key: string;
  readonly etag: string;
}

/** As far as these tests use them: neither has types. */
interface Multer {
  single(field: string): (request: unknown, response: unknown, next: (error?: unknown) => void) => void;
}
const require = createRequire(import.meta.url);
const multer: (options: { storage: unknown }) => Multer = require("multer");
const multerS3: (options: object) => unknown = require("multer-s3");

describe("Upload of @aws-sdk/lib-storage, on a client that encrypts", () => {
  const content = bytesOfLength(22 * MiB + 3);
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  async function read(Key: string, client: S3Client = fixture.client(), options = {}): Promise<Buffer> {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }), options);
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  function params(Key: string, more: Partial<PutObjectCommandInput> = {}): PutObjectCommandInput {
    return { Bucket: BUCKET, Key, Body: content, ...more };
  }

  const bodies: Record<string, () => NonNullable<PutObjectCommandInput["Body"]>> = {
    "a buffer": () => content,
    "a stream": () => Readable.from(chunksOf(content, 100_000)),
    "a stream that ends with a part": () => Readable.from(chunksOf(content.subarray(0, 20 * MiB), 100_000)),
    "what fits into one part": () => content.subarray(0, 100),
    nothing: () => Buffer.alloc(0),
  };
  for (const [name, body] of Object.entries(bodies)) {
    it(`stores ${name}`, async () => {
      const Body = body();
      const expected = Buffer.isBuffer(Body) ? Body : name === "a stream" ? content : content.subarray(0, 20 * MiB);
      const upload = new Upload({ client: fixture.client(), params: params(name, { Body }) });
      await upload.done();
      expect((await fixture.stored(name)).body.length).to.equal(expected.length + 16);
      expect((await read(name)).equals(expected)).to.equal(true);
    });
  }

  it("stores parts that are no multiple of the cipher's block", async () => {
    const partSize = 5 * MiB + 1;
    await new Upload({ client: fixture.client(), params: params("odd"), partSize, queueSize: 8 }).done();
    expect((await read("odd")).equals(content)).to.equal(true);
  });

  it("tells its progress, and sums of the SDK's that do not stand in its way", async () => {
    for (const requestChecksumCalculation of ["WHEN_SUPPORTED", "WHEN_REQUIRED"] as const) {
      const plain = new PlainClient({ ...fixture.server.clientConfig, requestChecksumCalculation });
      const client = encryptS3(fixture.track(plain), { keyring: TEST_KEYRING });
      const loaded: (number | undefined)[] = [];
      const upload = new Upload({ client, params: params("progress", { ContentLength: content.length }) });
      upload.on("httpUploadProgress", (progress) => loaded.push(progress.loaded));
      await upload.done();
      expect(loaded.at(-1)).to.equal(content.length);
      expect((await read("progress")).equals(content)).to.equal(true);
    }
  });

  for (const ChecksumAlgorithm of ["SHA256", "CRC64NVME"] as const) {
    it(`stores with ${ChecksumAlgorithm} of the ciphertext`, async () => {
      await new Upload({ client: fixture.client(), params: params(ChecksumAlgorithm, { ChecksumAlgorithm }) }).done();
      expect((await read(ChecksumAlgorithm)).equals(content)).to.equal(true);
    });
  }

  it("binds the context that its params carry, in one request and in several", async () => {
    const kms = new KMSClient(fixture.server.clientConfig);
    const keyring = new KmsKeyring({ keyId: fixture.server.kms.createKey().arn, client: kms });
    const client = fixture.client({ keyring });
    const encryptionContext = { tenant: "a" };
    for (const Body of [content, content.subarray(0, 9)]) {
      await new Upload({
        client,
        params: withEncryptionOptions(params("bound", { Body }), { encryptionContext }),
      }).done();
      expect((await refusal(read("bound", client))).code).to.equal("context-mismatch");
      expect((await read("bound", client, { encryptionContext })).equals(Body)).to.equal(true);
    }
    kms.destroy();
  });

  it("refuses options that its params would carry empty, since they are inherited", () => {
    const options = Object.create({ encryptionContext: { tenant: "a" } });
    const carried = refused("invalid-argument", () => withEncryptionOptions(params("inherited"), options));
    expect(carried.message).to.contain("Pass encryptionContext to withEncryptionOptions as a property");
  });

  it("puts children's files beside the object, once it is there", async () => {
    const escrow = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    const keyring = new MultiKeyring({
      generator: TEST_KEYRING,
      children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }],
    });
    for (const wrapPlacement of ["metadata", "instruction-files"] as const) {
      const key = `family-${wrapPlacement}`;
      await new Upload({ client: fixture.client({ keyring, wrapPlacement }), params: params(key) }).done();
      const options = { instructionFileSuffix: ".escrow" };
      expect((await read(key, fixture.client({ keyring: escrow }), options)).equals(content)).to.equal(true);
    }
  });

  it("stores many objects at once with one client", async () => {
    const client = fixture.client();
    const keys = ["c1", "c2", "c3", "c4"];
    const bodies = keys.map((_, index) => content.subarray(index, 11 * MiB + 5 * index));
    await Promise.all(
      keys.map((key, at) => new Upload({ client, params: params(key, { Body: bodies[at] ?? "" }) }).done()),
    );
    for (const [at, key] of keys.entries())
      expect((await read(key)).equals(bodies[at] ?? Buffer.alloc(0))).to.equal(true);
  });

  it("leaves nothing behind when a part fails, is aborted, or its body fails", async () => {
    const client = fixture.client();
    fixture.server.faults.add({ operation: "UploadPart", partNumber: 2, status: 500 });
    await errorOf(new Upload({ client, params: params("failing") }).done());
    fixture.server.faults.clear();
    const pause = fixture.server.faults.pause({ operation: "UploadPart", partNumber: 2 });
    const aborted = new Upload({ client, params: params("aborted") });
    const outcome = errorOf(aborted.done());
    await pause.reached;
    await aborted.abort();
    expect((await outcome).name).to.equal("AbortError");
    pause.release();
    const breaking = async function* (): AsyncGenerator<Buffer> {
      yield content.subarray(0, 12 * MiB);
      throw new Error("the body broke");
    };
    const broken = await errorOf(
      new Upload({ client, params: params("broken", { Body: Readable.from(breaking()) }) }).done(),
    );
    expect(broken.message).to.equal("the body broke");
    await until(() => fixture.server.openUploads.length === 0);
    expect(await fixture.keys("")).not.to.include.members(["failing"]);
  });

  it("leaves its parts with leavePartsOnError, which another client cannot go on with", async () => {
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", status: 500 });
    const upload = new Upload({ client: fixture.client(), params: params("left"), leavePartsOnError: true });
    await errorOf(upload.done());
    expect(fixture.server.openUploads.map(({ key }) => key)).to.deep.equal(["left"]);
  });

  it("is refused sums of the whole before a byte is sent: no part has them", async () => {
    const before = fixture.server.requests.length;
    for (const more of [{ ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==" }, { ChecksumSHA256: "AAAA" }]) {
      const { code, message } = await refusal(
        new Upload({ client: fixture.client(), params: params("sum", more) }).done(),
      );
      expect([code, message.includes("EncryptedUpload")]).to.deep.equal(["unsupported-operation", true]);
    }
    expect(fixture.server.requests.length).to.equal(before);
  });

  it("serves multer-s3 as it is", async () => {
    const storage = multerS3({
      s3: fixture.client(),
      bucket: BUCKET,
      key: (_: unknown, file: { originalname: string }, done: (error: null, key: string) => void) =>
        done(null, file.originalname),
    });
    const take = multer({ storage }).single("file");
    const server = createServer((request, response) => {
      take(request, response, (error) => {
        const file: UploadedFile | undefined = Reflect.get(request, "file");
        response.statusCode = error === undefined && file !== undefined ? 200 : 500;
        response.end(error instanceof Error ? error.name : file?.etag);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const post = async (name: string, bytes: Buffer): Promise<Response> => {
        const form = new FormData();
        form.append("file", new Blob([new Uint8Array(bytes)]), name);
        return await fetch(url, { method: "POST", body: form });
      };
      for (const [name, bytes] of Object.entries({
        "posted-large": content,
        "posted-small": content.subarray(0, 50),
      })) {
        const response = await post(name, bytes);
        expect([response.status, (await response.text()).length > 0]).to.deep.equal([200, true]);
        expect((await read(name)).equals(bytes)).to.equal(true);
      }
      fixture.server.faults.add({ operation: "UploadPart", partNumber: 3, status: 500 });
      expect((await post("posted-failing", content)).status).to.equal(500);
      await until(() => !fixture.server.openUploads.some(({ key }) => key === "posted-failing"));
      expect(await fixture.keys("posted-failing")).to.deep.equal([]);
    } finally {
      server.close();
    }
  });
});
