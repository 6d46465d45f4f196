import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { EncryptedDownload, EncryptedUpload, type S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat, type AwsMessageFormatOptions } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { assert } from "chai";
import { BUCKET, bytesOfLength, chunksOf, Fixture, refusal, TEST_KEYRING } from "./fixture.js";
import { ThirdPartyKeyring } from "./third-party-keyring.js";
import { busySockets, errorOf, retryingClient, until } from "./transfers.js";

const FRAME = 1000;
const MiB = 1024 * 1024;

describe("messages as objects", () => {
  let fixture: Fixture;
  let folder: string;
  const keyring = new ThirdPartyKeyring();

  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    fixture.server.clearRequests();
    keyring.unwraps = 0;
  });
  afterEach(async () => {
    fixture.server.faults.clear();
    await rm(folder, { recursive: true });
  });

  function encryption(
    format: AwsMessageFormatOptions = {},
    options: Partial<S3EncryptionOptions> = {},
  ): S3EncryptionOptions {
    return { keyring, formats: [new AwsMessageFormat({ frameLength: FRAME, ...format }), new S3Format()], ...options };
  }

  function client(format: AwsMessageFormatOptions = {}, options: Partial<S3EncryptionOptions> = {}) {
    return fixture.client(encryption(format, options));
  }

  async function bytesOf(s3: S3EncryptionClient, Key: string, Range?: string): Promise<Buffer> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key, Range }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  /** Bytes that S3 was asked for with ranges. */
  function bytesAsked(): number {
    const ranges = fixture.server.requests.map(({ headers }) => /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? ""));
    return ranges.reduce((sum, match) => sum + (match === null ? 0 : Number(match[2]) - Number(match[1]) + 1), 0);
  }

  for (const signed of [false, true]) {
    for (const length of [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 100_000]) {
      it(`puts and gets ${length} bytes, ${signed ? "signed" : "unsigned"}`, async () => {
        const s3 = client({ signed });
        const content = bytesOfLength(length);
        const Metadata = { owner: "somebody" };
        await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "whole", Body: content, Metadata }));
        const stored = await fixture.stored("whole");
        assert.equal(stored.body.toString("hex", 0, 3), signed ? "020578" : "020478");
        assert.deepEqual(stored.metadata, Metadata);
        const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: "whole" }));
        assert.equal(ContentLength, length);
        assert.deepEqual(Buffer.from((await Body?.transformToByteArray()) ?? []), content);
      });
    }
  }

  it("are written by one call where the client writes the S3 formats, and the other way round", async () => {
    const s3 = client({}, { formats: [new S3Format(), new AwsMessageFormat({ frameLength: FRAME })] });
    const Body = "a message";
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "call", Body }), { format: "message" });
    assert.deepEqual((await fixture.stored("call")).metadata, {});
    assert.equal((await bytesOf(s3, "call")).toString(), Body);
    await client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "call", Body }), { format: "s3" });
    assert.property((await fixture.stored("call")).metadata, "x-amz-c");
    assert.equal((await bytesOf(s3, "call")).toString(), Body);
  });

  it("are not recognised by a client or a call that does not ask for them", async () => {
    await client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "unasked", Body: "a message" }));
    const get = new GetObjectCommand({ Bucket: BUCKET, Key: "unasked" });
    const { code, message } = await refusal(fixture.client({ keyring }).send(get));
    assert.equal(code, "not-encrypted");
    assert.match(message, /message of the AWS Encryption SDK.* formats/);
    assert.equal((await refusal(client().send(get, { format: "s3" }))).code, "not-encrypted");
    assert.equal(keyring.unwraps, 0);
  });

  it("cannot be written without a message format, nor with an instruction file", async () => {
    const put = new PutObjectCommand({ Bucket: BUCKET, Key: "refused", Body: "x" });
    assert.equal((await refusal(fixture.client().send(put, { format: "message" }))).code, "invalid-argument");
    const withFile = client().send(put, { instructionFileSuffix: ".escrow" });
    assert.equal((await refusal(withFile)).code, "invalid-argument");
    assert.deepEqual(await fixture.keys("refused"), []);
  });

  it("bind the encryption context, whatever the keyring binds, and refuse another before a key is used", async () => {
    const s3 = client();
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "context", Body: "x" }), {
      encryptionContext: { tenant: "ä", b: "" },
    });
    const get = new GetObjectCommand({ Bucket: BUCKET, Key: "context" });
    for (const encryptionContext of [
      undefined,
      {},
      { tenant: "ä" },
      { tenant: "ä", b: "", c: "" },
      { tenant: "a", b: "" },
    ]) {
      assert.equal((await refusal(s3.send(get, encryptionContext && { encryptionContext }))).code, "context-mismatch");
    }
    assert.equal(keyring.unwraps, 0);
    const { Body } = await s3.send(get, { encryptionContext: { b: "", tenant: "ä" } });
    assert.equal(await Body?.transformToString(), "x");
  });

  it("refuse a description where no wrap can store it, and hold one that a wrap does", async () => {
    const raw = client(
      {},
      { keyring: new RawAesKeyring({ wrappingKey: randomBytes(32), messageKey: { namespace: "tests", name: "key" } }) },
    );
    const put = new PutObjectCommand({ Bucket: BUCKET, Key: "described", Body: "x" });
    const get = new GetObjectCommand({ Bucket: BUCKET, Key: "described" });
    const materialDescription = { key: "2026" };
    assert.equal((await refusal(raw.send(put, { materialDescription }))).code, "invalid-argument");
    await raw.send(put);
    assert.equal((await refusal(raw.send(get, { materialDescription }))).code, "context-mismatch");
    await client().send(put, { materialDescription });
    assert.equal(
      (await refusal(client().send(get, { materialDescription: { key: "2025" } }))).code,
      "context-mismatch",
    );
    const { Body } = await client().send(get, { materialDescription });
    assert.equal(await Body?.transformToString(), "x");
  });

  it("leave the S3 formats readable, in metadata and instruction files, small and large", async () => {
    const reader = client({}, { keyring: TEST_KEYRING, commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" });
    for (const commitmentPolicy of ["FORBID_ENCRYPT_ALLOW_DECRYPT", "REQUIRE_ENCRYPT_REQUIRE_DECRYPT"] as const) {
      for (const enableInstructionFilePutObject of [false, true]) {
        for (const length of [0, 5, 100_000, 2 * MiB]) {
          const content = bytesOfLength(length);
          const writer = fixture.client({
            commitmentPolicy,
            instructionFileConfig: { enableInstructionFilePutObject },
          });
          await writer.send(new PutObjectCommand({ Bucket: BUCKET, Key: "s3", Body: content }));
          assert.deepEqual(await bytesOf(reader, "s3"), content);
          const to = join(folder, "s3");
          const params = { Bucket: BUCKET, Key: "s3" };
          await new EncryptedDownload({ client: reader, params, to }).done();
          assert.deepEqual(await readFile(to), content);
          assert.equal((await refusal(bytesOf(reader, "s3", "bytes=0-0"))).code, "legacy-disabled");
        }
      }
    }
  });

  it("are told from objects that nobody encrypted", async () => {
    for (const content of ["", "\u0002", "\u0001", "\u0001\u0080\u0004", "plain text", "\u0002\u0004\u0077 and more"]) {
      const Body = Buffer.from(content, "latin1");
      await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "nobody", Body }));
      assert.equal((await refusal(bytesOf(client(), "nobody"))).code, "not-encrypted");
    }
  });

  describe("ranges", () => {
    const content = bytesOfLength(10 * FRAME + 10);
    before(() => client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "range", Body: content })));

    const ranges: [string, number, number][] = [
      ["bytes=0-0", 0, 0],
      [`bytes=${FRAME - 1}-${FRAME}`, FRAME - 1, FRAME],
      [`bytes=${2 * FRAME}-${3 * FRAME - 1}`, 2 * FRAME, 3 * FRAME - 1],
      ["bytes=9990-", 9990, 10_009],
      ["bytes=-5", 10_005, 10_009],
      ["bytes=-99999", 0, 10_009],
      ["bytes=10009-20000", 10_009, 10_009],
    ];
    for (const [Range, first, last] of ranges) {
      it(`answer ${Range}, authenticated, without any switch`, async () => {
        const get = new GetObjectCommand({ Bucket: BUCKET, Key: "range", Range });
        const { Body, ContentLength, ContentRange } = await client().send(get);
        assert.equal(ContentLength, last - first + 1);
        assert.equal(ContentRange, `bytes ${first}-${last}/${content.length}`);
        const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
        assert.deepEqual(bytes, content.subarray(first, last + 1));
      });
    }

    it("past the end are S3's own 416", async () => {
      const error = await errorOf(bytesOf(client(), "range", "bytes=10010-"));
      assert.equal(error.name, "InvalidRange");
    });

    it("ask again for a header that is longer than was guessed", async () => {
      const encryptionContext = { long: "x".repeat(20_000) };
      const s3 = client();
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "long", Body: content }), { encryptionContext });
      const get = new GetObjectCommand({ Bucket: BUCKET, Key: "long", Range: "bytes=5000-5009" });
      const { Body } = await s3.send(get, { encryptionContext });
      assert.deepEqual(Buffer.from((await Body?.transformToByteArray()) ?? []), content.subarray(5000, 5010));
    });

    it("refuse an altered frame, and no other", async () => {
      const { body } = await fixture.stored("range");
      body[body.length - 15 * 100] = (body[body.length - 15 * 100] ?? 0) ^ 1;
      await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "altered", Body: body }));
      assert.deepEqual(await bytesOf(client(), "altered", "bytes=0-99"), content.subarray(0, 100));
      assert.equal((await refusal(bytesOf(client(), "altered", "bytes=-2000"))).code, "decryption-failed");
    });

    it("never mix two versions of an object", async () => {
      const s3 = client();
      let gets = 0;
      s3.middlewareStack.add(
        (next, context) => async (args) => {
          if (context.commandName === "GetObjectCommand" && ++gets === 2) {
            await client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "replaced", Body: content }));
          }
          return next(args);
        },
        { step: "serialize" },
      );
      await client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "replaced", Body: content }));
      assert.equal((await refusal(bytesOf(s3, "replaced", "bytes=0-9"))).code, "content-mismatch");
    });

    it("are refused where S3 does not serve the range that was asked for, and leave no socket", async () => {
      const large = bytesOfLength(4 * MiB);
      await client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "unserved", Body: large }));
      for (const [nth, ContentRange] of [
        [1, undefined],
        [1, "bytes 5-2052/9000000"],
        [2, undefined],
        [2, "bytes 0-1/9000000"],
      ] as const) {
        const s3 = retryingClient(fixture, encryption());
        let gets = 0;
        s3.middlewareStack.add(
          (next) => async (args) => {
            const result = await next(args);
            return ++gets === nth ? { ...result, output: { ...result.output, ContentRange } } : result;
          },
          { step: "initialize", priority: "low" },
        );
        assert.equal((await refusal(bytesOf(s3, "unserved", "bytes=1000000-3000000"))).code, "content-mismatch");
        await until(() => busySockets() === 0);
      }
    });

    it("are refused where S3 serves less than it says, rather than asked for again and again", async () => {
      for (const served of [0, 10]) {
        const s3 = retryingClient(fixture, encryption());
        let gets = 0;
        s3.middlewareStack.add(
          (next) => async (args) => {
            assert.isBelow(++gets, 3);
            const result = await next(args);
            const whole = "Body" in result.output ? result.output.Body : undefined;
            if (whole instanceof Readable) whole.destroy();
            const Body = Readable.from([bytesOfLength(served)]);
            return { ...result, output: { ...result.output, Body, ContentRange: "bytes 0-2047/9000" } };
          },
          { step: "initialize", priority: "low" },
        );
        assert.equal((await refusal(bytesOf(s3, "range", "bytes=0-9"))).code, "content-mismatch");
      }
    });

    it("cannot be presigned, as nothing can", async () => {
      const get = new GetObjectCommand({ Bucket: BUCKET, Key: "range", Range: "bytes=0-9" });
      assert.match((await refusal(getSignedUrl(client(), get))).message, /presigned URL/);
    });

    it("of signed messages are refused", async () => {
      await client({ signed: true }).send(new PutObjectCommand({ Bucket: BUCKET, Key: "signed", Body: content }));
      assert.equal((await refusal(bytesOf(client(), "signed", "bytes=0-9"))).code, "unsupported-operation");
    });

    it("of a large object fetch the frames they touch and the header, nothing else", async () => {
      const piece = bytesOfLength(MiB);
      const pieces = async function* () {
        for (let index = 0; index < 96; index++) yield piece;
      };
      const s3 = client({ frameLength: 64 * 1024 });
      const params = { Bucket: BUCKET, Key: "large", Body: Readable.from(pieces()), ContentLength: 96 * MiB };
      await new EncryptedUpload({ client: s3, params }).done();
      fixture.server.clearRequests();
      const [first, length] = [77 * MiB + 64 * 1024 - 10, 20];
      const bytes = await bytesOf(s3, "large", `bytes=${first}-${first + length - 1}`);
      assert.deepEqual(bytes, Buffer.concat([piece, piece]).subarray(first % MiB, (first % MiB) + length));
      assert.isBelow(bytesAsked(), 2 * (64 * 1024 + 32) + 4096);
      assert.isTrue(fixture.server.requests.every(({ headers }) => headers.range !== undefined));
      fixture.server.clearRequests();
      assert.deepEqual(await bytesOf(s3, "large", "bytes=-1"), piece.subarray(-1));
      assert.isBelow(bytesAsked(), 64 * 1024 + 40 + 4096);
    });
  });

  describe("transfers", () => {
    const content = bytesOfLength(11 * MiB + 7);

    for (const signed of [false, true]) {
      it(`upload a stream of unknown length and download it, ${signed ? "signed" : "unsigned"}`, async () => {
        const s3 = client({ frameLength: 4096, signed });
        const params = { Bucket: BUCKET, Key: "stream", Body: Readable.from(chunksOf(content, 99_999)) };
        await new EncryptedUpload({ client: s3, params }).done();
        const to = join(folder, "stream");
        let loaded = 0;
        const download = new EncryptedDownload({ client: s3, params: { Bucket: BUCKET, Key: "stream" }, to });
        download.on("httpDownloadProgress", (progress) => {
          loaded = progress.loaded;
        });
        await download.done();
        assert.equal(loaded, content.length);
        assert.deepEqual(await readFile(to), content);
      });

      it(`read more than bufferSize, ${signed ? "spooled until the signature is verified" : "frame by frame"}`, async () => {
        await client({ signed }).send(new PutObjectCommand({ Bucket: BUCKET, Key: "large", Body: content }));
        const large = { bufferSize: 1000, spool: signed ? {} : (false as const) };
        assert.deepEqual(await bytesOf(client({}, large), "large"), content);
        const refused = bytesOf(client({}, { bufferSize: 1000, spool: false }), "large");
        if (signed) assert.equal((await refusal(refused)).code, "content-too-large");
        else assert.lengthOf(await refused, content.length);
      });
    }

    it("end in an error when the message was cut, after verified frames only, and leave no file", async () => {
      await client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "cut", Body: content }));
      const { body } = await fixture.stored("cut");
      for (const length of [body.length - 1, body.length - 500, 5 * MiB, 200]) {
        const Body = body.subarray(0, length);
        await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "cut-short", Body }));
        const get = new GetObjectCommand({ Bucket: BUCKET, Key: "cut-short" });
        const held = await refusal(client().send(get));
        assert.equal(held.code, "decryption-failed");
        const digest = createHash("sha256");
        let yielded = 0;
        const streamed = client({}, { enableDelayedAuthenticationMode: true })
          .send(get)
          .then(async (output) => {
            for await (const chunk of output.Body as Readable) {
              digest.update(chunk);
              yielded += chunk.length;
            }
          });
        assert.equal((await refusal(streamed)).code, "decryption-failed");
        assert.equal(yielded % FRAME, 0);
        assert.equal(digest.digest("hex"), createHash("sha256").update(content.subarray(0, yielded)).digest("hex"));
        const to = join(folder, "cut");
        const params = { Bucket: BUCKET, Key: "cut-short" };
        const refused = await refusal(new EncryptedDownload({ client: client(), params, to }).done());
        assert.equal(refused.code, "decryption-failed");
        assert.deepEqual(await readdir(folder), []);
      }
    });

    it("can be aborted and left half-way, and leave no socket", async () => {
      const s3 = retryingClient(fixture, encryption());
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "left", Body: content }));
      const unlimited = retryingClient(fixture, encryption({}, { bufferSize: 0 }));
      const { Body } = await unlimited.send(new GetObjectCommand({ Bucket: BUCKET, Key: "left" }));
      for await (const chunk of Body as Readable) {
        assert.isAbove(chunk.length, 0);
        break;
      }
      await until(() => busySockets() === 0);
      const ranged = await unlimited.send(new GetObjectCommand({ Bucket: BUCKET, Key: "left", Range: "bytes=0-" }));
      (ranged.Body as Readable).destroy();
      await until(() => busySockets() === 0);
    });

    it("stay pipeable into another put", async () => {
      const s3 = client();
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "from", Body: content }));
      const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: "from" }));
      assert(Body !== undefined);
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "to", Body, ContentLength }), { format: "s3" });
      const copy = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: "to" }));
      const digest = createHash("sha256");
      await pipeline(copy.Body as Readable, digest);
      assert.equal(digest.digest("hex"), createHash("sha256").update(content).digest("hex"));
    });
  });
});
