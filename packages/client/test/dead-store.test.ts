import { EncryptedUpload } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, put } from "./fixture.js";
import { errorOf } from "./transfers.js";

describe("an abort where the store has stopped answering", () => {
  let fixture: Fixture;
  const { timeout } = AbortSignal;
  before(async () => {
    fixture = await Fixture.start();
    AbortSignal.timeout = () => timeout.call(AbortSignal, 100);
  });
  after(async () => {
    AbortSignal.timeout = timeout;
    await fixture.close();
  });
  afterEach(() => fixture.server.faults.clear());

  for (const operation of ["UploadPart", "CompleteMultipartUpload"]) {
    it(`ends, and names the upload that was left (${operation})`, async () => {
      const Key = `left-${operation}`;
      const pauses = [operation, "AbortMultipartUpload", "HeadObject"].map((each) =>
        fixture.server.faults.pause({ operation: each, key: Key, at: "request" }),
      );
      const params = { Bucket: BUCKET, Key, Body: bytesOfLength(6 * 1024 ** 2) };
      const upload = new EncryptedUpload({ client: fixture.client(), params, queueSize: 1 });
      const outcome = errorOf(upload.done());
      await pauses[0]?.reached;
      await upload.abort();
      const error = await outcome;
      for (const pause of pauses) pause.release();
      expect(error.name).to.equal("AbortError");
      expect(error.message).to.include(upload.uploadId ?? "-");
      if (operation === "UploadPart") expect(error.cause).to.equal(undefined);
      else expect(error.cause).to.have.property("code", "outcome-unknown");
    });
  }

  it("ends an upload that S3 has not begun, for all that is known", async () => {
    const pause = fixture.server.faults.pause({ operation: "CreateMultipartUpload", key: "begun", at: "request" });
    const params = { Bucket: BUCKET, Key: "begun", Body: bytesOfLength(6 * 1024 ** 2) };
    const upload = new EncryptedUpload({ client: fixture.client(), params });
    const outcome = errorOf(upload.done());
    await pause.reached;
    await upload.abort();
    const error = await outcome;
    pause.release();
    expect(error.name).to.equal("AbortError");
    expect(error.cause).to.have.property("message").that.contains("ListMultipartUploads");
  });

  it("says of a put that it may be carried out", async () => {
    const pause = fixture.server.faults.pause({ operation: "PutObject", key: "put", at: "commit" });
    const abort = new AbortController();
    const outcome = errorOf(fixture.client().send(put("put"), { abortSignal: abort.signal }));
    await pause.reached;
    abort.abort();
    const error = await outcome;
    pause.release();
    expect(error.name).to.equal("AbortError");
    expect(error.cause).to.have.property("code", "outcome-unknown");
  });
});
