import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type Tag,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, type Fixture, refusal, startFixture } from "./fixture.js";

const Key = "k";

describe("object tags", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const put = (Tagging?: string) =>
    fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...(Tagging && { Tagging }) }));
  const tags = async (more: object = {}): Promise<Record<string, string | undefined>> => {
    const { TagSet = [] } = await fixture.s3.send(new GetObjectTaggingCommand({ Bucket, Key, ...more }));
    return Object.fromEntries(TagSet.map((tag) => [tag.Key, tag.Value]));
  };
  const setTags = (TagSet: Tag[], more: object = {}) =>
    fixture.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet }, ...more }));
  const count = async (): Promise<number | undefined> =>
    (await fixture.s3.send(new HeadObjectCommand({ Bucket, Key }))).TagCount;

  it("come with a put and are counted by reads", async () => {
    await put("a=1&b%20c=%C3%A9+x");
    expect(await tags()).to.deep.equal({ a: "1", "b c": "é x" });
    expect(await count()).to.equal(2);
    expect((await fixture.s3.send(new GetObjectCommand({ Bucket, Key }))).TagCount).to.equal(2);
    await put();
    expect(await tags()).to.deep.equal({});
    expect(await count()).to.equal(undefined);
  });

  it("are set and deleted without touching the object", async () => {
    await put();
    const before = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key }));
    await setTags([
      { Key: "a", Value: "1" },
      { Key: "b", Value: "" },
    ]);
    expect(await tags()).to.deep.equal({ a: "1", b: "" });
    const after = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(after).to.deep.include({ ETag: before.ETag, LastModified: before.LastModified, TagCount: 2 });
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).to.equal("x");
    await fixture.s3.send(new DeleteObjectTaggingCommand({ Bucket, Key }));
    expect(await tags()).to.deep.equal({});
  });

  it("belong to one version", async () => {
    await fixture.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const { VersionId } = await put("v=1");
    await put("v=2");
    const output = await setTags([{ Key: "v", Value: "one" }], { VersionId });
    expect(output.VersionId).to.equal(VersionId);
    expect([await tags(), await tags({ VersionId })]).to.deep.equal([{ v: "2" }, { v: "one" }]);
  });

  it("come with an upload in parts", async () => {
    const { UploadId } = await fixture.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, Tagging: "a=1" }));
    const input = { Bucket, Key, UploadId };
    const { ETag } = await fixture.s3.send(new UploadPartCommand({ ...input, PartNumber: 1, Body: "x" }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await fixture.s3.send(new CompleteMultipartUploadCommand({ ...input, MultipartUpload }));
    expect(await tags()).to.deep.equal({ a: "1" });
  });

  it("are copied, unless they are replaced", async () => {
    await put("a=1");
    const copy = (more: object = {}) =>
      fixture.s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/k`, ...more }));
    await copy();
    expect(await tags({ Key: "copy" })).to.deep.equal({ a: "1" });
    await copy({ MetadataDirective: "REPLACE" });
    expect(await tags({ Key: "copy" })).to.deep.equal({ a: "1" });
    await copy({ Tagging: "b=2" });
    expect(await tags({ Key: "copy" })).to.deep.equal({ a: "1" });
    await copy({ Tagging: "b=2", TaggingDirective: "REPLACE" });
    expect(await tags({ Key: "copy" })).to.deep.equal({ b: "2" });
    await copy({ TaggingDirective: "REPLACE" });
    expect(await tags({ Key: "copy" })).to.deep.equal({});
  });

  it("are at most ten, each key once, and no longer than S3 allows", async () => {
    await put();
    const numbered = (length: number): Tag[] => Array.from({ length }, (_, i) => ({ Key: `k${i}`, Value: "v" }));
    await setTags(numbered(10));
    expect(await refusal(setTags(numbered(11)))).to.equal("BadRequest 400");
    const refused: readonly Tag[][] = [
      [
        { Key: "a", Value: "1" },
        { Key: "a", Value: "2" },
      ],
      [{ Key: "x".repeat(129), Value: "" }],
      [{ Key: "a", Value: "x".repeat(257) }],
      [{ Key: "", Value: "" }],
      [{ Key: "aws:x", Value: "" }],
      [{ Key: "a?", Value: "" }],
    ];
    for (const set of refused) expect(await refusal(setTags([...set]))).to.equal("InvalidTag 400");
    expect(await refusal(put("a=1&a=2"))).to.equal("InvalidTag 400");
    expect(Object.keys(await tags())).to.have.length(10);
    expect(await refusal(setTags([], { Key: "none" }))).to.equal("NoSuchKey 404");
    expect(await refusal(tags({ Key: "none" }))).to.equal("NoSuchKey 404");
  });
});
