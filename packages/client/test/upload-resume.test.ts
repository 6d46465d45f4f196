import { type ChildProcess, fork } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KMSClient } from "@aws-sdk/client-kms";
import { AbortMultipartUploadCommand, GetObjectCommand } from "@aws-sdk/client-s3";
import {
  discardUpload,
  EncryptedUpload,
  type EncryptedUploadOptions,
  FileChangedError,
  type UploadProgress,
  type UploadResumption,
} from "@s3ec/client";
import { KmsDiscoveryKeyring, KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { CachingMaterialsManager, DefaultMaterialsManager } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, describeInParts, Fixture, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const MiB = 1024 * 1024;
const SECRET = Buffer.alloc(32, 4);

/** The key that the killed process has, which counts what it is asked. */
class Counting extends RawAesKeyring {
  wraps = 0;
  unwraps = 0;

  constructor(byte = 9) {
    super({ wrappingKey: Buffer.alloc(32, byte) });
  }

  override async onEncrypt(...args: Parameters<RawAesKeyring["onEncrypt"]>): ReturnType<RawAesKeyring["onEncrypt"]> {
    this.wraps += 1;
    return await super.onEncrypt(...args);
  }

  override async onDecrypt(...args: Parameters<RawAesKeyring["onDecrypt"]>): ReturnType<RawAesKeyring["onDecrypt"]> {
    this.unwraps += 1;
    return await super.onDecrypt(...args);
  }
}

const asked = async (fixture: Fixture): Promise<unknown> => {
  const params = { Bucket: BUCKET, Key: "object" };
  const file = fileURLToPath(import.meta.url);
  return await new EncryptedUpload({ client: fixture.client(), params, file, resume: { secret: SECRET } }).done();
};

describeInParts("an upload that is resumed", asked, () => {
  // Four parts, the last of which has less than a block beside the tag.
  const content = bytesOfLength(15 * MiB + 5);
  let fixture: Fixture;
  let folder: string;
  let file: string;
  let state: string;
  let keyring: Counting;

  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-test-"));
    file = join(folder, "file");
    state = `${file}.s3ec-upload`;
    writeFileSync(file, content);
    keyring = new Counting();
    fixture.server.clearRequests();
  });
  afterEach(async () => {
    fixture.server.faults.clear();
    for (const { key, uploadId } of fixture.server.openUploads) {
      await fixture.plain.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: key, UploadId: uploadId }));
    }
    rmSync(folder, { recursive: true });
  });

  function upload(Key: string, options: Partial<EncryptedUploadOptions> = {}): EncryptedUpload {
    return new EncryptedUpload({
      client: fixture.client({ keyring }),
      params: { Bucket: BUCKET, Key },
      file,
      queueSize: 2,
      resume: { secret: SECRET },
      ...options,
    });
  }

  function sent(operation: string): number {
    return fixture.server.requests.filter((request) => request.operation === operation).length;
  }

  async function expectWhole(Key: string): Promise<void> {
    const { Body } = await fixture.client({ keyring }).send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    expect(content.equals((await Body?.transformToByteArray()) ?? Buffer.of())).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal(["file"]);
    expect(fixture.server.openUploads).to.deep.equal([]);
  }

  /** Has an upload fail when it has sent two of its parts, one after the other. */
  async function interrupted(Key: string, options: Partial<EncryptedUploadOptions> = {}): Promise<void> {
    const repair = fixture.server.faults.add({ operation: "UploadPart", partNumber: 3, status: 500 });
    await errorOf(upload(Key, { queueSize: 1, ...options }).done());
    repair();
    fixture.server.clearRequests();
    keyring.wraps = 0;
    keyring.unwraps = 0;
  }

  it("goes on where it broke off: with the parts that S3 has not, and one call of the keyring", async () => {
    await interrupted("on");
    expect(statSync(state).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder).sort()).to.deep.equal(["file", "file.s3ec-upload"]);
    const seen: number[] = [];
    const told: UploadResumption[] = [];
    let pace: UploadProgress = {};
    await upload("on")
      .on("resume", (resumption) => told.push(resumption))
      .on("httpUploadProgress", (progress) => {
        seen.push(progress.loaded ?? 0);
        pace = progress;
      })
      .done();
    expect(told).to.deep.equal([{ kept: 10 * MiB }]);
    expect(pace.secondsLeft).to.equal(0);
    expect(pace.bytesPerSecond).to.be.greaterThan(0);
    expect([sent("CreateMultipartUpload"), sent("UploadPart")]).to.deep.equal([0, 2]);
    expect([keyring.wraps, keyring.unwraps]).to.deep.equal([0, 1]);
    expect(seen.at(-1)).to.equal(content.length);
    await expectWhole("on");
  });

  it("needs no state where nothing breaks off, nor for a file of one part", async () => {
    const told: UploadResumption[] = [];
    const telling = (Key: string, options: Partial<EncryptedUploadOptions> = {}): Promise<unknown> =>
      upload(Key, options)
        .on("resume", (resumption) => told.push(resumption))
        .done();
    await telling("whole");
    await expectWhole("whole");
    await telling("one part", { partSize: 20 * MiB });
    await telling("not resumed", { resume: false });
    expect(told).to.deep.equal([{ kept: 0 }, { kept: 0 }]);
    await expectWhole("one part");
    expect(keyring.unwraps).to.equal(2);
  });

  it("sends a part again that S3 lists with other bytes", async () => {
    await interrupted("damaged");
    const [open] = fixture.server.openUploads;
    const { UploadPartCommand } = await import("@aws-sdk/client-s3");
    const at = { Bucket: BUCKET, Key: "damaged", UploadId: open?.uploadId };
    await fixture.plain.send(new UploadPartCommand({ ...at, PartNumber: 1, Body: Buffer.alloc(5 * MiB, 1) }));
    fixture.server.clearRequests();
    await upload("damaged").done();
    expect(sent("UploadPart")).to.equal(3);
    await expectWhole("damaged");
  });

  it("keeps what an abort leaves, and its state holds neither a key nor a hash", async () => {
    const pause = fixture.server.faults.pause({ operation: "UploadPart", partNumber: 2 });
    const started = upload("aborted", { queueSize: 1 });
    const done = errorOf(started.done());
    await pause.reached;
    await started.abort();
    pause.release();
    expect((await done).name).to.equal("AbortError");
    const lines = readFileSync(state, "utf8").split("\n");
    expect(Object.keys(JSON.parse(lines[0]?.split("\t")[0] ?? ""))).to.have.members(
      "version,bucket,key,uploadId,format,metadata,files,partSize,source,call".split(","),
    );
    expect(Object.keys(JSON.parse(lines[1]?.split("\t")[0] ?? ""))).to.have.members(
      "part,offset,length,digest".split(","),
    );
    await upload("aborted").done();
    await expectWhole("aborted");
  });

  const moments = [
    { operation: "CreateMultipartUpload", at: "answer", begins: true },
    { operation: "UploadPart", partNumber: 1, at: "request" },
    { operation: "UploadPart", partNumber: 2, at: "commit" },
    { operation: "UploadPart", partNumber: 3, at: "answer" },
    { operation: "UploadPart", partNumber: 4, at: "request" },
    { operation: "CompleteMultipartUpload", at: "request" },
    { operation: "CompleteMultipartUpload", at: "answer" },
  ] as const;
  for (const { begins = false, ...moment } of moments.map((one) => ({ begins: false, ...one }))) {
    it(`stores the file when its process was killed at ${Object.values(moment).join(" ")}`, async () => {
      const Key = `killed ${Object.values(moment).join(" ")}`;
      const pause = fixture.server.faults.pause(moment);
      const settings = {
        config: fixture.server.clientConfig,
        params: { Bucket: BUCKET, Key },
        file,
        resume: { secret: SECRET.toString("base64") },
      };
      const child = fork(fileURLToPath(new URL("resume-process.js", import.meta.url)), [JSON.stringify(settings)]);
      try {
        await Promise.race([pause.reached, exitOf(child)]);
      } finally {
        child.kill("SIGKILL");
        await exitOf(child);
        pause.release();
      }
      await upload(Key).done();
      // Before the state there was nothing that could be gone on with.
      if (begins) expect(fixture.server.openUploads.length).to.equal(1);
      else await expectWhole(Key);
    });
  }

  it("survives kill -9 at any moment, as often as it comes, and leaves nothing in the end", async () => {
    const settings = {
      config: fixture.server.clientConfig,
      params: { Bucket: BUCKET, Key: "random" },
      file,
      resume: { secret: SECRET.toString("base64") },
    };
    fixture.server.faults.add({ operation: "UploadPart", delayMs: 150 });
    for (let kills = Number(process.env["S3EC_KILLS"] ?? 3); kills > 0; kills--) {
      const child = fork(fileURLToPath(new URL("resume-process.js", import.meta.url)), [JSON.stringify(settings)]);
      const timer = setTimeout(() => child.kill("SIGKILL"), 400 + Math.random() * 1600);
      await exitOf(child);
      clearTimeout(timer);
      for (const name of readdirSync(folder)) expect(name).to.match(/^file(\.s3ec-upload(\.lock-[\w-]+)?)?$/);
    }
    fixture.server.faults.clear();
    await upload("random").done();
    const { Body } = await fixture.client({ keyring }).send(new GetObjectCommand({ Bucket: BUCKET, Key: "random" }));
    expect(content.equals((await Body?.transformToByteArray()) ?? Buffer.of())).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal(["file"]);
  });

  it("ends when the file has changed since: what was sent is removed", async () => {
    for (const change of [
      () => writeFileSync(file, content.subarray(1), { flag: "a" }),
      () => writeFileSync(file, Buffer.from(content).reverse()),
      () => {
        writeFileSync(`${file}.new`, content);
        renameSync(`${file}.new`, file);
      },
    ]) {
      await interrupted("changed");
      change();
      expect(await errorOf(upload("changed").done())).to.be.instanceOf(FileChangedError);
      expect(readdirSync(folder)).to.deep.equal(["file"]);
      expect(fixture.server.openUploads).to.deep.equal([]);
      expect(sent("UploadPart")).to.equal(0);
      writeFileSync(file, content);
    }
  });

  it("ends when the file changes while it is sent, and leaves nothing", async () => {
    const pause = fixture.server.faults.pause({ operation: "UploadPart", partNumber: 1 });
    const done = errorOf(upload("changes").done());
    await pause.reached;
    writeFileSync(file, "more", { flag: "a" });
    pause.release();
    expect(await done).to.be.instanceOf(FileChangedError);
    expect(readdirSync(folder)).to.deep.equal(["file"]);
    expect(fixture.server.openUploads).to.deep.equal([]);
  });

  const refusals: Readonly<
    Record<string, { code: string; change: () => Partial<EncryptedUploadOptions>; unwraps?: number }>
  > = {
    "another key": {
      code: "decryption-failed",
      change: () => ({ client: fixture.client({ keyring: new Counting(8) }) }),
    },
    "another secret": {
      code: "content-mismatch",
      change: () => ({ resume: { secret: Buffer.alloc(32, 5) } }),
      unwraps: 1,
    },
    "other params": {
      code: "invalid-argument",
      change: () => ({ params: { Bucket: BUCKET, Key: "refused", ContentType: "text/plain" } }),
      unwraps: 1,
    },
    "other metadata": {
      code: "invalid-argument",
      change: () => ({ params: { Bucket: BUCKET, Key: "refused", Metadata: { a: "b" } } }),
      unwraps: 1,
    },
    "another suffix of its instruction file": {
      code: "invalid-argument",
      change: () => ({ instructionFileSuffix: ".other" }),
      unwraps: 1,
    },
    "another partSize": { code: "invalid-argument", change: () => ({ partSize: 6 * MiB }), unwraps: 1 },
    "another object": { code: "invalid-argument", change: () => ({ params: { Bucket: BUCKET, Key: "other" } }) },
    "another format": {
      code: "commitment-policy",
      change: () => ({
        client: fixture.client({ keyring, commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" }),
      }),
    },
    "a state that others may read": {
      code: "unsupported-operation",
      change: () => {
        chmodSync(state, 0o640);
        return {};
      },
    },
    "a state with another name, too": {
      code: "unsupported-operation",
      change: () => {
        linkSync(state, join(folder, "second"));
        return {};
      },
    },
    "a state that is a link": {
      code: "unsupported-operation",
      change: () => {
        renameSync(state, join(folder, "first"));
        symlinkSync(join(folder, "first"), state);
        return {};
      },
    },
  };
  for (const [what, { code, change, unwraps = 0 }] of Object.entries(refusals)) {
    it(`refuses ${what}, and keeps what there is`, async () => {
      await interrupted("refused");
      const before = readFileSync(state);
      const options = change();
      expect((await refusal(upload("refused", options).done())).code).to.be.oneOf([code, "malformed-envelope"]);
      expect(keyring.unwraps).to.equal(unwraps);
      expect(sent("UploadPart") + sent("CompleteMultipartUpload") + sent("AbortMultipartUpload")).to.equal(0);
      expect(readFileSync(state).equals(before)).to.equal(true);
      expect(readdirSync(folder).filter((name) => name.includes(".lock"))).to.deep.equal([]);
    });
  }

  it("refuses a state of which any byte is another (G7)", async () => {
    await interrupted("altered");
    const right = readFileSync(state);
    for (let at = 0; at < right.length; at += 37) {
      const altered = Buffer.from(right);
      altered[at] = (altered[at] ?? 0) ^ 1;
      writeFileSync(state, altered);
      const { code } = await refusal(upload("altered").done());
      expect(code, String(at)).to.be.oneOf([
        "content-mismatch",
        "invalid-argument",
        "malformed-envelope",
        "no-matching-key",
        "decryption-failed",
        "context-mismatch",
      ]);
    }
    expect(sent("UploadPart") + sent("CompleteMultipartUpload") + sent("AbortMultipartUpload")).to.equal(0);
    // A line that its writer did not finish is not one.
    writeFileSync(state, Buffer.concat([right, Buffer.from('{"part":3,')]));
    await upload("altered").done();
    await expectWhole("altered");
  });

  it("says that the upload was aborted, and begins anew after that", async () => {
    await interrupted("gone");
    const [open] = fixture.server.openUploads;
    const at = { Bucket: BUCKET, Key: "gone", UploadId: open?.uploadId };
    await fixture.plain.send(new AbortMultipartUploadCommand(at));
    const { code, message } = await refusal(upload("gone").done());
    expect(code).to.equal("content-mismatch");
    expect(message).to.include("not there any more");
    await upload("gone").done();
    await expectWhole("gone");
  });

  for (const [what, change] of Object.entries<() => void>({
    "adds to its state": () => writeFileSync(state, "{}\t\n", { flag: "a" }),
    "cuts its state": () => truncateSync(state, 100),
    "deletes its state": () => rmSync(state),
  })) {
    it(`sends no more when another writer ${what}, whatever the lock was worth (G8, S18)`, async () => {
      const pause = fixture.server.faults.pause({ operation: "UploadPart", partNumber: 2 });
      const done = refusal(upload("second writer", { queueSize: 1 }).done());
      await pause.reached;
      change();
      pause.release();
      expect((await done).code).to.equal("transfer-in-use");
      expect(sent("UploadPart")).to.equal(2);
      expect(sent("AbortMultipartUpload")).to.equal(0);
      expect(readdirSync(folder).filter((name) => name.includes(".lock"))).to.deep.equal([]);
    });
  }

  it("begins no state where another writer has one by then", async () => {
    const pause = fixture.server.faults.pause({ operation: "CreateMultipartUpload" });
    const done = refusal(upload("first writer").done());
    await pause.reached;
    writeFileSync(state, "theirs");
    pause.release();
    expect((await done).code).to.equal("transfer-in-use");
    expect([sent("UploadPart"), readFileSync(state, "utf8")]).to.deep.equal([0, "theirs"]);
    expect(fixture.server.openUploads).to.deep.equal([]);
  });

  it("is told as stored where its state and lock cannot be removed any more", async () => {
    const kept = join(folder, "kept");
    mkdirSync(kept);
    const resume = { secret: SECRET, state: join(kept, "state") };
    const pause = fixture.server.faults.pause({ operation: "CompleteMultipartUpload" });
    const done = upload("no folder", { resume }).done();
    await pause.reached;
    rmSync(kept, { recursive: true });
    pause.release();
    expect((await done).Key).to.equal("no folder");
    await expectWhole("no folder");
  });

  it("lets one process be at it: the other is refused, and the first one ends well", async () => {
    await interrupted("twice");
    const pause = fixture.server.faults.pause({ operation: "UploadPart" });
    const first = upload("twice").done();
    await pause.reached;
    const [refused, also] = await Promise.all([refusal(upload("twice").done()), refusal(upload("twice").done())]);
    expect([refused.code, also.code]).to.deep.equal(["transfer-in-use", "transfer-in-use"]);
    pause.release();
    await first;
    await expectWhole("twice");
  });

  it("lets one of several win that begin at the same time", async () => {
    await interrupted("race");
    const all = await Promise.allSettled([1, 2, 3, 4].map(() => upload("race").done()));
    expect(all.filter(({ status }) => status === "fulfilled").length).to.equal(1);
    await expectWhole("race");
  });

  it("is refused to who cannot unwrap what he wraps: at once where his keyring says so, else when he resumes", async () => {
    const writing = new (class extends RawAesKeyring {
      override readonly wrapAlgorithms = [];
    })({ wrappingKey: Buffer.alloc(32, 2) });
    const { code } = await refusal(upload("blind", { client: fixture.client({ keyring: writing }) }).done());
    expect(code).to.equal("unsupported-operation");
    expect(fixture.server.requests).to.deep.equal([]);
    expect(readdirSync(folder)).to.deep.equal(["file"]);
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const client = fixture.client({ keyring: new RawRsaKeyring({ publicKey }) });
    await interrupted("public", { client });
    expect((await refusal(upload("public", { client }).done())).code).to.equal("no-matching-key");
    expect(readdirSync(folder).sort()).to.deep.equal(["file", "file.s3ec-upload"]);
  });

  it("is refused to a keyring that discovers keys, by whichever way it comes, before KMS is asked (G7, S11)", async () => {
    const { MultiKeyring } = await import("@s3ec/keyring-multi");
    const kms = new KMSClient(fixture.server.clientConfig);
    const named = new KmsKeyring({ keyId: fixture.server.kms.createKey().arn, client: kms });
    await interrupted("discovered", { client: fixture.client({ keyring: named }) });
    const discovery = new KmsDiscoveryKeyring({ client: kms });
    const many = new MultiKeyring({
      generator: named,
      children: [{ keyring: discovery, instructionFileSuffix: ".d" }],
    });
    const manager = new CachingMaterialsManager({ manager: new DefaultMaterialsManager(discovery), maxAgeMs: 1000 });
    for (const client of [
      fixture.client({ keyring: discovery }),
      fixture.client({ keyring: many }),
      fixture.client({ keyring: undefined, materialsManager: manager } as never),
    ]) {
      const { code, message } = await refusal(upload("discovered", { client }).done());
      expect([code, message.includes("that discovers keys")]).to.deep.equal(["unsupported-operation", true]);
    }
    expect(fixture.server.requests).to.deep.equal([]);
    await upload("discovered", { client: fixture.client({ keyring: named }) }).done();
    kms.destroy();
  });

  it("is refused for what has no places", async () => {
    const refused = async (options: Partial<EncryptedUploadOptions>): Promise<string> =>
      (await refusal((async () => upload("x", options).done())())).code;
    writeFileSync(file, "");
    expect(await refused({})).to.equal("invalid-argument");
    writeFileSync(file, content);
    const summed = { Bucket: BUCKET, Key: "x", ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" };
    expect(await refused({ params: summed })).to.equal("invalid-argument");
    for (const resume of [{ secret: Buffer.alloc(31) }, { state: "" }, { stat: "x" }, 1] as never[]) {
      expect(await refused({ resume })).to.equal("invalid-argument");
    }
    const { file: _, ...params } = { file: undefined, params: { Bucket: BUCKET, Key: "x", Body: "x" } };
    const make = () => new EncryptedUpload({ client: fixture.client(), ...params, resume: true });
    expect(make).to.throw("Only the upload of a file").with.property("code", "invalid-argument");
  });

  it("keeps the wraps of children, which are put once the object stands", async () => {
    const { MultiKeyring } = await import("@s3ec/keyring-multi");
    const child = new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 3) });
    const both = new MultiKeyring({
      generator: keyring,
      children: [{ keyring: child, instructionFileSuffix: ".escrow" }],
    });
    const client = fixture.client({ keyring: both });
    await interrupted("children", { client });
    await upload("children", { client }).done();
    await expectWhole("children");
    const { Body } = await fixture
      .client({ keyring: child })
      .send(new GetObjectCommand({ Bucket: BUCKET, Key: "children" }), { instructionFileSuffix: ".escrow" });
    expect(content.equals((await Body?.transformToByteArray()) ?? Buffer.of())).to.equal(true);
  });

  it("makes a secret of the user's own, once, that only he may read", async () => {
    const { XDG_CONFIG_HOME } = process.env;
    process.env.XDG_CONFIG_HOME = join(folder, "config");
    try {
      await interrupted("secret", { resume: true });
      const path = join(folder, "config", "s3ec", "resume-secret");
      expect([statSync(path).mode & 0o777, statSync(path).size]).to.deep.equal([0o600, 32]);
      chmodSync(path, 0o644);
      expect((await refusal(upload("secret", { resume: true }).done())).code).to.equal("invalid-configuration");
      chmodSync(path, 0o600);
      await upload("secret", { resume: true }).done();
      rmSync(join(folder, "config"), { recursive: true });
      await expectWhole("secret");
    } finally {
      if (XDG_CONFIG_HOME === undefined) delete process.env.XDG_CONFIG_HOME;
      else process.env.XDG_CONFIG_HOME = XDG_CONFIG_HOME;
    }
  });

  it("is discarded without a key: parts and state go", async () => {
    await interrupted("discarded");
    await discardUpload(fixture.client(), state);
    expect(readdirSync(folder)).to.deep.equal(["file"]);
    expect(fixture.server.openUploads).to.deep.equal([]);
    expect((await refusal(discardUpload(fixture.client(), state))).code).to.equal("invalid-argument");
    expect(readdirSync(folder)).to.deep.equal(["file"]);
  });
});

async function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
