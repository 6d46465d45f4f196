import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import {
  type ChecksumAlgorithm,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, bytesOf, type Fixture, pattern, sendRaw, startFixture } from "./fixture.js";

const trailing = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const crcOfHello = "NhCmhg==";

describe("request bodies", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const put = (
    headers: Readonly<Record<string, string>>,
    body: string | readonly string[],
    payloadHash?: string,
  ): ReturnType<typeof sendRaw> =>
    sendRaw(fixture.server, {
      method: "PUT",
      path: `/${Bucket}/k`,
      headers,
      body,
      ...(payloadHash !== undefined && { payloadHash }),
    });
  const putChunked = (body: string | readonly string[], headers: Readonly<Record<string, string>> = {}) =>
    put(
      {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "5",
        "x-amz-trailer": "x-amz-checksum-crc32",
        ...headers,
      },
      body,
      trailing,
    );
  const stored = async (): Promise<readonly (string | undefined)[]> =>
    (await fixture.s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key) ?? [];

  it("come in as streams, without their chunk framing and with their own content encoding", async () => {
    const body = pattern(3_000_001);
    await fixture.s3.send(
      new PutObjectCommand({
        Bucket,
        Key: "k",
        Body: Readable.from([body.subarray(0, 8193), body.subarray(8193, 1_500_000), body.subarray(1_500_000)]),
        ContentLength: body.length,
        ContentEncoding: "gzip",
      }),
    );
    const [request] = fixture.server.requests;
    expect(request?.headers).to.include({ "content-encoding": "gzip,aws-chunked", expect: "100-continue" });
    const read = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    expect(read.ContentEncoding).to.equal("gzip");
    expect((await bytesOf(read.Body)).equals(body)).to.equal(true);
  });

  const checksums: readonly [ChecksumAlgorithm, string][] = [
    ["CRC32", "y/Q5Jg=="],
    ["CRC32C", "4waSgw=="],
    ["CRC64NVME", "rosUhgp5mIg="],
    ["SHA1", "98O8HYCOBHMq1eSZZZKNfjuHezQ="],
    ["SHA256", "FeKwlBWrv0AcAk+KfRPnSWHGBtSE++DK3H94vENLFpQ="],
  ];
  for (const [algorithm, value] of checksums)
    it(`have their ${algorithm} verified, stored and returned`, async () => {
      const name = `Checksum${algorithm}` as const;
      const header = `x-amz-checksum-${algorithm.toLowerCase()}`;
      const expected = algorithm.startsWith("CRC") ? value : createHash(algorithm).update("123456789").digest("base64");
      const output = await fixture.s3.send(
        new PutObjectCommand({ Bucket, Key: "k", Body: "123456789", ChecksumAlgorithm: algorithm }),
      );
      expect(Reflect.get(output, name)).to.equal(expected);
      const head = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "k", ChecksumMode: "ENABLED" }));
      expect(Reflect.get(head, name)).to.equal(expected);
      expect(Reflect.get(await fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "k" })), name)).to.equal(undefined);
      const wrong = await put({ [header]: expected }, "123456780");
      expect(wrong).to.include({ status: 400, code: "BadDigest" });
      expect(await put({ [header]: "AAAA" }, "123456789")).to.include({ status: 400, code: "InvalidRequest" });
    });

  it("are refused when a digest is wrong, and then leave what is stored alone", async () => {
    expect((await put({}, "first")).status).to.equal(200);
    const md5 = createHash("md5").update("other").digest("base64");
    expect((await put({ "content-md5": md5 }, "hello")).code).to.equal("BadDigest");
    expect((await put({ "content-md5": "AAAA" }, "hello")).code).to.equal("InvalidDigest");
    const sha256 = createHash("sha256").update("other").digest("hex");
    expect((await put({}, "hello", sha256)).code).to.equal("XAmzContentSHA256Mismatch");
    expect(
      (await put({ "x-amz-checksum-crc32": crcOfHello, "x-amz-checksum-crc32c": crcOfHello }, "hello")).code,
    ).to.equal("InvalidRequest");
    expect((await put({ "x-amz-sdk-checksum-algorithm": "CRC32" }, "hello")).code).to.equal("InvalidRequest");
    expect((await put({}, "hello", "not-a-hash")).code).to.equal("InvalidArgument");
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    expect(await Body?.transformToString()).to.equal("first");
  });

  it("are decoded from aws-chunked framing however it is cut into pieces", async () => {
    const [first, second] = ["x".repeat(8192), "yz"];
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(first + second));
    const trailer = `x-amz-checksum-crc32:${crc.toString("base64")}`;
    const framed = `2000\r\n${first}\r\n2\r\n${second}\r\n0\r\n${trailer}\r\n\r\n`;
    for (const body of [framed, [...framed]]) {
      expect((await putChunked(body, { "x-amz-decoded-content-length": "8194" })).text).to.equal("");
      const { Body, ContentEncoding } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
      expect(await Body?.transformToString()).to.equal(first + second);
      expect(ContentEncoding).to.equal(undefined);
    }
  });

  const trailer = `x-amz-checksum-crc32:${crcOfHello}\r\n`;
  const badFramings: readonly [string, string, string][] = [
    ["no framing at all", "hello", "IncompleteBody"],
    ["a size that is no number", `5g\r\nhello\r\n0\r\n${trailer}\r\n`, "IncompleteBody"],
    ["a signed chunk", `5;chunk-signature=00\r\nhello\r\n0\r\n${trailer}\r\n`, "IncompleteBody"],
    ["a chunk longer than its size", `4\r\nhello\r\n0\r\n${trailer}\r\n`, "IncompleteBody"],
    ["a bare line feed", `5\nhello\n0\n${trailer}\n`, "IncompleteBody"],
    ["no last chunk", "5\r\nhello\r\n", "IncompleteBody"],
    ["no end after the trailer", `5\r\nhello\r\n0\r\n${trailer}`, "IncompleteBody"],
    ["data after the end", `5\r\nhello\r\n0\r\n${trailer}\r\nmore`, "IncompleteBody"],
    ["less data than announced", `4\r\nhell\r\n0\r\n${trailer}\r\n`, "IncompleteBody"],
    ["more data than announced", `6\r\nhello!\r\n0\r\n${trailer}\r\n`, "IncompleteBody"],
    ["a line without end", "1".repeat(2000), "IncompleteBody"],
    ["no trailer", "5\r\nhello\r\n0\r\n\r\n", "MalformedTrailerError"],
    ["another trailer", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n", "MalformedTrailerError"],
    ["a trailer without a colon", "5\r\nhello\r\n0\r\ncrc\r\n\r\n", "MalformedTrailerError"],
    ["a trailer twice", `5\r\nhello\r\n0\r\n${trailer}${trailer}\r\n`, "MalformedTrailerError"],
    ["a wrong checksum", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest"],
  ];
  for (const [what, body, code] of badFramings)
    it(`are refused for ${what}, and nothing is stored`, async () => {
      expect(await putChunked(body)).to.include({ status: 400, code });
      expect(await stored()).to.deep.equal([]);
    });

  it("are refused for a chunk below 8 KiB that is not the last, and nothing is stored", async () => {
    for (const sizes of [
      [2, 3],
      [8192, 8191, 1],
    ]) {
      const chunks = sizes.map((size) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`).join("");
      const length = String(sizes.reduce((sum, size) => sum + size, 0));
      const answer = await putChunked(`${chunks}0\r\n${trailer}\r\n`, { "x-amz-decoded-content-length": length });
      expect(answer).to.include({ status: 403, code: "InvalidChunkSizeError" });
    }
    expect(await stored()).to.deep.equal([]);
  });

  it("in any other framing are not implemented, and nothing is stored", async () => {
    const headers = { "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "5" };
    for (const hash of ["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"])
      expect((await put(headers, "5\r\nhello\r\n0\r\n\r\n", hash)).status).to.equal(501);
    expect((await put(headers, "5\r\nhello\r\n0\r\n\r\n")).status).to.equal(501);
    expect((await put({ "transfer-encoding": "chunked" }, "hello")).status).to.equal(501);
    expect((await putChunked("", { "x-amz-decoded-content-length": "" })).code).to.equal("MissingContentLength");
    expect(await stored()).to.deep.equal([]);
  });

  it("larger than S3 allows are refused before they are sent", async () => {
    const tooLong = String(5 * 2 ** 30 + 1);
    expect((await putChunked("", { "x-amz-decoded-content-length": tooLong })).code).to.equal("EntityTooLarge");
  });
});
