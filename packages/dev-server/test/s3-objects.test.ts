import { createHash } from "node:crypto";
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, bytesOf, type Fixture, pattern, refusal, sendRaw, startFixture } from "./fixture.js";

describe("objects", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const put = (Key: string, Body: string | Uint8Array, more = {}) =>
    fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const read = async (Key: string, more = {}): Promise<string> => {
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
    return (await bytesOf(Body)).toString();
  };

  it("come back as they were put, with what was said about them", async () => {
    const described = {
      ContentType: "text/plain",
      CacheControl: "no-cache",
      ContentDisposition: "attachment",
      ContentLanguage: "de",
      StorageClass: "STANDARD_IA",
      ServerSideEncryption: "AES256",
      Metadata: { one: "1", "two-three": "2, 3" },
    } as const;
    const { ETag, ServerSideEncryption } = await put("k", "hello", described);
    expect({ ETag, ServerSideEncryption }).to.deep.equal({
      ETag: '"5d41402abc4b2a76b9719d911017c592"',
      ServerSideEncryption: "AES256",
    });
    for (const Command of [GetObjectCommand, HeadObjectCommand]) {
      const output = await fixture.s3.send(new Command({ Bucket, Key: "k" }));
      expect(output).to.deep.include({ ...described, ContentLength: 5, AcceptRanges: "bytes", ETag });
      expect(Math.abs(Number(output.LastModified) - Date.now())).to.be.below(60_000);
    }
  });

  it("may be empty", async () => {
    await put("empty", "");
    expect(await read("empty")).to.equal("");
  });

  it("have names of any kind, each its own object", async () => {
    const keys = [
      "a",
      "a/b",
      "a/",
      "..",
      "../../etc/passwd",
      "é",
      "e\u0301",
      "漢/字",
      "x".repeat(1024),
      "\u0001&<>\"'",
      "%2F",
    ];
    for (const key of keys) await put(key, `body of ${key}`);
    for (const key of keys) expect(await read(key)).to.equal(`body of ${key}`);
    const { Contents } = await fixture.s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map(({ Key }) => Key)).to.have.members(keys);
    expect(await refusal(put("é".repeat(513), ""))).to.equal("KeyTooLongError 400");
  });

  it("keep the object that was there when a write of it fails", async () => {
    await put("k", "old");
    const headers = { "x-amz-checksum-crc32": "AAAAAA==" };
    await sendRaw(fixture.server, { method: "PUT", path: `/${Bucket}/k`, headers, body: "new" });
    expect(await read("k")).to.equal("old");
  });

  it("can be replaced and deleted while they are read", async () => {
    const body = pattern(20_000_000);
    for (const end of [() => put("k", "new"), () => fixture.s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }))]) {
      await put("k", body);
      const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
      await end();
      expect((await bytesOf(Body)).equals(body)).to.equal(true);
    }
  });

  it("that are not there, or in no bucket, are 404", async () => {
    expect(await refusal(read("none"))).to.equal("NoSuchKey 404");
    expect(await refusal(fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "none" })))).to.equal("NotFound 404");
    const elsewhere = fixture.s3.send(new GetObjectCommand({ Bucket: "nowhere", Key: "k" }));
    expect(await refusal(elsewhere)).to.equal("NoSuchBucket 404");
    expect(await refusal(fixture.s3.send(new PutObjectCommand({ Bucket: "nowhere", Key: "k" })))).to.equal(
      "NoSuchBucket 404",
    );
  });

  describe("read in part", () => {
    const ranges: readonly [string, string, string][] = [
      ["bytes=0-0", "0", "bytes 0-0/10"],
      ["bytes=2-5", "2345", "bytes 2-5/10"],
      ["bytes=7-", "789", "bytes 7-9/10"],
      ["bytes=-3", "789", "bytes 7-9/10"],
      ["bytes=-99", "0123456789", "bytes 0-9/10"],
      ["bytes=8-99", "89", "bytes 8-9/10"],
    ];
    for (const [Range, expected, ContentRange] of ranges)
      it(`${Range} is ${ContentRange}`, async () => {
        await put("k", "0123456789");
        const output = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k", Range }));
        expect(output.$metadata.httpStatusCode).to.equal(206);
        expect(output).to.include({ ContentRange, ContentLength: expected.length });
        expect(output.ChecksumCRC32).to.equal(undefined);
        expect((await bytesOf(output.Body)).toString()).to.equal(expected);
      });

    it("outside the object is 416, and a range that is none is all of it", async () => {
      await put("k", "0123456789");
      for (const Range of ["bytes=10-", "bytes=-0"])
        expect(await refusal(read("k", { Range }))).to.equal("InvalidRange 416");
      for (const Range of ["bytes=5-2", "bytes=0-1,3-4", "lines=1-2"])
        expect(await read("k", { Range })).to.equal("0123456789");
    });

    it("overrides response headers as asked", async () => {
      await put("k", "x");
      const more = { ResponseContentType: "text/html", ResponseContentDisposition: "inline" };
      const output = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k", ...more }));
      expect(output).to.include({ ContentType: "text/html", ContentDisposition: "inline" });
    });
  });

  describe("deleted", () => {
    it("are gone, and deleting what is not there is no error", async () => {
      await put("k", "x");
      for (const _ of [1, 2]) await fixture.s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
      expect(await refusal(read("k"))).to.equal("NoSuchKey 404");
    });

    it("many at once report each, or only failures when quiet", async () => {
      for (const key of ["a", "b & <c>", " d ", "e"]) await put(key, "x");
      const remove = (Quiet: boolean, Objects: { Key: string; ETag?: string }[]) =>
        fixture.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Quiet, Objects } }));
      const first = await remove(false, [{ Key: "a" }, { Key: "b & <c>" }, { Key: "none" }]);
      expect(first.Deleted?.map(({ Key }) => Key)).to.deep.equal(["a", "b & <c>", "none"]);
      const second = await remove(true, [{ Key: " d " }, { Key: "e", ETag: '"0123"' }]);
      expect(second.Deleted).to.equal(undefined);
      expect(second.Errors).to.deep.include.members([
        {
          Key: "e",
          Code: "PreconditionFailed",
          Message: "At least one of the pre-conditions you specified did not hold",
        },
      ]);
      const { Contents } = await fixture.s3.send(new ListObjectsV2Command({ Bucket }));
      expect(Contents?.map(({ Key }) => Key)).to.deep.equal(["e"]);
    });

    it("many at once need a digest and well-formed XML", async () => {
      const post = (body: string, headers = {}) =>
        sendRaw(fixture.server, { method: "POST", path: `/${Bucket}?delete`, body, headers });
      expect((await post("<Delete><Object><Key>a</Key></Object></Delete>")).code).to.equal("InvalidRequest");
      for (const body of [
        "<Delete>",
        "<Delete></Delete>",
        "<Delete><Object/></Delete>",
        "<!DOCTYPE x><Delete/>",
        "a&b;",
      ]) {
        const md5 = createHash("md5").update(body).digest("base64");
        expect((await post(body, { "content-md5": md5 })).code).to.equal("MalformedXML");
      }
    });
  });
});
