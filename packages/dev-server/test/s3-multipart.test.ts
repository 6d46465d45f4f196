import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  type ChecksumType,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { expect } from "chai";
import { Bucket, bytesOf, type Fixture, pattern, refusal, startFixture } from "./fixture.js";

const MiB = 2 ** 20;
const Key = "k";

describe("multipart uploads", () => {
  let fixture: Fixture;
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    fixture = await startFixture({ directory, fsync: false });
  });
  afterEach(async () => {
    await fixture[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const create = async (more: { ChecksumAlgorithm?: ChecksumAlgorithm; ChecksumType?: ChecksumType } = {}) =>
    (await fixture.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, Metadata: { a: "b" }, ...more }))).UploadId;
  const upload = async (UploadId: string | undefined, PartNumber: number, Body: Uint8Array): Promise<CompletedPart> => {
    const output = await fixture.s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    return { PartNumber, ETag: output.ETag };
  };
  const complete = (UploadId: string | undefined, Parts: CompletedPart[], more = {}) =>
    fixture.s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }));
  const dataFiles = async (): Promise<number> => (await readdir(join(directory, "buckets", Bucket, "data"))).length;

  it("of lib-storage come back whole, by range and by part", async () => {
    const body = pattern(12 * MiB + 5);
    const done = await new Upload({
      client: fixture.s3,
      params: { Bucket, Key, Body: Readable.from([body]), Metadata: { a: "b" }, ContentType: "text/plain" },
    }).done();
    expect(done.ETag).to.match(/^"[0-9a-f]{32}-3"$/);
    const whole = await fixture.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(whole).to.deep.include({ Metadata: { a: "b" }, ContentType: "text/plain", ETag: done.ETag });
    expect((await bytesOf(whole.Body)).equals(body)).to.equal(true);
    const across = await fixture.s3.send(
      new GetObjectCommand({ Bucket, Key, Range: `bytes=${5 * MiB - 3}-${10 * MiB + 3}` }),
    );
    expect((await bytesOf(across.Body)).equals(body.subarray(5 * MiB - 3, 10 * MiB + 4))).to.equal(true);
    for (const [start, end] of [
      [5 * MiB - 1, 5 * MiB + 1],
      [5 * MiB - 5, 5 * MiB + 5],
      [10 * MiB - 1, 10 * MiB + 4],
    ] as const) {
      const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key, Range: `bytes=${start}-${end - 1}` }));
      expect((await bytesOf(Body)).equals(body.subarray(start, end))).to.equal(true);
    }
    const part = await fixture.s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 3, ChecksumMode: "ENABLED" }));
    expect(part).to.include({ PartsCount: 3, ContentLength: 2 * MiB + 5 });
    expect(part.ContentRange).to.equal(`bytes ${10 * MiB}-${12 * MiB + 4}/${12 * MiB + 5}`);
    expect((await bytesOf(part.Body)).equals(body.subarray(10 * MiB))).to.equal(true);
    const beyond = fixture.s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 4 }));
    expect(await refusal(beyond)).to.equal("InvalidPartNumber 416");
    const both = fixture.s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 1, Range: "bytes=0-1" }));
    expect(await refusal(both)).to.equal("InvalidRequest 400");
    expect(fixture.server.openUploads).to.deep.equal([]);
  });

  it("make an entity tag of their parts' tags, and delete parts that were replaced or left out", async () => {
    const UploadId = await create();
    await upload(UploadId, 1, pattern(10));
    const first = await upload(UploadId, 1, pattern(5 * MiB));
    await upload(UploadId, 2, pattern(5 * MiB));
    const last = await upload(UploadId, 9, pattern(7));
    expect(fixture.server.openUploads).to.deep.equal([{ bucket: Bucket, key: Key, uploadId: UploadId }]);
    const { ETag } = await complete(UploadId, [first, last]);
    const md5 = (bytes: Uint8Array): Buffer => createHash("md5").update(bytes).digest();
    const tags = Buffer.concat([md5(pattern(5 * MiB)), md5(pattern(7))]);
    expect(ETag).to.equal(`"${md5(tags).toString("hex")}-2"`);
    expect(await dataFiles()).to.equal(2);
    expect(fixture.server.openUploads).to.deep.equal([]);
    expect(await refusal(complete(UploadId, [first, last]))).to.equal("NoSuchUpload 404");
  });

  const wholeChecksums = ["CRC32", "CRC32C", "CRC64NVME"] as const;
  for (const ChecksumAlgorithm of wholeChecksums)
    it(`join the ${ChecksumAlgorithm} of parts to that of the whole`, async () => {
      const body = pattern(10 * MiB + 77);
      const name = `Checksum${ChecksumAlgorithm}`;
      const UploadId = await create({ ChecksumAlgorithm, ChecksumType: "FULL_OBJECT" });
      const parts: CompletedPart[] = [];
      for (let i = 0; i < 3; i++) {
        const Body = body.subarray(5 * MiB * i, 5 * MiB * (i + 1));
        const input = { Bucket, Key, UploadId, PartNumber: i + 1, Body, ChecksumAlgorithm };
        parts.push({ PartNumber: i + 1, ETag: (await fixture.s3.send(new UploadPartCommand(input))).ETag });
      }
      const wrong = { [name]: ChecksumAlgorithm === "CRC64NVME" ? "AAAAAAAAAAA=" : "AAAAAA==" };
      expect(await refusal(complete(UploadId, parts, wrong))).to.equal("BadDigest 400");
      const done = await complete(UploadId, parts, { ChecksumType: "FULL_OBJECT" });
      const put = await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "same", Body: body, ChecksumAlgorithm }));
      expect(Reflect.get(done, name)).to.equal(Reflect.get(put, name)).and.to.be.a("string");
      expect(done.ChecksumType).to.equal("FULL_OBJECT");
    });

  it("make a composite checksum of their parts' checksums, which the completion must repeat", async () => {
    const UploadId = await create({ ChecksumAlgorithm: "CRC32" });
    const parts: CompletedPart[] = [];
    for (const [i, Body] of [pattern(5 * MiB), pattern(3)].entries()) {
      const PartNumber = i + 1;
      const { ETag, ChecksumCRC32 } = await fixture.s3.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: "CRC32" }),
      );
      parts.push({ PartNumber, ETag, ChecksumCRC32 });
    }
    const bare = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    expect(await refusal(complete(UploadId, bare))).to.equal("InvalidRequest 400");
    const altered = parts.map((part) => ({ ...part, ChecksumCRC32: "AAAAAA==" }));
    expect(await refusal(complete(UploadId, altered))).to.equal("InvalidPart 400");
    const { ChecksumCRC32, ChecksumType } = await complete(UploadId, parts);
    const digests = Buffer.concat(parts.map((part) => Buffer.from(part.ChecksumCRC32 ?? "", "base64")));
    const expected = Buffer.alloc(4);
    expected.writeUInt32BE(crc32(digests));
    expect({ ChecksumCRC32, ChecksumType }).to.deep.equal({
      ChecksumCRC32: `${expected.toString("base64")}-2`,
      ChecksumType: "COMPOSITE",
    });
    const part = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key, PartNumber: 2, ChecksumMode: "ENABLED" }));
    expect(part.ChecksumCRC32).to.equal(parts[1]?.ChecksumCRC32);
  });

  it("refuse checksums that do not fit the upload", async () => {
    expect(await refusal(create({ ChecksumAlgorithm: "SHA256", ChecksumType: "FULL_OBJECT" }))).to.equal(
      "InvalidRequest 400",
    );
    expect(await refusal(create({ ChecksumAlgorithm: "CRC64NVME", ChecksumType: "COMPOSITE" }))).to.equal(
      "InvalidRequest 400",
    );
    const UploadId = await create({ ChecksumAlgorithm: "SHA256" });
    // The client's default for a part is CRC32.
    expect(await refusal(upload(UploadId, 1, pattern(3)))).to.equal("InvalidRequest 400");
  });

  it("list their parts in pages", async () => {
    const UploadId = await create();
    for (const number of [3, 1, 2]) await upload(UploadId, number, pattern(number));
    const first = await fixture.s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2 }));
    expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).to.deep.equal([
      [1, 1],
      [2, 2],
    ]);
    expect(first).to.include({ IsTruncated: true, NextPartNumberMarker: "2", UploadId });
    const rest = await fixture.s3.send(new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: "2" }));
    expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).to.deep.equal([3]);
    expect(rest.IsTruncated).to.equal(false);
  });

  it("refuse to complete with parts that are small, unknown, altered or out of order", async () => {
    const UploadId = await create();
    const large = await upload(UploadId, 1, pattern(5 * MiB));
    const small = await upload(UploadId, 2, pattern(5 * MiB - 1));
    const last = await upload(UploadId, 3, pattern(1));
    expect(await refusal(complete(UploadId, [large, small, last]))).to.equal("EntityTooSmall 400");
    expect(await refusal(complete(UploadId, [last, large]))).to.equal("InvalidPartOrder 400");
    expect(await refusal(complete(UploadId, [large, large]))).to.equal("InvalidPartOrder 400");
    expect(await refusal(complete(UploadId, [large, { ...last, PartNumber: 4 }]))).to.equal("InvalidPart 400");
    expect(await refusal(complete(UploadId, [{ ...large, ETag: small.ETag }]))).to.equal("InvalidPart 400");
    expect(await refusal(complete(UploadId, []))).to.equal("MalformedXML 400");
    expect(await refusal(complete(UploadId, [large, last], { MpuObjectSize: 7 }))).to.equal("InvalidRequest 400");
    expect(await refusal(upload(UploadId, 10_001, pattern(1)))).to.equal("InvalidArgument 400");
    const { ContentLength } = await complete(UploadId, [large, last], { MpuObjectSize: 5 * MiB + 1 }).then(() =>
      fixture.s3.send(new HeadObjectCommand({ Bucket, Key })),
    );
    expect(ContentLength).to.equal(5 * MiB + 1);
  });

  it("are there to be completed again when a condition fails", async () => {
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: "old" }));
    const UploadId = await create();
    const part = await upload(UploadId, 1, pattern(3));
    expect(await refusal(complete(UploadId, [part], { IfNoneMatch: "*" }))).to.equal("PreconditionFailed 412");
    await complete(UploadId, [part]);
    expect((await bytesOf((await fixture.s3.send(new GetObjectCommand({ Bucket, Key }))).Body)).length).to.equal(3);
  });

  it("are completed once by many completions at once", async () => {
    const UploadId = await create();
    const part = await upload(UploadId, 1, pattern(3));
    // Slow bodies, so that every completion has begun before the first ends.
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", throttleBytesPerSecond: 1000 });
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => complete(UploadId, [part])));
    expect(all.filter(({ status }) => status === "fulfilled")).to.have.length(1);
    expect((await bytesOf((await fixture.s3.send(new GetObjectCommand({ Bucket, Key }))).Body)).length).to.equal(3);
  });

  it("can be replaced while they are read, each part of them", async () => {
    const body = pattern(40 * MiB);
    const params = { Bucket, Key, Body: body };
    await new Upload({ client: fixture.s3, partSize: 10 * MiB, params }).done();
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key }));
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: "new" }));
    expect((await bytesOf(Body)).equals(body)).to.equal(true);
    // The reader's files go with it, which may be a moment after its last byte.
    for (let i = 0; i < 1000 && (await dataFiles()) > 1; i++) await new Promise((r) => setTimeout(r, 5));
    expect(await dataFiles()).to.equal(1);
  });

  it("leave nothing behind when they are aborted", async () => {
    const UploadId = await create();
    await upload(UploadId, 1, pattern(3));
    await fixture.s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    expect(await dataFiles()).to.equal(0);
    expect(fixture.server.openUploads).to.deep.equal([]);
    expect(await refusal(upload(UploadId, 2, pattern(3)))).to.equal("NoSuchUpload 404");
    const otherKey = new ListPartsCommand({ Bucket, Key: "other", UploadId: await create() });
    expect(await refusal(fixture.s3.send(otherKey))).to.equal("NoSuchUpload 404");
  });

  it("take parts from other objects", async () => {
    const source = pattern(6 * MiB);
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "source é", Body: source }));
    const CopySource = `${Bucket}/${encodeURIComponent("source é")}`;
    const UploadId = await create({ ChecksumAlgorithm: "CRC32" });
    const copy = (PartNumber: number, more: object) =>
      fixture.s3.send(new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, CopySource, ...more }));
    const parts: CompletedPart[] = [];
    for (const [i, CopySourceRange] of [undefined, "bytes=1-3"].entries()) {
      const { CopyPartResult } = await copy(i + 1, { CopySourceRange });
      parts.push({ PartNumber: i + 1, ETag: CopyPartResult?.ETag, ChecksumCRC32: CopyPartResult?.ChecksumCRC32 });
    }
    for (const CopySourceRange of ["bytes=0-6291456", "bytes=3-1", "bytes=1-"])
      expect(await refusal(copy(3, { CopySourceRange }))).to.equal("InvalidArgument 400");
    expect(await refusal(copy(3, { CopySourceIfMatch: '"other"' }))).to.equal("PreconditionFailed 412");
    await complete(UploadId, parts);
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect((await bytesOf(Body)).equals(Buffer.concat([source, source.subarray(1, 4)]))).to.equal(true);
  });
});
