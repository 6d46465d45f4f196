import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand } from "@aws-sdk/client-kms";
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { startDevServer } from "../dist/index.js";
import { Bucket, bytesOf, pattern, refusal, startFixture } from "./fixture.js";

describe("startDevServer", () => {
  it("refuses an option that it does not know", async () => {
    const started: ReturnType<typeof startDevServer> = Reflect.apply(startDevServer, undefined, [{ bucket: ["b"] }]);
    const error: unknown = await started.then(
      (server) => server.close(),
      (reason: unknown) => reason,
    );
    expect(error).to.be.an("error").with.property("message").that.contains('knows no option "bucket"');
  });

  it("listens on the loopback interface only", async () => {
    await using fixture = await startFixture();
    const { hostname, port } = new URL(fixture.server.endpoint);
    expect(hostname).to.equal("127.0.0.1");
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    for (const { address, internal, family } of addresses) {
      if (internal || family !== "IPv4") continue;
      const outcome = await new Promise<string>((resolve) => {
        const socket = connect(Number(port), address);
        socket.once("connect", () => resolve("connected"));
        socket.once("error", () => resolve("refused"));
      });
      expect(outcome).to.equal("refused");
    }
  });

  it("records every request, the refused and retried ones too", async () => {
    await using fixture = await startFixture();
    const { server, s3, kms } = fixture;
    await s3.send(new PutObjectCommand({ Bucket, Key: "a b", Body: "x", Metadata: { m: "1" } }));
    await refusal(s3.send(new GetObjectCommand({ Bucket, Key: "none", PartNumber: 2 })));
    const { arn } = server.kms.createKey();
    const EncryptionContext = { a: "b" };
    await kms.send(new GenerateDataKeyCommand({ KeyId: arn, KeySpec: "AES_256", EncryptionContext }));
    const [put, get, generate] = server.requests;
    expect(put).to.include({ service: "s3", operation: "PutObject", bucket: Bucket, key: "a b" });
    expect(put?.headers).to.include({ "x-amz-meta-m": "1" });
    expect(get).to.include({ operation: "GetObject", key: "none" });
    expect(get?.query).to.include({ partNumber: "2" });
    expect(generate).to.include({ service: "kms", operation: "GenerateDataKey" });
    expect(JSON.parse(generate?.body ?? "")).to.deep.equal({ KeyId: arn, KeySpec: "AES_256", EncryptionContext });
    server.clearRequests();
    expect(server.requests).to.deep.equal([]);
  });

  it("counts connections, and ends them when it closes", async () => {
    const fixture = await startFixture();
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: pattern(30_000_000) }));
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    expect(fixture.server.openConnections).to.be.at.least(1);
    await fixture.server.close();
    expect(fixture.server.openConnections).to.equal(0);
    await refusal(bytesOf(Body));
    fixture.s3.destroy();
    fixture.kms.destroy();
  });

  it("keeps no connection of a client that has gone", async () => {
    await using fixture = await startFixture();
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: pattern(30_000_000) }));
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    const aborted = refusal(bytesOf(Body));
    fixture.s3.destroy();
    await aborted;
    for (let i = 0; i < 1000 && fixture.server.openConnections > 0; i++) await new Promise((r) => setTimeout(r, 5));
    expect(fixture.server.openConnections).to.equal(0);
  });

  it("removes the temporary directory that it made, also when it cannot start", async () => {
    const directory = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    const { TMPDIR } = process.env;
    process.env.TMPDIR = directory;
    try {
      const fixture = await startFixture();
      expect(await readdir(directory)).to.have.length(1);
      const port = Number(new URL(fixture.server.endpoint).port);
      expect(await refusal(startFixture({ port }))).to.equal("Error");
      expect(await readdir(directory)).to.have.length(1);
      await fixture[Symbol.asyncDispose]();
      expect(await readdir(directory)).to.have.length(0);
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
      await rm(directory, { recursive: true });
    }
  });

  it("keeps objects and keys in a directory that it is given, and nothing that is unfinished", async () => {
    const directory = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    const options = { directory, aliases: ["alias/app"] };
    const body = pattern(100_000);
    let blob: Uint8Array | undefined;
    {
      await using fixture = await startFixture(options);
      await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k/ü", Body: body, Metadata: { m: "1" } }));
      const { UploadId } = await fixture.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "open" }));
      await fixture.s3.send(new UploadPartCommand({ Bucket, Key: "open", UploadId, PartNumber: 1, Body: "x" }));
      const sealed = await fixture.kms.send(new EncryptCommand({ KeyId: "alias/app", Plaintext: Buffer.from("p") }));
      blob = sealed.CiphertextBlob;
      // The keys are the only secrets; nobody else on the machine may read them.
      expect((await stat(join(directory, "kms-keys.json"))).mode & 0o777).to.equal(0o600);
    }
    const data = join(directory, "buckets", Bucket, "data");
    await writeFile(join(data, "left-over.tmp"), "x");
    {
      await using fixture = await startFixture(options);
      const output = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k/ü" }));
      expect(output.Metadata).to.deep.equal({ m: "1" });
      expect((await bytesOf(output.Body)).equals(body)).to.equal(true);
      const { Contents } = await fixture.s3.send(new ListObjectsV2Command({ Bucket }));
      expect(Contents?.map(({ Key }) => Key)).to.deep.equal(["k/ü"]);
      const opened = await fixture.kms.send(new DecryptCommand({ KeyId: "alias/app", CiphertextBlob: blob }));
      expect(Buffer.from(opened.Plaintext ?? "").toString()).to.equal("p");
      expect(await readdir(data)).to.have.length(1);
    }
    expect(JSON.parse(await readFile(join(directory, "kms-keys.json"), "utf8")).keys).to.have.length(1);
    await rm(directory, { recursive: true });
  });

  it("gives random entity tags when they are opaque, and still verifies Content-MD5", async () => {
    await using fixture = await startFixture({ entityTags: "opaque" });
    const put = (more: object = {}) => fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", ...more }));
    const [first, second] = [await put(), await put()];
    expect(first.ETag).to.match(/^"[0-9a-f]{32}"$/);
    expect(first.ETag).not.to.equal(second.ETag);
    expect(await refusal(put({ ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" }))).to.equal("BadDigest 400");
  });
});
