import { once } from "node:events";
import { Readable } from "node:stream";
import { DecryptCommand, DisableKeyCommand, EnableKeyCommand, EncryptCommand } from "@aws-sdk/client-kms";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { expect } from "chai";
import { Bucket, bytesOf, type Fixture, pattern, refusal, startFixture } from "./fixture.js";

describe("faults", () => {
  let fixture: Fixture;
  const body = pattern(3_000_000);
  beforeEach(async () => {
    fixture = await startFixture();
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: body }));
    fixture.server.clearRequests();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const put = (Key = "new") => fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: body }));
  const get = async (Key = "k"): Promise<Buffer> =>
    bytesOf((await fixture.s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: undefined }))).Body);
  const received = async (s3 = fixture.s3): Promise<number> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    let bytes = 0;
    if (!(Body instanceof Readable)) throw new Error("The body is no stream.");
    Body.on("data", (piece: Buffer) => {
      bytes += piece.length;
    });
    await once(Body, "end").catch(() => {});
    return bytes;
  };

  it("answer an error to as many requests as told, which the SDK survives by retrying", async () => {
    const { server } = fixture;
    const s3 = new S3Client({ ...server.clientConfig, maxAttempts: 3 });
    for (const fault of [{ status: 500 }, { status: 503 }, { code: "SlowDown" }]) {
      server.clearRequests();
      server.faults.add({ operation: "PutObject", times: 2, ...fault });
      await s3.send(new PutObjectCommand({ Bucket, Key: "retried", Body: body }));
      expect(server.requests.map(({ operation }) => operation)).to.deep.equal(Array(3).fill("PutObject"));
    }
    s3.destroy();
    expect((await get("retried")).equals(body)).to.equal(true);
  });

  it("go on until they are removed or cleared", async () => {
    const remove = fixture.server.faults.add({ operation: "GetObject", status: 500 });
    for (const _ of [1, 2]) expect(await refusal(get())).to.equal("InternalError 500");
    remove();
    await get();
    fixture.server.faults.add({ code: "SlowDown" });
    expect(await refusal(get())).to.equal("SlowDown 503");
    fixture.server.faults.add({ status: 403, code: "AccessDenied" });
    expect(await refusal(get())).to.equal("AccessDenied 403");
    fixture.server.faults.clear();
    await get();
  });

  it("strike only what they match", async () => {
    const { faults } = fixture.server;
    faults.add({ key: /^new/g, status: 500 });
    for (const _ of [1, 2]) expect(await refusal(put())).to.equal("InternalError 500");
    await get();
    faults.clear();
    faults.add({ key: "k", bucket: Bucket, operation: "HeadObject", status: 503 });
    await get();
    const head = fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "k" }));
    expect(await refusal(head)).to.match(/503$/);
    faults.clear();
    faults.add({ bucket: "another", status: 500 });
    faults.add({ service: "kms", status: 500 });
    await get();
  });

  it("strike one part of an upload", async () => {
    fixture.server.faults.add({ operation: "UploadPart", partNumber: 2, status: 500 });
    const upload = new Upload({ client: fixture.s3, params: { Bucket, Key: "parts", Body: pattern(11_000_000) } });
    expect(await refusal(upload.done())).to.equal("InternalError 500");
    expect(fixture.server.openUploads).to.deep.equal([]);
  });

  it("cut the answer after exactly so many bytes", async () => {
    for (const cutAfterBytes of [1, 1_500_000]) {
      fixture.server.faults.clear();
      fixture.server.faults.add({ operation: "GetObject", cutAfterBytes });
      const s3 = new S3Client({ ...fixture.server.clientConfig, responseChecksumValidation: "WHEN_REQUIRED" });
      expect(await received(s3)).to.equal(cutAfterBytes);
      s3.destroy();
      await refusal(get());
    }
  });

  it("cut an upload, of which nothing is stored", async () => {
    for (const cutAfterBytes of [0, 1, 1_500_000]) {
      fixture.server.faults.clear();
      fixture.server.faults.add({ operation: "PutObject", cutAfterBytes });
      await refusal(put());
      await refusal(
        fixture.s3.send(
          new PutObjectCommand({ Bucket, Key: "new", Body: Readable.from([body]), ContentLength: body.length }),
        ),
      );
    }
    expect(await refusal(get("new"))).to.equal("NoSuchKey 404");
  });

  it("cut a request that has no body before it does anything", async () => {
    fixture.server.faults.add({ operation: "DeleteObject", cutAfterBytes: 0, times: 1 });
    await refusal(fixture.s3.send(new DeleteObjectCommand({ Bucket, Key: "k" })));
    expect((await get()).length).to.equal(body.length);
  });

  it("corrupt one byte of an answer, which the stored object does not have", async () => {
    for (const corruptByteAt of [0, 1_234_567, body.length - 1]) {
      fixture.server.faults.add({ operation: "GetObject", corruptByteAt, times: 1 });
      const s3 = new S3Client({ ...fixture.server.clientConfig, responseChecksumValidation: "WHEN_REQUIRED" });
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
      const bytes = await bytesOf(Body);
      const wrong = bytes.findIndex((byte, i) => byte !== body[i]);
      expect(wrong).to.equal(corruptByteAt);
      expect(bytes.subarray(wrong + 1).equals(body.subarray(wrong + 1))).to.equal(true);
      expect((await get()).equals(body)).to.equal(true);
      s3.destroy();
    }
  });

  it("corrupt one byte of an upload, which its checksum tells", async () => {
    fixture.server.faults.add({ operation: "PutObject", corruptByteAt: 77 });
    expect(await refusal(put())).to.equal("XAmzContentSHA256Mismatch 400");
  });

  it("delay a request, which others overtake", async () => {
    fixture.server.faults.add({ operation: "GetObject", delayMs: 1, times: 1 });
    expect((await get()).length).to.equal(body.length);
    fixture.server.faults.add({ operation: "GetObject", delayMs: 3_600_000 });
    let isDone = false;
    const delayed = refusal(get()).finally(() => {
      isDone = true;
    });
    while (!fixture.server.requests.some(({ operation }, i) => operation === "GetObject" && i > 0))
      await fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "k" }));
    expect(isDone).to.equal(false);
    // Closing the server does not wait for the hour.
    await fixture.server.close();
    await delayed;
  });

  it("do not keep the server from closing when a client goes away before its body is read", async () => {
    const { server, s3 } = fixture;
    server.faults.add({ operation: "PutObject", delayMs: 3_600_000 });
    const abort = new AbortController();
    const input = { Bucket, Key: "new", Body: Buffer.alloc(10_000_000) };
    const aborted = refusal(s3.send(new PutObjectCommand(input), { abortSignal: abort.signal }));
    while (!server.requests.some(({ operation }) => operation === "PutObject"))
      await fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "none" })).catch(() => {});
    abort.abort();
    await aborted;
    await server.close();
    expect(server.openConnections).to.equal(0);
  });

  it("combine", async () => {
    fixture.server.faults.add({ operation: "GetObject", corruptByteAt: 0 });
    fixture.server.faults.add({ key: "k", status: 500, times: 1 });
    expect(await refusal(get())).to.equal("InternalError 500");
    const s3 = new S3Client({ ...fixture.server.clientConfig, responseChecksumValidation: "WHEN_REQUIRED" });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    const bytes = await bytesOf(Body);
    expect([bytes.length, bytes[0]]).to.deep.equal([body.length, (body[0] ?? 0) ^ 255]);
    s3.destroy();
  });

  it("lose the answer to a request that was performed", async () => {
    const { server, s3 } = fixture;
    server.faults.add({ operation: "PutObject", performed: true, times: 1 });
    await refusal(put());
    expect((await get("new")).equals(body)).to.equal(true);
    server.faults.add({ operation: "DeleteObject", performed: true, status: 503, times: 1 });
    const remove = () => s3.send(new DeleteObjectCommand({ Bucket, Key: "new" }));
    expect(await refusal(remove())).to.match(/503$/);
    expect(await refusal(get("new"))).to.equal("NoSuchKey 404");
  });

  it("lose the answer to the first of two tries, so that the second meets what the first has stored", async () => {
    const s3 = new S3Client({ ...fixture.server.clientConfig, maxAttempts: 3 });
    fixture.server.faults.add({ operation: "PutObject", performed: true, code: "InternalError", times: 1 });
    const again = s3.send(new PutObjectCommand({ Bucket, Key: "once", Body: "x", IfNoneMatch: "*" }));
    expect(await refusal(again)).to.equal("PreconditionFailed 412");
    s3.destroy();
    expect((await get("once")).toString()).to.equal("x");
  });

  it("lose an answer that is a refusal", async () => {
    fixture.server.faults.add({ operation: "HeadObject", performed: true, status: 500, times: 1 });
    const head = () => fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "none" }));
    expect(await refusal(head())).to.match(/500$/);
    expect(await refusal(head())).to.equal("NotFound 404");
  });

  it("strike KMS too", async () => {
    const { server, kms } = fixture;
    const { arn } = server.kms.createKey();
    const Plaintext = Buffer.from("x");
    server.faults.add({ operation: "Encrypt", status: 500, times: 1 });
    server.faults.add({ operation: "Decrypt", code: "ThrottlingException", times: 1 });
    const encrypt = () => kms.send(new EncryptCommand({ KeyId: arn, Plaintext }));
    expect(await refusal(encrypt())).to.equal("KMSInternalException 500");
    const { CiphertextBlob } = await encrypt();
    const decrypt = () => kms.send(new DecryptCommand({ CiphertextBlob }));
    expect(await refusal(decrypt())).to.equal("ThrottlingException 400");
    await decrypt();
    server.faults.add({ operation: "DisableKey", performed: true, times: 1 });
    await refusal(kms.send(new DisableKeyCommand({ KeyId: arn })));
    expect(await refusal(decrypt())).to.equal("DisabledException 400");
    server.faults.add({ operation: "EnableKey", performed: true, status: 500, times: 1 });
    expect(await refusal(kms.send(new EnableKeyCommand({ KeyId: arn })))).to.equal("KMSInternalException 500");
    await decrypt();
    for (const cutAfterBytes of [0, 10]) {
      server.faults.add({ service: "kms", cutAfterBytes, times: 1 });
      await refusal(decrypt());
    }
    await decrypt();
  });
});
