import { EncryptCommand } from "@aws-sdk/client-kms";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, type Fixture, refusal, startFixture } from "./fixture.js";

describe("pauses", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
    await put("k", "old");
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const put = (Key: string, Body: string, more: { IfMatch?: string } = {}) =>
    fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const text = async (Key: string): Promise<string | undefined> => {
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key }));
    return Body?.transformToString();
  };

  it("hold a request before anything is done", async () => {
    const held = fixture.server.faults.pause({ operation: "PutObject", key: "k" });
    const putting = put("k", "new");
    expect(await held.reached).to.deep.equal({ service: "s3", operation: "PutObject", bucket: Bucket, key: "k" });
    await put("other", "passes");
    expect(await text("k")).to.equal("old");
    held.release();
    await putting;
    expect(await text("k")).to.equal("new");
  });

  it("hold one request, the first, and leave the second alone", async () => {
    const held = fixture.server.faults.pause({ operation: "PutObject" });
    const first = put("k", "first");
    await held.reached;
    await put("k", "second");
    held.release();
    await first;
    await put("k", "third");
    expect(await text("k")).to.equal("third");
  });

  it("hold as many requests as there are pauses, each on its own", async () => {
    const { faults } = fixture.server;
    const pauses = [faults.pause({ key: "k" }), faults.pause({ key: "k" })];
    const first = put("k", "first");
    await pauses[0]?.reached;
    const second = put("k", "second");
    await pauses[1]?.reached;
    pauses[1]?.release();
    await second;
    pauses[0]?.release();
    await first;
    expect(await text("k")).to.equal("first");
  });

  it("hold a put between its body and its condition", async () => {
    const { ETag = "" } = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "k" }));
    const held = fixture.server.faults.pause({ operation: "PutObject", at: "commit" });
    const late = refusal(put("k", "late", { IfMatch: ETag }));
    await held.reached;
    await put("k", "meanwhile");
    held.release();
    expect(await late).to.equal("PreconditionFailed 412");
    expect(await text("k")).to.equal("meanwhile");
  });

  it("hold a request that was performed, before its answer", async () => {
    const { s3, server } = fixture;
    const held = server.faults.pause({ operation: "DeleteObject", at: "answer" });
    let isAnswered = false;
    const deleting = s3.send(new DeleteObjectCommand({ Bucket, Key: "k" })).then(() => {
      isAnswered = true;
    });
    await held.reached;
    expect(await refusal(text("k"))).to.equal("NoSuchKey 404");
    await put("k", "next");
    expect(isAnswered).to.equal(false);
    held.release();
    await deleting;
    expect(await text("k")).to.equal("next");
  });

  it("hold a refusal before it is answered", async () => {
    const held = fixture.server.faults.pause({ key: "none", at: "answer" });
    const missing = refusal(text("none"));
    await held.reached;
    await put("none", "x");
    held.release();
    expect(await missing).to.equal("NoSuchKey 404");
  });

  it("give a read that is held before its answer the object that it had found", async () => {
    const held = fixture.server.faults.pause({ operation: "GetObject", at: "answer" });
    const reading = text("k");
    await held.reached;
    await put("k", "new");
    held.release();
    expect(await reading).to.equal("old");
  });

  it("perform a request whose client went away while it was held", async () => {
    const { s3, server } = fixture;
    const held = server.faults.pause({ operation: "PutObject", at: "commit" });
    const abort = new AbortController();
    const input = { Bucket, Key: "k", Body: "landed" };
    const aborted = refusal(s3.send(new PutObjectCommand(input), { abortSignal: abort.signal }));
    await held.reached;
    abort.abort();
    expect(await aborted).to.equal("AbortError");
    expect(await text("k")).to.equal("old");
    const answered = server.faults.pause({ operation: "PutObject", at: "answer" });
    held.release();
    await answered.reached;
    expect(await text("k")).to.equal("landed");
  });

  it("hold a copy between its source's conditions and its target's", async () => {
    const { s3, server } = fixture;
    const { ETag = "" } = await s3.send(new HeadObjectCommand({ Bucket, Key: "k" }));
    const copy = (more: { IfMatch?: string } = {}) =>
      s3.send(
        new CopyObjectCommand({
          Bucket,
          Key: "k",
          CopySource: `${Bucket}/k`,
          CopySourceIfMatch: ETag,
          MetadataDirective: "REPLACE",
          ...more,
        }),
      );
    let held = server.faults.pause({ operation: "CopyObject", at: "commit" });
    const conditional = refusal(copy({ IfMatch: ETag }));
    await held.reached;
    await put("k", "newer");
    held.release();
    expect(await conditional).to.equal("PreconditionFailed 412");
    expect(await text("k")).to.equal("newer");
    // Without a condition on the target the copy of what was there before wins: the newer object is lost.
    await put("k", "old");
    held = server.faults.pause({ operation: "CopyObject", at: "commit" });
    const unconditional = copy();
    await held.reached;
    await put("k", "newer");
    held.release();
    await unconditional;
    expect(await text("k")).to.equal("old");
  });

  it("hold a completion, which an abort then overtakes no more than it does in S3", async () => {
    const { s3, server } = fixture;
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts" }));
    const { ETag } = await s3.send(
      new UploadPartCommand({ Bucket, Key: "parts", UploadId, PartNumber: 1, Body: "part" }),
    );
    const held = server.faults.pause({ operation: "CompleteMultipartUpload", at: "commit" });
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const completing = s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "parts", UploadId, MultipartUpload }));
    await held.reached;
    expect(await refusal(text("parts"))).to.equal("NoSuchKey 404");
    held.release();
    await completing;
    expect(await text("parts")).to.equal("part");
  });

  it("hold KMS too", async () => {
    const { kms, server } = fixture;
    const { arn } = server.kms.createKey();
    for (const at of ["request", "answer"] as const) {
      const held = server.faults.pause({ service: "kms", at });
      const encrypting = kms.send(new EncryptCommand({ KeyId: arn, Plaintext: Buffer.from("x") }));
      expect(await held.reached).to.deep.equal({ service: "kms", operation: "Encrypt" });
      held.release();
      await encrypting;
    }
  });

  it("let everything pass when they are released before, cleared or closed", async () => {
    const { faults } = fixture.server;
    faults.pause({ key: "k" }).release();
    await put("k", "1");
    const held = faults.pause({ key: "k" });
    const second = put("k", "2");
    await held.reached;
    faults.clear();
    await second;
    const third = faults.pause({ key: "k" });
    const broken = refusal(put("k", "3"));
    await third.reached;
    await fixture.server.close();
    await broken;
  });
});
