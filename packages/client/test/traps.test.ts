import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  RenameObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { encryptS3, type S3EncryptionOptions, withPlaintextSizes } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";

describe("the adapter", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  it("encrypts once when a retry sends the object again", async () => {
    const client = fixture.track(new S3Client({ ...fixture.server.clientConfig, maxAttempts: 3 }));
    encryptS3(client, { keyring: TEST_KEYRING });
    fixture.server.faults.add({ operation: "PutObject", key: "retried", times: 2, status: 503 });
    await client.send(put("retried"));
    const { Body } = await fixture.client().send(get("retried"));
    expect(await Body?.transformToString()).to.equal("secret");
  });

  it("leaves HeadObject alone", async () => {
    const client = fixture.client();
    await client.send(put("head"));
    const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "head" }));
    expect(ContentLength).to.equal("secret".length + 16);
  });

  it("forwards the other fields and the caller's metadata", async () => {
    const client = fixture.client();
    const fields = { ContentType: "text/x-test", CacheControl: "no-store", Metadata: { Mine: "yes" } };
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "fields", Body: "x", ...fields }));
    const { Body, ContentType, CacheControl, Metadata } = await client.send(get("fields"));
    await Body?.transformToString();
    expect({ ContentType, CacheControl }).to.deep.equal({ ContentType: "text/x-test", CacheControl: "no-store" });
    expect(Metadata).to.include({ mine: "yes" });
  });

  it("describes plaintext in its answers: ContentLength, and no checksum of the ciphertext", async () => {
    const client = fixture.client();
    const stored = await client.send(put("described"));
    const read = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "described", ChecksumMode: "ENABLED" }));
    await read.Body?.transformToString();
    expect(read.ContentLength).to.equal(6);
    expect(read.ETag).to.equal(stored.ETag);
    for (const output of [stored, read]) {
      expect(Object.keys(output).filter((name) => name.startsWith("Checksum"))).to.deep.equal([]);
    }
  });

  it("verifies the caller's checksums of the plaintext and does not send them", async () => {
    const client = fixture.client();
    const ContentMD5 = createHash("md5").update("secret").digest("base64");
    const ChecksumSHA256 = createHash("sha256").update("secret").digest("base64");
    const good = { Bucket: BUCKET, Key: "checked", Body: "secret", ContentMD5, ChecksumSHA256 };
    await client.send(new PutObjectCommand(good));
    const sent = fixture.server.requests.find(({ key, operation }) => key === "checked" && operation === "PutObject");
    expect(sent?.headers).not.to.have.any.keys("content-md5", "x-amz-checksum-sha256");
    const bad = await refusal(client.send(new PutObjectCommand({ ...good, Key: "unchecked", Body: "other" })));
    expect(bad.code).to.equal("content-mismatch");
    expect(await fixture.keys("unchecked")).to.deep.equal([]);
  });

  it("fails a body that is shorter or longer than ContentLength, and stores nothing", async () => {
    const client = fixture.client();
    for (const ContentLength of [5, 7, 20_000_000]) {
      const Body = Readable.from([Buffer.from("secret")], { objectMode: false });
      const command = new PutObjectCommand({ Bucket: BUCKET, Key: "short", Body, ContentLength });
      const error: unknown = await client.send(command).catch((reason: unknown) => reason);
      expect(error).to.have.property("code", "content-mismatch");
      expect(Body.destroyed).to.equal(true);
    }
    expect(await fixture.keys("short")).to.deep.equal([]);
  });

  it("refuses reserved names in metadata, context and description", async () => {
    const client = fixture.client();
    const reserved = new PutObjectCommand({ Bucket: BUCKET, Key: "r", Body: "x", Metadata: { "X-Amz-Mine": "1" } });
    expect((await refusal(client.send(reserved))).code).to.equal("invalid-argument");
    for (const name of ["aws:x-amz-cek-alg", "kms_cmk_id", "x-amz-meta", "X-Amz-Meta"]) {
      const byContext = client.send(put("r"), { encryptionContext: { [name]: "x" } });
      const byDescription = client.send(put("r"), { materialDescription: { [name]: "x" } });
      expect((await refusal(byContext)).code).to.equal("invalid-argument");
      expect((await refusal(byDescription)).code).to.equal("invalid-argument");
    }
    expect(await fixture.keys("r")).not.to.include("r");
  });

  it("refuses an encryption context that no raw key could bind, writing and reading", async () => {
    const client = fixture.client();
    const written = await refusal(client.send(put("unbound"), { encryptionContext: { tenant: "a" } }));
    expect(written.code).to.equal("invalid-argument");
    await client.send(put("unbound"));
    const read = await refusal(client.send(get("unbound"), { encryptionContext: { tenant: "a" } }));
    expect(read.code).to.equal("context-mismatch");
  });

  it("refuses writes that would not be encrypted, unless allowed by name", async () => {
    const client = fixture.client();
    const rename = new RenameObjectCommand({ Bucket: BUCKET, Key: "mpu", RenameSource: "other" });
    expect((await refusal(client.send(rename))).code).to.equal("unsupported-operation");
    const names = ["CreateMultipartUploadCommand", "UploadPartCommand"];
    const allowed = fixture.client({ allowUnencryptedCommands: names });
    const params = { Bucket: BUCKET, Key: "mpu" };
    const { UploadId } = await allowed.send(new CreateMultipartUploadCommand(params));
    const part = { ...params, UploadId, PartNumber: 1 };
    const { ETag } = await allowed.send(new UploadPartCommand({ ...part, Body: "as it is" }));
    expect(await getSignedUrl(allowed, new UploadPartCommand(part))).to.include("partNumber=1");
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await allowed.send(new CompleteMultipartUploadCommand({ ...params, UploadId, MultipartUpload }));
    expect((await fixture.stored("mpu")).body.toString()).to.equal("as it is");
  });

  it("checks S3's checksum of what has no tag, and only of that", async () => {
    const validation = (client: S3Client) => client.config.responseChecksumValidation();
    expect(await validation(fixture.client())).to.equal("WHEN_REQUIRED");
    const legacy = fixture.client({ enableLegacyUnauthenticatedModes: true });
    expect(await validation(legacy)).to.equal(await validation(fixture.plain));
    expect(await validation(legacy)).to.equal("WHEN_SUPPORTED");
  });

  it("asks once for a small object with an instruction file, and for the same version of a large one again", async () => {
    const client = fixture.client({
      instructionFileConfig: { enableInstructionFilePutObject: true },
      enableLegacyUnauthenticatedModes: true,
    });
    for (const [key, size, requests] of [
      ["in-file/small", 1000, 2],
      ["in-file/large", 3_000_000, 3],
    ] as const) {
      const plaintext = bytesOfLength(size);
      await client.send(put(key, plaintext));
      for (const Range of [undefined, "bytes=17-900"]) {
        fixture.server.clearRequests();
        const ranged = new GetObjectCommand({ Bucket: BUCKET, Key: key, ...(Range === undefined ? {} : { Range }) });
        const { Body } = await client.send(ranged);
        const read = Buffer.from((await Body?.transformToByteArray()) ?? []);
        const expected = Range === undefined ? plaintext : plaintext.subarray(17, 901);
        expect(read.equals(expected), `${key} ${Range}`).to.equal(true);
        // A range of a large object is small.
        const asked = fixture.server.requests.filter(({ operation }) => operation === "GetObject");
        expect(asked).to.have.length(Range === undefined ? requests : 2);
        const again = asked.filter((request) => request.key === key).slice(1);
        for (const { headers } of again) expect(headers).to.have.property("if-match");
      }
    }
  });

  it("gives an instruction file the object's encryption and storage, but not its metadata (H28)", async () => {
    const client = fixture.client({ instructionFileConfig: { enableInstructionFilePutObject: true } });
    fixture.server.clearRequests();
    await client.send(
      new PutObjectCommand({
        Bucket: BUCKET,
        Key: "shared",
        Body: "x",
        ServerSideEncryption: "AES256",
        StorageClass: "STANDARD_IA",
        Metadata: { mine: "yes" },
        CacheControl: "no-store",
      }),
    );
    const file = fixture.server.requests.find(
      ({ operation, key }) => operation === "PutObject" && key === "shared.instruction",
    );
    expect(file?.headers).to.include({
      "x-amz-server-side-encryption": "AES256",
      "x-amz-storage-class": "STANDARD_IA",
    });
    expect(file?.headers).not.to.have.any.keys("x-amz-meta-mine", "cache-control");
  });

  it("refuses to ask for sizes none at a time", async () => {
    for (const queueSize of [0, -1, Number.NaN]) {
      const sizes = withPlaintextSizes(fixture.plain, { Bucket: BUCKET, Contents: [{ Key: "x" }] }, { queueSize });
      expect((await refusal(sizes.next())).code).to.equal("invalid-argument");
    }
  });

  it("refuses to presign, both ways", async () => {
    const client = fixture.client();
    expect((await refusal(getSignedUrl(client, put("presigned")))).code).to.equal("unsupported-operation");
    expect((await refusal(getSignedUrl(client, get("head")))).code).to.equal("unsupported-operation");
    expect(await fixture.keys("presigned")).to.deep.equal([]);
  });

  it("says that an object is not encrypted, and what it looked for (S13)", async () => {
    await fixture.plain.send(put("plain"));
    const error = await refusal(fixture.client().send(get("plain")));
    expect(error.code).to.equal("not-encrypted");
    expect(error.message).to.match(/not written by an S3 encryption client/);
    expect(error.message).to.match(/\.instruction/);
    const disabled = fixture.client({ instructionFileConfig: { disableInstructionFile: true } });
    expect((await refusal(disabled.send(get("plain")))).code).to.equal("not-encrypted");
  });

  it("does not call an object unencrypted whose metadata says that it is, when only its file is not found", async () => {
    const client = fixture.client({ instructionFileConfig: { enableInstructionFilePutObject: true } });
    await client.send(put("filed"));
    await fixture.client().send(put("unfiled"));
    for (const [key, options] of [
      ["filed", { instructionFileSuffix: ".escrow" }],
      ["unfiled", { instructionFileSuffix: ".escrow", preferInstructionFile: true }],
    ] as const) {
      const { code, message } = await refusal(client.send(get(key), options));
      expect(code).to.equal("not-encrypted");
      expect(message).to.match(/no instruction file at its key plus "\.escrow".*instructionFileSuffix/);
      expect(message).to.not.match(/not written by|holds no encryption fields/);
    }
  });

  it("lets S3's own errors through", async () => {
    const error: unknown = await fixture
      .client()
      .send(get("absent"))
      .catch((reason: unknown) => reason);
    expect(error).to.have.property("name", "NoSuchKey");
  });

  it("never ends a tampered object cleanly, in any mode, and says the same every time (S12, S16)", async () => {
    const plaintext = bytesOfLength(300_000);
    await fixture.client().send(put("tampered", plaintext));
    const { body, metadata } = await fixture.stored("tampered");
    const modes: Partial<S3EncryptionOptions>[] = [
      {},
      { bufferSize: 1000 },
      { enableDelayedAuthenticationMode: true },
      { enableDelayedAuthenticationMode: true, bufferSize: 0 },
    ];
    const messages = new Set<string>();
    for (const position of [0, 150_000, body.length - 1]) {
      const altered = Buffer.from(body);
      altered[position] = (altered[position] ?? 0) ^ 1;
      await fixture.server.putRawObject(BUCKET, "tampered", { body: altered, metadata });
      for (const options of modes) {
        const reading = async (): Promise<unknown> => {
          const { Body } = await fixture.client(options).send(get("tampered"));
          return Body?.transformToByteArray();
        };
        const error = await refusal(reading());
        expect(error.code).to.equal("decryption-failed");
        messages.add(error.message);
      }
    }
    expect(messages.size).to.equal(1);
  });

  it("spools what exceeds bufferSize, and leaves no file, whether read, half-read or refused", async () => {
    const directory = mkdtempSync(join(tmpdir(), "s3ec-spool-test-"));
    try {
      const plaintext = bytesOfLength(3_000_000);
      const client = fixture.client({ bufferSize: 1000, spool: { directory } });
      await client.send(put("spooled", plaintext));
      const whole = await client.send(get("spooled"));
      expect(Buffer.from((await whole.Body?.transformToByteArray()) ?? []).equals(plaintext)).to.equal(true);
      const half = await client.send(get("spooled"));
      if (!(half.Body instanceof Readable)) throw new Error("Not a Node stream");
      for await (const _chunk of half.Body) break;
      expect(readdirSync(directory)).to.deep.equal([]);
      const off = fixture.client({ bufferSize: 1000, spool: false });
      expect((await refusal(off.send(get("spooled")))).code).to.equal("content-too-large");
      const nowhere = fixture.client({ bufferSize: 1000, spool: { directory: join(directory, "missing") } });
      const error: unknown = await nowhere.send(get("spooled")).catch((reason: unknown) => reason);
      expect(error).to.have.property("code", "invalid-configuration");
      expect(error).to.have.nested.property("cause.code", "ENOENT");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("closes the socket of an object that was not read to its end", async () => {
    await fixture.client().send(put("half", bytesOfLength(20_000_000)));
    const before = fixture.server.openConnections;
    const client = fixture.client({ enableDelayedAuthenticationMode: true });
    const { Body } = await client.send(get("half"));
    if (!(Body instanceof Readable)) throw new Error("Not a Node stream");
    Body.destroy();
    const refusing = fixture.client({ bufferSize: 10, spool: false });
    await refusal(refusing.send(get("half")));
    // Sockets that are still in use would survive a client whose idle ones are closed here.
    client.destroy();
    refusing.destroy();
    for (let waited = 0; fixture.server.openConnections > before && waited < 250; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(fixture.server.openConnections).to.be.at.most(before);
  });

  it("stops when the caller aborts", async () => {
    fixture.server.faults.add({ operation: "GetObject", key: "half", times: 1, delayMs: 5000 });
    const abort = new AbortController();
    const reading = fixture.client().send(get("half"), { abortSignal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    const error: unknown = await reading.catch((reason: unknown) => reason);
    expect(error).to.have.property("name", "AbortError");
    fixture.server.faults.clear();
  });

  it("answers ranges in plaintext terms, only with the legacy switch on", async () => {
    const plaintext = bytesOfLength(1000);
    const strict = fixture.client();
    await strict.send(put("ranged", plaintext));
    const ranged = (Range: string) => new GetObjectCommand({ Bucket: BUCKET, Key: "ranged", Range });
    const unauthenticated = await refusal(strict.send(ranged("bytes=0-1")));
    expect(unauthenticated.code).to.equal("legacy-disabled");
    expect(unauthenticated.message).to.contain("set enableLegacyUnauthenticatedModes to true");
    const client = fixture.client({ enableLegacyUnauthenticatedModes: true });
    const cases: [string, number, number][] = [
      ["bytes=0-0", 0, 0],
      ["bytes=15-16", 15, 16],
      ["bytes=16-31", 16, 31],
      ["bytes=990-2000", 990, 999],
      ["bytes=500-", 500, 999],
      ["bytes=-1", 999, 999],
      ["bytes=-17", 983, 999],
      ["bytes=-5000", 0, 999],
    ];
    for (const [range, first, last] of cases) {
      const { Body, ContentLength, ContentRange } = await client.send(ranged(range));
      const read = Buffer.from((await Body?.transformToByteArray()) ?? []);
      expect(read.equals(plaintext.subarray(first, last + 1)), range).to.equal(true);
      expect(ContentLength).to.equal(last - first + 1);
      expect(ContentRange).to.equal(`bytes ${first}-${last}/1000`);
    }
    for (const range of ["bytes=1000-", "bytes=1010-1011", "bytes=2000-3000"]) {
      const error: unknown = await client.send(ranged(range)).catch((reason: unknown) => reason);
      expect(error, range).to.have.nested.property("$metadata.httpStatusCode", 416);
    }
    for (const range of ["bytes=5-3", "lines=1-2", "bytes=1-2,4-5"]) {
      expect((await refusal(client.send(ranged(range)))).code).to.equal("invalid-argument");
    }
  });

  it("loads neither client-kms nor zod nor inversify nor lib-storage", () => {
    const directory = mkdtempSync(join(tmpdir(), "s3ec-imports-"));
    try {
      const code = 'await import("@s3ec/client");';
      const run = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
        env: { ...process.env, NODE_V8_COVERAGE: directory },
        cwd: import.meta.dirname,
      });
      expect(run.status, String(run.stderr)).to.equal(0);
      const loaded = readdirSync(directory)
        .map((name) => readFileSync(join(directory, name), "utf8"))
        .join("");
      expect(loaded).to.match(/client-s3/);
      expect(loaded).not.to.match(/client-kms|node_modules\/zod|inversify|lib-storage|keyring-|opentelemetry/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
