import {
  closeSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AbortMultipartUploadCommand, GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import {
  EncryptedUpload,
  type EncryptedUploadOptions,
  FileChangedError,
  S3EncryptionClient,
  type S3EncryptionOptions,
} from "@s3ec/client";
import type { Fault } from "@s3ec/dev-server";
import { canSealInParts } from "@s3ec/envelope";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, refusal, TEST_KEYRING } from "./fixture.js";
import { RecordingProxy } from "./recording-proxy.js";
import { errorOf } from "./transfers.js";

const MiB = 1024 * 1024;

/** Tries a request up to three times and at once, when something else has been done first. */
function retryAfter(work: () => void): Awaited<ReturnType<S3Client["config"]["retryStrategy"]>> {
  const token = (count: number) => ({ getRetryCount: () => count, getRetryCost: () => 0, getRetryDelay: () => 0 });
  return {
    acquireInitialRetryToken: async () => token(0),
    refreshRetryTokenForRetry: async (used, { errorType }) => {
      if (used.getRetryCount() === 2 || errorType === "CLIENT_ERROR") throw new Error("No more.");
      work();
      return token(used.getRetryCount() + 1);
    },
    recordSuccess: () => {},
  };
}

describe("EncryptedUpload of a file", () => {
  const large = bytesOfLength(12 * MiB + 5);
  let fixture: Fixture;
  let folder: string;
  let path: string;

  before(async () => {
    fixture = await Fixture.start();
    folder = mkdtempSync(join(tmpdir(), "s3ec-test-"));
    path = join(folder, "file");
  });
  after(async () => {
    await fixture.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    writeFileSync(path, large);
    fixture.server.clearRequests();
  });
  afterEach(() => fixture.server.faults.clear());

  async function read(Key: string): Promise<Buffer> {
    const { Body } = await fixture.client().send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  function retrying(options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient {
    const encryption = { keyring: TEST_KEYRING, ...options };
    const config = { ...fixture.server.clientConfig, retryStrategy: retryAfter(() => {}) };
    return fixture.track(new S3EncryptionClient({ ...config, encryption }));
  }

  function upload(Key: string, options: Partial<EncryptedUploadOptions> = {}): EncryptedUpload {
    return new EncryptedUpload({ client: fixture.client(), file: path, params: { Bucket: BUCKET, Key }, ...options });
  }

  async function expectNothing(key: string): Promise<void> {
    expect(fixture.server.openUploads).to.deep.equal([]);
    expect(await fixture.keys(key)).to.deep.equal([]);
  }

  const faults: Readonly<Record<string, Omit<Fault, "operation">>> = {
    "an error": { status: 500 },
    "an error after it was stored": { status: 500, performed: true },
    "too many requests": { status: 503, code: "SlowDown" },
    "a slow connection": { status: 400, code: "RequestTimeout" },
    "a cut before anything": { cutAfterBytes: 0 },
    "a cut in the middle": { cutAfterBytes: 1_500_000 },
    "no answer": { performed: true },
  };
  for (const [name, fault] of Object.entries(faults)) {
    it(`makes each part again after ${name}, and asks for one data key`, async () => {
      let wraps = 0;
      const keyring = new (class extends RawAesKeyring {
        override async onEncrypt(...args: Parameters<RawAesKeyring["onEncrypt"]>) {
          wraps += 1;
          return await super.onEncrypt(...args);
        }
      })({ wrappingKey: Buffer.alloc(32, 1) });
      for (const partNumber of [1, 2, 3]) {
        fixture.server.faults.add({ operation: "UploadPart", partNumber, times: 1, ...fault });
      }
      await upload("again", { client: retrying({ keyring }) }).done();
      const { Body } = await fixture.client({ keyring }).send(new GetObjectCommand({ Bucket: BUCKET, Key: "again" }));
      expect(large.equals((await Body?.transformToByteArray()) ?? Buffer.of())).to.equal(true);
      expect(wraps).to.equal(1);
    });

    it(`puts it in one request again after ${name}`, async () => {
      const key = `single ${name}`;
      fixture.server.faults.add({ operation: "PutObject", times: 1, ...fault });
      const output = await upload(key, { client: retrying(), partSize: 20 * MiB }).done();
      expect(output).to.include({ Bucket: BUCKET, Key: key });
      expect((await read(key)).equals(large)).to.equal(true);
    });

    it(`leaves nothing when a part ends in ${name} for good`, async () => {
      fixture.server.faults.add({ operation: "UploadPart", partNumber: 2, ...fault });
      await errorOf(upload(`bad ${name}`, { client: retrying() }).done());
      await expectNothing(`bad ${name}`);
    });
  }

  it("sends a large one in fewer and larger parts, of which none is held", async () => {
    const bytes = bytesOfLength(24 * MiB);
    writeFileSync(path, bytes);
    const client = fixture.client();
    const parts = async (options: Partial<EncryptedUploadOptions>): Promise<number> => {
      fixture.server.clearRequests();
      const params = { Bucket: BUCKET, Key: "large", ...options.params };
      await new EncryptedUpload({ client, ...options, params }).done();
      return fixture.server.requests.filter(({ operation }) => operation === "UploadPart").length;
    };
    expect(await parts({ file: path, queueSize: 1 })).to.equal(4);
    expect((await read("large")).equals(bytes)).to.equal(true);
    // As before of many connections, of what is held, and where it is said.
    expect(await parts({ file: path })).to.equal(5);
    const Body = createReadStream(path);
    const params = { Bucket: BUCKET, Key: "large", Body, ContentLength: bytes.length };
    expect(await parts({ params, queueSize: 1 })).to.equal(5);
    expect(await parts({ file: path, queueSize: 1, partSize: 5 * MiB })).to.equal(5);
  });

  it("has S3 refuse a part that was damaged on its way, and leaves nothing", async () => {
    fixture.server.faults.add({ operation: "UploadPart", partNumber: 2, corruptByteAt: 2_000_000 });
    await errorOf(upload("damaged", { client: retrying() }).done());
    await expectNothing("damaged");
  });

  for (const [name, size] of [
    ["fills its parts but for the tag", 10 * MiB - 16],
    ["has its tag in two parts", 10 * MiB - 9],
    ["fills its parts, and the tag is one of its own", 10 * MiB],
    ["is one byte", 1],
  ] as const) {
    it(`stores one that ${name}`, async () => {
      const bytes = large.subarray(0, size);
      writeFileSync(path, bytes);
      for (const queueSize of [1, 4]) {
        await upload("sizes", { queueSize, partSize: 5 * MiB }).done();
        expect((await read("sizes")).equals(bytes)).to.equal(true);
      }
    });
  }

  const changes: Readonly<Record<string, () => void>> = {
    shorter: () => truncateSync(path, 6 * MiB),
    longer: () => writeFileSync(path, "more", { flag: "a" }),
    another: () => {
      writeFileSync(`${path}.new`, large);
      renameSync(`${path}.new`, path);
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    for (const partSize of [5 * MiB, 20 * MiB]) {
      it(`stores nothing of a file that became ${name} meanwhile, in parts of ${partSize} bytes`, async () => {
        const operation = partSize > large.length ? "PutObject" : "UploadPart";
        const pause = fixture.server.faults.pause({ operation });
        const done = errorOf(upload(name, { partSize, queueSize: 1 }).done());
        await pause.reached;
        change();
        pause.release();
        const error = await done;
        expect(error).to.be.instanceOf(FileChangedError).with.property("code", "content-mismatch");
        expect(error).to.have.property("path", path);
        await expectNothing(name);
      });
    }
  }

  for (const partSize of [5 * MiB, 20 * MiB]) {
    it(`sends no byte of other content in the place of what was sent (S18), in parts of ${partSize} bytes`, async () => {
      const proxy = await RecordingProxy.start(fixture.server.clientConfig.endpoint);
      try {
        // What is changed is in the piece that comes second, so that the second try has begun when it is found.
        const at = MiB + 100;
        writeFileSync(path, Buffer.alloc(large.length));
        const encryption = { keyring: TEST_KEYRING };
        const client = new S3EncryptionClient({
          ...fixture.server.clientConfig,
          endpoint: proxy.endpoint,
          encryption,
          requestChecksumCalculation: "WHEN_REQUIRED",
          retryStrategy: retryAfter(() => {
            // With the times that it had: only its bytes tell.
            writeUnseen(path, at, Buffer.alloc(64, 0xff));
          }),
        });
        fixture.track(client);
        const operation = partSize > large.length ? "PutObject" : "UploadPart";
        fixture.server.faults.add({ operation, cutAfterBytes: 3 * MiB });
        const error = await errorOf(upload("changed", { client, partSize, queueSize: 1 }).done());
        await expectNothing("changed");
        const [first = Buffer.of(), second = Buffer.of(), ...more] = bodiesOf(proxy.take());
        // Deno holds the ciphertext of a part, and reads the file no second time.
        if (!canSealInParts()) {
          const length = Math.min(first.length, ...[second, ...more].map((body) => body.length));
          for (const body of [second, ...more]) {
            expect(body.subarray(0, length).equals(first.subarray(0, length))).to.equal(true);
          }
          expect(length).to.be.greaterThan(at + 64);
          return;
        }
        expect(error).to.be.instanceOf(FileChangedError);
        // Keystream, since the file was zeros: all of the first try has it, and the second ends before it would be another.
        expect(first.length).to.be.greaterThan(at + 64);
        expect(second.length).to.be.greaterThan(0).and.at.most(MiB);
        expect(second.equals(first.subarray(0, second.length))).to.equal(true);
      } finally {
        await proxy.close();
      }
    });
  }

  it("sends nothing in the clear when requests are answered before they are sent (G6)", async () => {
    const proxy = await RecordingProxy.start(fixture.server.clientConfig.endpoint);
    try {
      const secret = "plaintext of 16.";
      writeFileSync(path, Buffer.alloc(12 * MiB, secret));
      const client = fixture.track(
        new S3EncryptionClient({
          ...fixture.server.clientConfig,
          endpoint: proxy.endpoint,
          encryption: { keyring: TEST_KEYRING },
          retryStrategy: retryAfter(() => {}),
        }),
      );
      const started = upload("early", { client }).on("httpUploadProgress", () => proxy.answerEarly("503 Slow Down"));
      proxy.answerEarly("503 Slow Down");
      await started.done();
      const sent = proxy.take();
      expect(sent.length).to.be.greaterThan(12 * MiB);
      expect(sent.includes(secret.slice(0, 8))).to.equal(false);
      expect(sent.includes(secret.slice(8))).to.equal(false);
      expect((await read("early")).equals(Buffer.alloc(12 * MiB, secret))).to.equal(true);
    } finally {
      await proxy.close();
    }
  });

  it("sends no byte of a body that the server does not want (Expect: 100-continue)", async () => {
    let received = 0;
    const count = (bytes: Buffer): void => {
      received += bytes.length;
    };
    const expectations: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      request.on("data", count);
      response.end();
    });
    server.on("checkContinue", (request, response) => {
      expectations.push(request.headers.expect);
      request.on("data", count);
      response.writeHead(403, { connection: "close" }).end();
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    try {
      const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const client = fixture.track(
        new S3EncryptionClient({
          ...fixture.server.clientConfig,
          endpoint,
          expectContinueHeader: true,
          encryption: { keyring: TEST_KEYRING },
        }),
      );
      const error = await errorOf(upload("unwanted", { client, partSize: 20 * MiB }).done());
      expect(error).to.have.nested.property("$metadata.httpStatusCode", 403);
      expect(expectations).to.deep.equal(["100-continue"]);
      expect(received).to.equal(0);
    } finally {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  });

  for (const file of ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled"]) {
    (existsSync(file) ? it : it.skip)(`uploads all of ${file}, whatever its size says`, async () => {
      await upload("system", { file }).done();
      const { Body } = await fixture.client().send(get("system"));
      expect(await Body?.transformToString()).to.equal(readFileSync(file, "utf8"));
    });
  }

  it("says of a file that is not there, of a folder, and of another length what is wrong, sending nothing", async () => {
    const none = join(folder, "none");
    const missing = await refusal(upload("none", { file: none }).done());
    expect(missing.message).to.equal(`The file ${none} is not there.`);
    expect(missing).to.have.property("code", "invalid-argument");
    expect(missing.cause).to.have.property("code", "ENOENT");
    expect((await refusal(upload("folder", { file: folder }).done())).message).to.equal(
      `${folder} is a folder: name a file.`,
    );
    const params = { Bucket: BUCKET, Key: "length", ContentLength: 3 };
    expect((await refusal(upload("length", { params }).done())).code).to.equal("content-mismatch");
    expect(fixture.server.requests).to.deep.equal([]);
  });

  it("compares a caller's checksum of the file, and never sends it", async () => {
    const params = { Bucket: BUCKET, Key: "summed", ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" };
    expect((await refusal(upload("summed", { params }).done())).code).to.equal("content-mismatch");
    await expectNothing("summed");
  });

  it("looks again when a completion without an answer turns out to be done as its parts are removed", async () => {
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", performed: true, times: 1 });
    // The look that comes first finds out nothing.
    fixture.server.faults.add({ operation: "HeadObject", status: 503, times: 1 });
    const output = await upload("looked up").done();
    expect(output).to.include({ Bucket: BUCKET, Key: "looked up" });
    expect((await read("looked up")).equals(large)).to.equal(true);
    const operations = fixture.server.requests.map(({ operation }) => operation);
    expect(operations.filter((operation) => operation === "HeadObject").length).to.equal(2);
  });

  it("fails when a completion was not answered and not done, and leaves nothing", async () => {
    for (const fault of [{ cutAfterBytes: 0 }, { status: 500 }, { status: 400, code: "InvalidPart" }]) {
      fixture.server.faults.clear();
      fixture.server.faults.add({ operation: "CompleteMultipartUpload", ...fault });
      await errorOf(upload("incomplete").done());
      await expectNothing("incomplete");
    }
  });

  it("says what S3 said when the parts of a failed upload cannot be removed either", async () => {
    fixture.server.faults.add({ operation: "UploadPart", partNumber: 2, status: 403, code: "AccessDenied" });
    const forget = fixture.server.faults.add({ operation: "AbortMultipartUpload", status: 500 });
    expect((await errorOf(upload("stays").done())).name).to.equal("AccessDenied");
    forget();
    const [left, ...others] = fixture.server.openUploads;
    expect(others).to.deep.equal([]);
    const params = { Bucket: BUCKET, Key: "stays", UploadId: left?.uploadId };
    await fixture.plain.send(new AbortMultipartUploadCommand(params));
  });

  it("still takes a stream of a file, which is read once", async () => {
    const params = { Bucket: BUCKET, Key: "stream", Body: createReadStream(path) };
    await new EncryptedUpload({ client: fixture.client(), params }).done();
    expect((await read("stream")).equals(large)).to.equal(true);
  });

  it("closes the file, whatever the upload ends in", async () => {
    const descriptors = async (): Promise<number> => {
      const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
      return (await Promise.all(links)).filter((link) => link === path).length;
    };
    if (process.platform !== "linux") return;
    await upload("closed").done();
    fixture.server.faults.add({ operation: "UploadPart", partNumber: 2, status: 500 });
    await errorOf(upload("closed").done());
    await errorOf(upload("closed", { params: { Bucket: BUCKET, Key: "closed", ContentLength: 3 } }).done());
    expect(await descriptors()).to.equal(0);
  });
});

/** Writes into a file, and gives it the time of modification that it had. */
function writeUnseen(path: string, position: number, bytes: Buffer): void {
  const { atime, mtime } = statSync(path);
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, position);
  closeSync(file);
  utimesSync(path, atime, mtime);
}

/** Bodies of the puts that one connection after another has sent, none of them in chunks. */
function bodiesOf(sent: Buffer): Buffer[] {
  const requests = [...sent.toString("latin1").matchAll(/(GET|HEAD|POST|PUT|DELETE) \//g)];
  return requests.flatMap(({ 1: method, index }, at) => {
    const body = sent.subarray(sent.indexOf("\r\n\r\n", index) + 4, requests[at + 1]?.index);
    return method === "PUT" ? [body] : [];
  });
}
