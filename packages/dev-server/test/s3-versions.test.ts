import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, type Fixture, refusal, sendRaw, startFixture } from "./fixture.js";

const Key = "k";
const unknownVersion = "x".repeat(32);

describe("versions", () => {
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

  const versioning = (Status: "Enabled" | "Suspended") =>
    fixture.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
  const put = async (Body: string, more: object = {}): Promise<string> => {
    const { VersionId = "" } = await fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
    return VersionId;
  };
  const text = async (VersionId?: string): Promise<string> => {
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    return (await Body?.transformToString()) ?? "";
  };
  const remove = (more: object = {}) => fixture.s3.send(new DeleteObjectCommand({ Bucket, Key, ...more }));
  const list = (more: object = {}) => fixture.s3.send(new ListObjectVersionsCommand({ Bucket, ...more }));
  const dataFiles = async (): Promise<number> => (await readdir(join(directory, "buckets", Bucket, "data"))).length;

  it("are not kept until the bucket is told to keep them", async () => {
    const status = async () => (await fixture.s3.send(new GetBucketVersioningCommand({ Bucket }))).Status;
    expect(await status()).to.equal(undefined);
    expect(await put("1")).to.equal("");
    expect(await put("2")).to.equal("");
    expect(await text("null")).to.equal("2");
    expect(await dataFiles()).to.equal(1);
    const { Versions } = await list();
    expect(Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).to.deep.equal([["null", true]]);
    await versioning("Enabled");
    expect(await status()).to.equal("Enabled");
    await versioning("Suspended");
    expect(await status()).to.equal("Suspended");
  });

  it("stay readable by their ids when newer ones are put and deleted", async () => {
    await put("before");
    await versioning("Enabled");
    const first = await put("1", { Metadata: { n: "1" } });
    const second = await put("2");
    expect(first)
      .to.match(/^[\w-]{32}$/)
      .and.not.equal(second);
    expect([await text(), await text(second), await text(first), await text("null")]).to.deep.equal([
      "2",
      "2",
      "1",
      "before",
    ]);
    const head = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key, VersionId: first }));
    expect(head).to.deep.include({ VersionId: first, Metadata: { n: "1" } });
    expect((await fixture.s3.send(new HeadObjectCommand({ Bucket, Key }))).VersionId).to.equal(second);
    for (const [VersionId, error] of [
      [unknownVersion, "NoSuchVersion 404"],
      ["3", "InvalidArgument 400"],
    ] as const)
      expect(await refusal(text(VersionId))).to.equal(error);
  });

  it("are covered by a delete marker, which can be deleted again", async () => {
    await versioning("Enabled");
    const first = await put("1");
    const deleted = await remove();
    expect(deleted.DeleteMarker).to.equal(true);
    const marker = deleted.VersionId ?? "";
    expect(await refusal(text())).to.equal("NoSuchKey 404");
    const raw = await sendRaw(fixture.server, { method: "GET", path: `/${Bucket}/${Key}` });
    expect(raw.headers).to.include({ "x-amz-delete-marker": "true", "x-amz-version-id": marker });
    expect(await refusal(text(marker))).to.equal("MethodNotAllowed 405");
    expect(await text(first)).to.equal("1");
    expect((await fixture.s3.send(new ListObjectsV2Command({ Bucket }))).Contents).to.equal(undefined);
    const { DeleteMarkers } = await list();
    expect(DeleteMarkers?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).to.deep.equal([[marker, true]]);
    const undone = await remove({ VersionId: marker });
    expect(undone).to.include({ DeleteMarker: true, VersionId: marker });
    expect(await text()).to.equal("1");
  });

  it("are deleted for good by their ids, with their files, and one that is not there is no error", async () => {
    await versioning("Enabled");
    const first = await put("1");
    const second = await put("2");
    const gone = await remove({ VersionId: second });
    expect(gone.VersionId).to.equal(second);
    expect(gone.DeleteMarker).to.equal(undefined);
    expect(await text()).to.equal("1");
    expect(await dataFiles()).to.equal(1);
    await remove({ VersionId: unknownVersion });
    expect(await refusal(remove({ VersionId: "3" }))).to.equal("InvalidArgument 400");
    await remove({ VersionId: first });
    expect(await dataFiles()).to.equal(0);
    expect((await list()).Versions).to.equal(undefined);
  });

  it("that have no id replace each other once versioning is suspended", async () => {
    await versioning("Enabled");
    const first = await put("1");
    await versioning("Suspended");
    expect(await put("2")).to.equal("null");
    expect(await put("3")).to.equal("null");
    expect([await text(), await text("null"), await text(first)]).to.deep.equal(["3", "3", "1"]);
    expect(await remove()).to.include({ DeleteMarker: true, VersionId: "null" });
    expect(await refusal(text("null"))).to.equal("MethodNotAllowed 405");
    expect(await text(first)).to.equal("1");
    expect(await dataFiles()).to.equal(1);
  });

  it("are what conditional writes and deletes look at", async () => {
    await versioning("Enabled");
    const first = await put("1");
    const { ETag } = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key }));
    await put("2");
    expect(await refusal(put("3", { IfMatch: ETag }))).to.equal("PreconditionFailed 412");
    expect(await refusal(remove({ IfMatch: ETag }))).to.equal("PreconditionFailed 412");
    await remove({ IfMatch: ETag, VersionId: first });
    const current = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(await remove({ IfMatch: current.ETag })).to.include({ DeleteMarker: true });
    expect(await refusal(put("3", { IfMatch: current.ETag }))).to.equal("NoSuchKey 404");
    await put("3", { IfNoneMatch: "*" });
    expect(await refusal(put("4", { IfNoneMatch: "*" }))).to.equal("PreconditionFailed 412");
  });

  it("are copied by their ids, an older one onto its own key too", async () => {
    await versioning("Enabled");
    const first = await put("1");
    const second = await put("2");
    const copy = (versionId: string, more: object = {}) =>
      fixture.s3.send(
        new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/k?versionId=${versionId}`, ...more }),
      );
    const copied = await copy(first);
    expect(copied.CopySourceVersionId).to.equal(first);
    expect(copied.VersionId)
      .to.match(/^[\w-]{32}$/)
      .and.not.equal(second);
    expect(await text()).to.equal("1");
    const { ETag } = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key, VersionId: second }));
    expect(await refusal(copy(first, { IfMatch: ETag }))).to.equal("PreconditionFailed 412");
    expect(await refusal(copy(first, { IfNoneMatch: "*" }))).to.equal("PreconditionFailed 412");
    expect(await refusal(copy(first, { CopySourceIfMatch: ETag }))).to.equal("PreconditionFailed 412");
    expect(await refusal(copy(copied.VersionId ?? ""))).to.equal("InvalidRequest 400");
    expect(await refusal(copy(unknownVersion))).to.equal("NoSuchVersion 404");
    const { VersionId: marker = "" } = await remove();
    expect(await refusal(copy(marker))).to.equal("InvalidRequest 400");
  });

  it("are deleted many at a time", async () => {
    await versioning("Enabled");
    const first = await put("1");
    const { Deleted = [] } = await fixture.s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }, { Key, VersionId: first }] } }),
    );
    const [marker, version] = Deleted;
    expect(marker).to.include({ Key, DeleteMarker: true });
    expect(version).to.deep.equal({ Key, VersionId: first });
    const again = await fixture.s3.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: {
          Objects: [
            { Key, VersionId: marker?.DeleteMarkerVersionId },
            { Key, VersionId: "3" },
          ],
        },
      }),
    );
    expect(again.Deleted?.[0]).to.include({ DeleteMarker: true, DeleteMarkerVersionId: marker?.DeleteMarkerVersionId });
    expect(again.Errors?.[0]).to.include({ Code: "InvalidArgument", VersionId: "3" });
  });

  it("are listed page by page, in the order of keys and from new to old", async () => {
    await versioning("Enabled");
    const expected: (readonly [string, string])[] = [];
    for (const key of ["a/1", "a/2", "b", "c"]) {
      const ids = [await put("1", { Key: key }), await put("2", { Key: key })].reverse();
      expected.push(...ids.map((id) => [key, id] as const));
    }
    const found: (readonly [string, string])[] = [];
    let KeyMarker: string | undefined;
    let VersionIdMarker: string | undefined;
    for (let page = 0; page < 3; page++) {
      const output = await list({ MaxKeys: 3, KeyMarker, VersionIdMarker });
      for (const { Key: key = "", VersionId = "" } of output.Versions ?? []) found.push([key, VersionId]);
      expect(output.IsTruncated).to.equal(page < 2);
      ({ NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = output);
    }
    expect(found).to.deep.equal(expected);
    const folders = await list({ Delimiter: "/", MaxKeys: 2 });
    expect(folders.CommonPrefixes).to.deep.equal([{ Prefix: "a/" }]);
    expect(folders.Versions).to.have.length(1);
    expect((await list({ Prefix: "a/" })).Versions).to.have.length(4);
    expect((await list({ KeyMarker: "b" })).Versions?.map(({ Key: key }) => key)).to.deep.equal(["c", "c"]);
    expect(await refusal(list({ VersionIdMarker: "x" }))).to.equal("InvalidArgument 400");
  });

  it("are there again after a restart", async () => {
    await versioning("Enabled");
    const first = await put("1");
    await remove();
    await fixture.server.close();
    const again = await startFixture({ directory });
    const { Body } = await again.s3.send(new GetObjectCommand({ Bucket, Key, VersionId: first }));
    expect(await Body?.transformToString()).to.equal("1");
    expect((await again.s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).to.equal("Enabled");
    await again[Symbol.asyncDispose]();
  });
});
