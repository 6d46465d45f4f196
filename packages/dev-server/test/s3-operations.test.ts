import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  PutObjectCommand,
  SelectObjectContentCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, type Fixture, refusal, sendRaw, startFixture } from "./fixture.js";

describe("S3 operations", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  it("create, find, list and delete buckets", async () => {
    const { s3 } = fixture;
    await s3.send(new CreateBucketCommand({ Bucket: "a.new-bucket" }));
    const inRegion = { CreateBucketConfiguration: { LocationConstraint: "us-west-2" } } as const;
    await s3.send(new CreateBucketCommand({ Bucket: "second", ...inRegion }));
    expect(await refusal(s3.send(new CreateBucketCommand({ Bucket: "second" })))).to.equal(
      "BucketAlreadyOwnedByYou 409",
    );
    const elsewhere = { CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } } as const;
    expect(await refusal(s3.send(new CreateBucketCommand({ Bucket: "third", ...elsewhere })))).to.equal(
      "IllegalLocationConstraintException 400",
    );
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).to.deep.equal(["a.new-bucket", "demo", "second"]);
    expect((await s3.send(new HeadBucketCommand({ Bucket: "second" }))).BucketRegion).to.equal("us-west-2");
    await s3.send(new DeleteBucketCommand({ Bucket: "second" }));
    expect(await refusal(s3.send(new HeadBucketCommand({ Bucket: "second" })))).to.equal("NotFound 404");
    await s3.send(new PutObjectCommand({ Bucket, Key: "k" }));
    expect(await refusal(s3.send(new DeleteBucketCommand({ Bucket })))).to.equal("BucketNotEmpty 409");
  });

  it("end the uploads of a bucket that is deleted", async () => {
    await fixture.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "k" }));
    await fixture.s3.send(new DeleteBucketCommand({ Bucket }));
    expect(fixture.server.openUploads).to.deep.equal([]);
  });

  for (const name of ["ab", "Upper", "has_underscore", "-a-b", "a..b", "192.168.0.1", "x".repeat(64)])
    it(`refuse ${name} as the name of a bucket`, async () => {
      const create = { method: "PUT", path: `/${name}` };
      expect((await sendRaw(fixture.server, create)).code).to.equal("InvalidBucketName");
    });

  it("that are not implemented say so, and do nothing", async () => {
    const { s3 } = fixture;
    await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    const selection = {
      Bucket,
      Key: "k",
      Expression: "x",
      ExpressionType: "SQL",
      InputSerialization: { CSV: {} },
      OutputSerialization: { CSV: {} },
    } as const;
    const calls = [
      s3.send(new ListObjectsCommand({ Bucket })),
      s3.send(new SelectObjectContentCommand(selection)),
      s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "y", WriteOffsetBytes: 1 })),
    ];
    const refusals = await Promise.all(calls.map(refusal));
    expect(refusals).to.deep.equal(calls.map(() => "NotImplemented 501"));
    expect((await sendRaw(fixture.server, { method: "PATCH", path: `/${Bucket}/k` })).status).to.equal(501);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "k", VersionId: "null" }));
    expect(await Body?.transformToString()).to.equal("x");
  });

  it("refuse escapes that are none, and parameters that come twice", async () => {
    expect((await sendRaw(fixture.server, { method: "GET", path: `/${Bucket}/%ff` })).code).to.equal("InvalidURI");
    const twice = `/${Bucket}/k?partNumber=1&partNumber=2`;
    expect((await sendRaw(fixture.server, { method: "GET", path: twice })).code).to.equal("InvalidArgument");
  });
});
