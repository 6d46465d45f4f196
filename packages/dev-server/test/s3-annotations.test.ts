import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CopyObjectCommand,
  DeleteObjectAnnotationCommand,
  DeleteObjectCommand,
  GetObjectAnnotationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectAnnotationsCommand,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { expect } from "chai";
import { Bucket, type Fixture, refusal, startFixture } from "./fixture.js";

const Key = "k";

describe("object annotations", () => {
  let fixture: Fixture;
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    fixture = await startFixture({ directory, fsync: false });
    await putObject("body");
  });
  afterEach(async () => {
    await fixture[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const putObject = (Body: string) => fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  const put = (AnnotationName: string, AnnotationPayload: string | Uint8Array, more: object = {}) =>
    fixture.s3.send(new PutObjectAnnotationCommand({ Bucket, Key, AnnotationName, AnnotationPayload, ...more }));
  const get = async (AnnotationName: string, more: object = {}): Promise<string | undefined> => {
    const input = { Bucket, Key, AnnotationName, ...more };
    const { AnnotationPayload } = await fixture.s3.send(new GetObjectAnnotationCommand(input));
    return AnnotationPayload?.transformToString();
  };
  const list = (more: object = {}) => fixture.s3.send(new ListObjectAnnotationsCommand({ Bucket, Key, ...more }));
  const names = async (more: object = {}) =>
    (await list(more)).Annotations?.map(({ AnnotationName }) => AnnotationName);
  const remove = (AnnotationName: string, more: object = {}) =>
    fixture.s3.send(new DeleteObjectAnnotationCommand({ Bucket, Key, AnnotationName, ...more }));
  const head = () => fixture.s3.send(new HeadObjectCommand({ Bucket, Key }));
  const dataFiles = async (): Promise<number> => (await readdir(join(directory, "buckets", Bucket, "data"))).length;

  it("are put, read, replaced, listed and deleted without touching the object", async () => {
    const before = await head();
    const output = await put("x/é", "first");
    expect(output).to.include({ Key, AnnotationName: "x/é", ETag: '"8b04d5e3775d298e78455efc5ca404d5"' });
    expect(output.ChecksumCRC32).to.be.a("string");
    await put("x/é", "second");
    await put("b", "zweite");
    expect(await get("x/é")).to.equal("second");
    const { Annotations, ...answer } = await list();
    expect(Annotations?.map(({ AnnotationName, Size }) => [AnnotationName, Size])).to.deep.equal([
      ["b", 6],
      ["x/é", 6],
    ]);
    expect(Annotations?.[0]).to.deep.include({ ChecksumAlgorithm: ["CRC32"] });
    expect(Annotations?.[0]?.LastModified).to.be.a("date");
    expect(answer).to.include({ Bucket, Key, AnnotationCount: 2 });
    await remove("x/é");
    await remove("x/é");
    expect(await refusal(get("x/é"))).to.equal("NoSuchAnnotation 404");
    expect(await head()).to.deep.include({ ETag: before.ETag, LastModified: before.LastModified });
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).to.equal("body");
    expect(await dataFiles()).to.equal(2);
  });

  it("depend on the object's entity tag when they are told to", async () => {
    const { ETag = "" } = await head();
    await put("a", "1", { ObjectIfMatch: ETag });
    await putObject("other");
    expect(await refusal(put("a", "2", { ObjectIfMatch: ETag }))).to.equal("PreconditionFailed 412");
    await put("a", "3");
    expect(await refusal(remove("a", { ObjectIfMatch: ETag }))).to.equal("PreconditionFailed 412");
    expect(await get("a")).to.equal("3");
    expect(await dataFiles()).to.equal(2);
  });

  it("have names and payloads as S3 allows them", async () => {
    await put("é".repeat(256), "x".repeat(1 << 20));
    for (const [name, payload, error] of [
      ["é".repeat(257), "x", "AnnotationNameTooLong 400"],
      ["", "x", "InvalidAnnotationName 400"],
      ["aws:x", "x", "InvalidAnnotationName 400"],
      ["AWSx", "x", "InvalidAnnotationName 400"],
      ["S3-x", "x", "InvalidAnnotationName 400"],
      ["a", "", "InvalidRequest 400"],
      ["a", "x".repeat((1 << 20) + 1), "InvalidRequest 400"],
      ["a", Buffer.of(0x61, 0xff), "UnsupportedMediaType 415"],
    ] as const)
      expect(await refusal(put(name, payload))).to.equal(error);
    expect(await names()).to.deep.equal(["é".repeat(256)]);
    expect(await refusal(put("a", "x", { Key: "none" }))).to.equal("NoSuchKey 404");
    expect(await refusal(list({ Key: "none" }))).to.equal("NoSuchKey 404");
    expect(await refusal(list({ AnnotationPrefix: "x".repeat(513) }))).to.equal("InvalidPrefix 400");
  });

  it("are at most a thousand an object", async () => {
    for (let i = 0; i < 1000; i++) await put(`n${i}`, "x");
    expect(await refusal(put("one-more", "x"))).to.equal("AnnotationLimitExceeded 400");
    await put("n5", "replaced");
    expect(await dataFiles()).to.equal(1001);
  });

  it("are listed by prefix and page by page, and the answer repeats what it was asked", async () => {
    for (const name of ["a/1", "a/2", "a/3", "b"]) await put(name, "x");
    const first = await list({ AnnotationPrefix: "a/", MaxAnnotationResults: 2 });
    expect(first).to.include({ AnnotationPrefix: "a/", MaxAnnotationResults: 2, AnnotationCount: 2 });
    const ContinuationToken = first.NextContinuationToken;
    expect(ContinuationToken).to.be.a("string");
    const second = await list({ AnnotationPrefix: "a/", MaxAnnotationResults: 2, ContinuationToken });
    expect(second).to.include({ AnnotationCount: 1, ContinuationToken });
    expect(second.NextContinuationToken).to.equal(undefined);
    expect(second.Annotations?.[0]?.AnnotationName).to.equal("a/3");
    expect(await list({ AnnotationPrefix: "none" })).to.include({ AnnotationPrefix: "none", AnnotationCount: 0 });
  });

  it("belong to one version, stay with it, and are gone with it", async () => {
    await fixture.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const { VersionId: first } = await putObject("1");
    const output = await put("a", "of the first");
    expect(output.ObjectVersionId).to.equal(first);
    const { VersionId: second } = await putObject("2");
    expect(await names()).to.deep.equal([]);
    expect(await names({ VersionId: first })).to.deep.equal(["a"]);
    await put("b", "late", { VersionId: first });
    expect(await get("b", { VersionId: first })).to.equal("late");
    await fixture.s3.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await refusal(names())).to.equal("NoSuchKey 404");
    expect(await names({ VersionId: second })).to.deep.equal([]);
    await fixture.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: first }));
    expect(await dataFiles()).to.equal(2);
  });

  it("are gone when the object is replaced or deleted", async () => {
    await put("a", "x");
    await putObject("again");
    expect(await names()).to.deep.equal([]);
    await put("a", "x");
    await fixture.s3.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await dataFiles()).to.equal(0);
  });

  it("are copied by CopyObject, unless they are excluded, and not by an upload in parts", async () => {
    await put("a", "x");
    const copy = (more: object = {}) =>
      fixture.s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/${Key}`, ...more }));
    await copy();
    await remove("a");
    expect(await get("a", { Key: "copy" })).to.equal("x");
    await put("a", "x");
    await copy({ AnnotationDirective: "EXCLUDE" });
    expect(await names({ Key: "copy" })).to.deep.equal([]);
    await copy({ Key, MetadataDirective: "REPLACE" });
    expect(await get("a")).to.equal("x");
    expect(await dataFiles()).to.equal(3);
    expect(await refusal(copy({ IfNoneMatch: "*" }))).to.equal("PreconditionFailed 412");
    expect(await dataFiles()).to.equal(3);
    await new Upload({ client: fixture.s3, params: { Bucket, Key, Body: Buffer.alloc(6 << 20) } }).done();
    expect(await names()).to.deep.equal([]);
  });

  it("can be held and struck by faults", async () => {
    const { faults } = fixture.server;
    const held = faults.pause({ operation: "PutObjectAnnotation", at: "commit" });
    const { ETag = "" } = await head();
    const late = refusal(put("a", "late", { ObjectIfMatch: ETag }));
    await held.reached;
    await putObject("meanwhile");
    held.release();
    expect(await late).to.equal("PreconditionFailed 412");
    await put("a", "x");
    faults.add({ operation: "GetObjectAnnotation", corruptByteAt: 0, times: 1 });
    expect(await refusal(get("a"))).to.equal("Error");
    expect(await get("a")).to.equal("x");
    faults.add({ operation: "DeleteObjectAnnotation", performed: true, times: 1 });
    await refusal(remove("a"));
    expect(await names()).to.deep.equal([]);
  });

  it("are refused by a store that knows that it has none", async () => {
    await using other = await startFixture({ annotations: "refused" });
    await other.s3.send(new PutObjectCommand({ Bucket, Key, Body: "body" }));
    const input = { Bucket, Key, AnnotationName: "a" };
    const calls = [
      other.s3.send(new PutObjectAnnotationCommand({ ...input, AnnotationPayload: "x" })),
      other.s3.send(new DeleteObjectAnnotationCommand(input)),
      other.s3.send(new ListObjectAnnotationsCommand({ Bucket, Key })),
    ];
    expect(await Promise.all(calls.map(refusal))).to.deep.equal(calls.map(() => "NotImplemented 501"));
    const { Body } = await other.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).to.equal("body");
  });

  it("replace and delete the object in a store that has never heard of them", async () => {
    await using other = await startFixture({ annotations: "ignored" });
    await other.s3.send(new PutObjectCommand({ Bucket, Key, Body: "body" }));
    const input = { Bucket, Key, AnnotationName: "a" };
    await other.s3.send(new ListObjectAnnotationsCommand({ Bucket, Key, ContinuationToken: "x" })).catch(() => {});
    expect(other.server.requests.at(-1)?.operation).to.equal("GetObject");
    await other.s3.send(new PutObjectAnnotationCommand({ ...input, AnnotationPayload: "annotation" })).catch(() => {});
    const { Body } = await other.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).to.equal("annotation");
    await other.s3.send(new DeleteObjectAnnotationCommand(input));
    expect(await refusal(other.s3.send(new HeadObjectCommand({ Bucket, Key })))).to.equal("NotFound 404");
  });
});
