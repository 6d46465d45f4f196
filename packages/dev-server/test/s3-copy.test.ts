import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { expect } from "chai";
import { Bucket, bytesOf, type Fixture, pattern, refusal, startFixture } from "./fixture.js";

describe("CopyObject", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture({ buckets: [Bucket, "other"] });
    const described = { ContentType: "text/plain", Metadata: { a: "1" } };
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "a b+é", Body: "hello", ...described }));
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const copy = (more: object = {}) =>
    fixture.s3.send(
      new CopyObjectCommand({ Bucket: "other", Key: "k", CopySource: `${Bucket}/a%20b%2B%C3%A9`, ...more }),
    );

  it("copies the bytes with what is said about them", async () => {
    const { CopyObjectResult } = await copy();
    expect(CopyObjectResult).to.include({ ETag: '"5d41402abc4b2a76b9719d911017c592"', ChecksumCRC32: "NhCmhg==" });
    const output = await fixture.s3.send(new GetObjectCommand({ Bucket: "other", Key: "k" }));
    expect(output).to.deep.include({ ContentType: "text/plain", Metadata: { a: "1" } });
    expect((await bytesOf(output.Body)).toString()).to.equal("hello");
  });

  it("takes a plus in the source's name for a space, unless it is escaped", async () => {
    await copy({ CopySource: `${Bucket}/a+b%2B%C3%A9` });
    expect(await refusal(copy({ CopySource: `${Bucket}/a%20b+%C3%A9` }))).to.equal("NoSuchKey 404");
  });

  it("replaces what is said about them when told to, in place too", async () => {
    const more = { MetadataDirective: "REPLACE", Metadata: { b: "2" }, ContentType: "text/html" };
    await copy({ Bucket, Key: "a b+é", ...more });
    const output = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "a b+é" }));
    expect(output).to.deep.include({ ContentType: "text/html", Metadata: { b: "2" } });
    expect((await bytesOf(output.Body)).toString()).to.equal("hello");
    expect(await refusal(copy({ Bucket, Key: "a b+é" }))).to.equal("InvalidRequest 400");
  });

  it("takes what says how an object is kept from the request alone", async () => {
    const { s3 } = fixture;
    const Key = "a b+é";
    const kept = {
      StorageClass: "STANDARD_IA",
      ServerSideEncryption: "aws:kms",
      WebsiteRedirectLocation: "/x",
    } as const;
    const described = {
      ContentType: "text/css",
      CacheControl: "no-store",
      ContentEncoding: "gzip",
      ContentDisposition: "inline",
    };
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: "hello", ContentLanguage: "de", ...described, ...kept }));
    const headOf = (bucket: string, key: string) => s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    expect(await headOf(Bucket, Key)).to.include({ ...kept, ...described, ContentLanguage: "de" });
    await copy({ ContentType: "ignored/by-copy" });
    const copied = await headOf("other", "k");
    expect(copied).to.include({ ...described, ContentLanguage: "de" });
    for (const name of Object.keys(kept)) expect(Reflect.get(copied, name)).to.equal(undefined);
    await copy({ MetadataDirective: "REPLACE", CacheControl: "public" });
    const replaced = await headOf("other", "k");
    expect(replaced).to.include({ CacheControl: "public", ContentType: "binary/octet-stream" });
    expect([replaced.ContentEncoding, replaced.ContentLanguage]).to.deep.equal([undefined, undefined]);
  });

  for (const change of [
    { StorageClass: "GLACIER_IR" },
    { ServerSideEncryption: "aws:kms" },
    { WebsiteRedirectLocation: "/elsewhere" },
  ] as const)
    it(`changes ${Object.keys(change)} of an object that is copied onto itself, and keeps the rest`, async () => {
      await copy({ Bucket, Key: "a b+é", ...change });
      const head = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "a b+é" }));
      expect(head).to.deep.include({ ...change, ContentType: "text/plain", Metadata: { a: "1" } });
    });

  it("refuses a storage class and a directive that do not exist", async () => {
    expect(await refusal(copy({ StorageClass: "COLD" }))).to.equal("InvalidStorageClass 400");
    expect(await refusal(copy({ TaggingDirective: "OTHER" }))).to.equal("InvalidArgument 400");
  });

  it("makes one piece of a multipart object", async () => {
    const body = pattern(11_000_000);
    await new Upload({ client: fixture.s3, params: { Bucket, Key: "large", Body: body } }).done();
    await copy({ CopySource: `/${Bucket}/large` });
    const head = await fixture.s3.send(new HeadObjectCommand({ Bucket: "other", Key: "k" }));
    expect(head.ETag).to.match(/^"[0-9a-f]{32}"$/);
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket: "other", Key: "k" }));
    expect((await bytesOf(Body)).equals(body)).to.equal(true);
  });

  it("refuses sources that are not there or not named", async () => {
    expect(await refusal(copy({ CopySource: `${Bucket}/none` }))).to.equal("NoSuchKey 404");
    expect(await refusal(copy({ CopySource: "nowhere/k" }))).to.equal("NoSuchBucket 404");
    expect(await refusal(copy({ CopySource: "bucket" }))).to.equal("InvalidArgument 400");
    expect(await refusal(copy({ CopySource: `${Bucket}/a%20b%2B%C3%A9?versionId=3` }))).to.equal("InvalidArgument 400");
    expect(await refusal(copy({ MetadataDirective: "OTHER" }))).to.equal("InvalidArgument 400");
  });
});
