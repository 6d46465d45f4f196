import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, type Fixture, refusal, sendRaw, startFixture } from "./fixture.js";

describe("conditions", () => {
  let fixture: Fixture;
  let ETag: string;
  beforeEach(async () => {
    fixture = await startFixture();
    ETag = (await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }))).ETag ?? "";
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const outcome = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => "done",
      (error) => refusal(Promise.reject(error)),
    );
  const past = new Date(Date.now() - 3_600_000);
  const future = new Date(Date.now() + 3_600_000);

  const reads: readonly [string, () => Record<string, unknown>, "done" | 304 | 412][] = [
    ["If-Match of this one", () => ({ IfMatch: ETag }), "done"],
    ["If-Match of one among several", () => ({ IfMatch: `"other", ${ETag}` }), "done"],
    ["If-Match without quotes", () => ({ IfMatch: ETag.replaceAll('"', "") }), "done"],
    ["If-Match of another", () => ({ IfMatch: '"other"' }), 412],
    ["If-None-Match of this one", () => ({ IfNoneMatch: ETag }), 304],
    ["If-None-Match of another", () => ({ IfNoneMatch: '"other"' }), "done"],
    ["If-Modified-Since before", () => ({ IfModifiedSince: past }), "done"],
    ["If-Modified-Since after", () => ({ IfModifiedSince: future }), 304],
    ["If-Unmodified-Since before", () => ({ IfUnmodifiedSince: past }), 412],
    ["If-Unmodified-Since after", () => ({ IfUnmodifiedSince: future }), "done"],
    ["If-Match over If-Unmodified-Since", () => ({ IfMatch: ETag, IfUnmodifiedSince: past }), "done"],
    ["If-None-Match over If-Modified-Since", () => ({ IfNoneMatch: '"other"', IfModifiedSince: future }), "done"],
  ];
  for (const [what, condition, expected] of reads)
    it(`on reads: ${what} is ${expected}`, async () => {
      for (const Command of [GetObjectCommand, HeadObjectCommand]) {
        const result = await outcome(fixture.s3.send(new Command({ Bucket, Key: "k", ...condition() })));
        expect(result).to.match(new RegExp(`${expected}$`));
      }
    });

  it("on reads tell the entity tag with a 304", async () => {
    const headers = { "if-none-match": ETag };
    const response = await sendRaw(fixture.server, { method: "GET", path: `/${Bucket}/k`, headers });
    expect(response).to.deep.include({ status: 304, text: "" });
    expect(response.headers.etag).to.equal(ETag);
  });

  const put = (Key: string, condition: { IfMatch?: string; IfNoneMatch?: string }) =>
    outcome(fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: "y", ...condition })));

  it("on writes: only where nothing is, only over what was read", async () => {
    expect(await put("k", { IfNoneMatch: "*" })).to.equal("PreconditionFailed 412");
    expect(await put("new", { IfNoneMatch: "*" })).to.equal("done");
    expect(await put("k", { IfMatch: '"other"' })).to.equal("PreconditionFailed 412");
    expect(await put("none", { IfMatch: ETag })).to.equal("NoSuchKey 404");
    expect(await put("k", { IfMatch: ETag })).to.equal("done");
    expect(await put("k", { IfMatch: ETag })).to.equal("PreconditionFailed 412");
    expect(await put("k", { IfNoneMatch: ETag })).to.equal("NotImplemented 501");
  });

  it("let exactly one of many writes at once create an object", async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => put("race", { IfNoneMatch: "*" })));
    expect(results.filter((result) => result === "done")).to.have.length(1);
    expect(results.filter((result) => result === "PreconditionFailed 412")).to.have.length(19);
  });

  it("let exactly one of many writes at once replace what they all read", async () => {
    const replace = (Body: string) =>
      outcome(fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body, IfMatch: ETag })));
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => replace(`body ${i}`)));
    expect(results.filter((result) => result === "done")).to.have.length(1);
  });

  it("on deletes", async () => {
    const remove = (Key: string, IfMatch: string) =>
      outcome(fixture.s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch })));
    expect(await remove("k", '"other"')).to.equal("PreconditionFailed 412");
    expect(await remove("none", "*")).to.equal("PreconditionFailed 412");
    expect(await remove("k", ETag)).to.equal("done");
  });

  it("on copies, of the source and of the target", async () => {
    const copy = (condition: object) =>
      outcome(fixture.s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/k`, ...condition })));
    expect(await copy({ CopySourceIfMatch: '"other"' })).to.equal("PreconditionFailed 412");
    expect(await copy({ CopySourceIfNoneMatch: ETag })).to.equal("PreconditionFailed 412");
    expect(await copy({ CopySourceIfModifiedSince: future })).to.equal("PreconditionFailed 412");
    expect(await copy({ CopySourceIfUnmodifiedSince: past })).to.equal("PreconditionFailed 412");
    expect(await copy({ IfNoneMatch: "*", CopySourceIfMatch: ETag })).to.equal("done");
    expect(await copy({ IfNoneMatch: "*" })).to.equal("PreconditionFailed 412");
  });
});
