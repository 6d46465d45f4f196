import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import {
  EncryptedDownload,
  EncryptedUpload,
  encryptS3,
  openObject,
  S3EncryptionClient,
  type S3EncryptionOptions,
  verifyObject,
} from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { CachingMaterialsManager, DefaultMaterialsManager, type Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";
import { Lines, Tracing } from "./telemetry.js";
import { errorOf } from "./transfers.js";

const SUITE = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY";
const WRAPS = { "s3ec.suite": SUITE, "s3ec.wrap_algorithms": ["AES/GCM"] };
const UNWRAPPED = { ...WRAPS, "s3ec.keyring": "RawAesKeyring" };

describe("what a client tells of its steps", () => {
  let fixture: Fixture;
  let tracing: Tracing;
  const lines = new Lines();
  before(async () => {
    fixture = await Fixture.start();
    tracing = new Tracing();
    for (const length of [1000, 5_000_000]) await fixture.client().send(put(`of-${length}`, bytesOfLength(length)));
  });
  after(async () => {
    tracing.end();
    await fixture.close();
  });
  afterEach(() => {
    tracing.reset();
    lines.clear();
    fixture.server.faults.clear();
  });

  function client(options: Partial<S3EncryptionOptions> = {}, maxAttempts = 1): S3EncryptionClient {
    const keyed = options.materialsManager === undefined ? { keyring: TEST_KEYRING } : {};
    const encryption = { ...keyed, tracer: tracing.tracer, ...options };
    const { logger } = lines;
    return fixture.track(new S3EncryptionClient({ ...fixture.server.clientConfig, maxAttempts, logger, encryption }));
  }

  /** Gets an object below the caller's span, which ends before the body is read to its end. */
  async function read(s3: S3EncryptionClient, command: GetObjectCommand): Promise<Uint8Array> {
    const { Body } = await tracing.below("caller", () => s3.send(command));
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  }

  describe("to a tracer", () => {
    it("of a put: that a data key was wrapped", async () => {
      await tracing.below("caller", () => client().send(put("traced")));
      expect(tracing.paths()).to.deep.equal(["caller", "caller/s3ec.wrap"]);
      expect(tracing.span("s3ec.wrap").attributes).to.deep.equal(WRAPS);
    });

    it("of a get: that its key was unwrapped, by which keyring, and that its content was verified", async () => {
      expect(await read(client(), get("of-1000"))).to.have.length(1000);
      expect(tracing.paths()).to.deep.equal([
        "caller",
        "caller/s3ec.open",
        "caller/s3ec.open/s3ec.unwrap",
        "caller/s3ec.verify",
      ]);
      expect(tracing.span("s3ec.open").attributes).to.deep.equal({ "s3ec.format": "s3" });
      expect(tracing.span("s3ec.unwrap").attributes).to.deep.equal(UNWRAPPED);
      expect(tracing.span("s3ec.verify").attributes).to.deep.equal({ "s3ec.content_length": 1000 });
    });

    it("below a step what others do during it, such as a key store", async () => {
      const asking = new RawAesKeyring({ wrappingKey: randomBytes(32) });
      const keyring: Keyring = {
        wrapAlgorithms: asking.wrapAlgorithms,
        onEncrypt: (materials) => tracing.below("key store", () => asking.onEncrypt(materials)),
        onDecrypt: (materials, wrapped) => asking.onDecrypt(materials, wrapped),
      };
      await tracing.below("caller", () => client({ keyring }).send(put("traced")));
      expect(tracing.paths()).to.contain("caller/s3ec.wrap/key store");
    });

    it("of an object that waits in a file: that it was spooled, then decrypted until its last byte was read", async () => {
      const { Body } = await tracing.below("caller", () => client({ bufferSize: 100 }).send(get("of-5000000")));
      const before = ["caller", "caller/s3ec.open", "caller/s3ec.open/s3ec.unwrap", "caller/s3ec.spool"];
      expect(tracing.paths()).to.deep.equal(before);
      expect(await Body?.transformToByteArray()).to.have.length(5_000_000);
      expect(tracing.paths()).to.deep.equal([...before, "caller/s3ec.decrypt"].sort());
      for (const name of ["s3ec.spool", "s3ec.decrypt"]) {
        expect(tracing.span(name).attributes).to.deep.equal({ "s3ec.content_length": 5_000_000 });
      }
    });

    it("of plaintext that is given out before it is proven: its decryption, which ends with its last byte", async () => {
      const s3 = client({ enableDelayedAuthenticationMode: true });
      const { Body } = await tracing.below("caller", () => s3.send(get("of-5000000")));
      expect(tracing.paths()).to.deep.equal(["caller", "caller/s3ec.open", "caller/s3ec.open/s3ec.unwrap"]);
      await Body?.transformToByteArray();
      expect(tracing.paths()).to.contain("caller/s3ec.decrypt");
      expect(tracing.span("s3ec.decrypt").attributes).to.deep.equal({ "s3ec.content_length": 5_000_000 });
    });

    it("of a range: its decryption", async () => {
      const command = new GetObjectCommand({ Bucket: BUCKET, Key: "of-1000", Range: "bytes=10-19" });
      expect(await read(client({ enableLegacyUnauthenticatedModes: true }), command)).to.have.length(10);
      expect(tracing.paths()).to.deep.equal([
        "caller",
        "caller/s3ec.decrypt",
        "caller/s3ec.open",
        "caller/s3ec.open/s3ec.unwrap",
      ]);
      expect(tracing.span("s3ec.decrypt").attributes).to.deep.equal({ "s3ec.content_length": 10 });
    });

    it("of an object that a gate refuses: its code alone, and that no key was asked for", async () => {
      await fixture.client({ commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" }).send(put("v2"));
      await refusal(tracing.below("caller", () => client().send(get("v2"))));
      expect(tracing.paths()).to.deep.equal(["caller", "caller/s3ec.open"]);
      const { attributes, status, events } = tracing.span("s3ec.open");
      expect(attributes).to.deep.equal({ "s3ec.format": "s3", "error.type": "commitment-policy" });
      expect(status).to.deep.equal({ code: SpanStatusCode.ERROR });
      expect(events).to.deep.equal([]);
    });

    it("of a wrong key: the code of the uniform failure, and nothing of its message or cause", async () => {
      const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });
      await refusal(tracing.below("caller", () => client({ keyring }).send(get("of-1000"))));
      expect(tracing.paths()).to.deep.equal(["caller", "caller/s3ec.open", "caller/s3ec.open/s3ec.unwrap"]);
      for (const name of ["s3ec.open", "s3ec.unwrap"]) {
        const { attributes, status, events } = tracing.span(name);
        expect(attributes["error.type"]).to.equal("decryption-failed");
        expect(status).to.deep.equal({ code: SpanStatusCode.ERROR });
        expect(events).to.deep.equal([]);
      }
      expect(tracing.span("s3ec.unwrap").attributes).not.to.have.property("s3ec.keyring");
    });

    it("of an error that is not ours: no more than whose it is", async () => {
      const failures: [error: object, type: string][] = [
        [{ code: "ERR_OSSL_BAD_DECRYPT" }, "_OTHER"],
        [{ code: "ECONNREFUSED" }, "ECONNREFUSED"],
        [{ name: "a1b2c3d4" }, "_OTHER"],
        [{ name: "AbortError" }, "AbortError"],
        [{ $metadata: { httpStatusCode: 403 } }, "403"],
      ];
      for (const [failure, type] of failures) {
        tracing.reset();
        const { wrapAlgorithms } = TEST_KEYRING;
        const onDecrypt = (): never => {
          throw Object.assign(new Error("a1b2c3d4"), failure);
        };
        const keyring: Keyring = { wrapAlgorithms, onEncrypt: onDecrypt, onDecrypt };
        await errorOf(client({ keyring }).send(get("of-1000")));
        const { attributes, status } = tracing.span("s3ec.unwrap");
        expect(attributes).to.deep.equal({ ...WRAPS, "error.type": type });
        expect(status).to.deep.equal({ code: SpanStatusCode.ERROR });
      }
    });

    async function alter(key: string, as: string): Promise<void> {
      const { body, metadata } = await fixture.stored(key);
      body[20] = (body[20] ?? 0) ^ 1;
      await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: as, Body: body, Metadata: metadata }));
    }

    it("of altered content: that it was not verified", async () => {
      await alter("of-1000", "altered");
      await refusal(read(client(), get("altered")));
      expect(tracing.span("s3ec.verify").attributes).to.deep.equal({ "error.type": "decryption-failed" });
    });

    it("of altered content that is given out: that its decryption failed, at its end", async () => {
      await alter("of-5000000", "altered");
      await refusal(read(client({ enableDelayedAuthenticationMode: true }), get("altered")));
      const { attributes, status } = tracing.span("s3ec.decrypt");
      expect(attributes).to.include({ "error.type": "decryption-failed" }).and.not.have.property("s3ec.ended_early");
      expect(status).to.deep.equal({ code: SpanStatusCode.ERROR });
    });

    const leaving: Record<string, (body: Readable, controller: AbortController) => void> = {
      "destroyed before it was read": (body) => void body.destroy(),
      "destroyed with an error": (body) => void body.on("error", () => {}).destroy(new Error("enough")),
    };
    for (const [how, leave] of Object.entries(leaving)) {
      for (const options of [{ enableDelayedAuthenticationMode: true }, { bufferSize: 100 }]) {
        it(`of a body that is ${how}: that its decryption ended early (${Object.keys(options)[0]})`, async () => {
          const { Body } = await client(options).send(get("of-5000000"));
          expect(Body).to.be.instanceOf(Readable);
          leave(Body as Readable, new AbortController());
          const { attributes, status } = tracing.span("s3ec.decrypt");
          expect(attributes).to.deep.equal({ "s3ec.content_length": 0, "s3ec.ended_early": true });
          expect(status).to.deep.equal({ code: SpanStatusCode.UNSET });
        });
      }
    }

    it("of a body whose call is aborted while it is read: that its decryption failed, and how far it came", async () => {
      const controller = new AbortController();
      const s3 = client({ enableDelayedAuthenticationMode: true });
      const { Body } = await s3.send(get("of-5000000"), { abortSignal: controller.signal });
      const reading = (async () => {
        for await (const _ of Body as Readable) controller.abort();
      })();
      await errorOf(reading);
      const { attributes, status } = tracing.span("s3ec.decrypt");
      expect(attributes["error.type"]).to.be.oneOf(["ECONNRESET", "AbortError"]);
      expect(status).to.deep.equal({ code: SpanStatusCode.ERROR });
      expect(attributes["s3ec.content_length"]).to.be.within(1, 4_999_999);
    });

    it("of a connection that breaks: that the body was asked for again", async () => {
      fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 1_000_000, times: 1 });
      expect(await read(client({}, 3), get("of-5000000"))).to.have.length(5_000_000);
      expect(tracing.paths()).to.contain("caller/s3ec.verify/s3ec.retry");
      expect(tracing.span("s3ec.retry").attributes["error.type"]).to.match(/^(ECONN[A-Z]+|_OTHER)$/);
    });

    it("of ranges at the same time: that one was asked for again", async () => {
      fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 1_000_000, times: 1 });
      expect(await read(client({ parallelRanges: 2 }, 3), get("of-5000000"))).to.have.length(5_000_000);
      expect(tracing.ended.map(({ name }) => name)).to.contain("s3ec.retry");
    });

    it("of several keyrings: which of them opened it", async () => {
      const generator = new RawAesKeyring({ wrappingKey: randomBytes(32) });
      const keyring = new MultiKeyring({ generator, children: [{ keyring: TEST_KEYRING, decryptOnly: true }] });
      await read(client({ keyring }), get("of-1000"));
      expect(tracing.span("s3ec.unwrap").attributes["s3ec.keyring"]).to.equal("children[0]: RawAesKeyring");
    });

    it("of a cache of data keys: which keyring opened it first", async () => {
      const manager = new DefaultMaterialsManager(TEST_KEYRING);
      const s3 = client({ materialsManager: new CachingMaterialsManager({ manager, maxAgeMs: 60_000 }) });
      for (let time = 0; time < 2; time++) await read(s3, get("of-1000"));
      const unwraps = tracing.ended.filter(({ name }) => name === "s3ec.unwrap");
      expect(unwraps.map(({ attributes }) => attributes)).to.deep.equal([UNWRAPPED, UNWRAPPED]);
    });

    it("of uploads, downloads and verifications: the same steps", async () => {
      const folder = mkdtempSync(join(tmpdir(), "s3ec-test-"));
      try {
        const [from, to] = [join(folder, "from"), join(folder, "to")];
        writeFileSync(from, bytesOfLength(12_000_000));
        const params = { Bucket: BUCKET, Key: "transferred" };
        fixture.server.faults.add({ operation: "UploadPart", status: 503, times: 1 });
        const s3 = client({}, 3);
        await tracing.below("upload", () => new EncryptedUpload({ client: s3, params, file: from }).done());
        await tracing.below("download", async () => {
          await new EncryptedDownload({ client: s3, params, to }).done();
        });
        await tracing.below("verification", () => verifyObject(s3, params));
        expect(tracing.paths()).to.deep.equal([
          "download",
          "download/s3ec.open",
          "download/s3ec.open/s3ec.unwrap",
          "download/s3ec.verify",
          "upload",
          "upload/s3ec.retry",
          "upload/s3ec.wrap",
          "verification",
          "verification/s3ec.open",
          "verification/s3ec.open/s3ec.unwrap",
          "verification/s3ec.verify",
        ]);
        expect(tracing.span("s3ec.retry").attributes).to.deep.equal({ "error.type": "503" });
        expect(readFileSync(to).equals(readFileSync(from))).to.equal(true);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it("of an upload whose parts are commands: the same steps", async () => {
      const params = { Bucket: BUCKET, Key: "in-parts", Body: bytesOfLength(6_000_000) };
      await tracing.below("caller", () => new Upload({ client: client(), params }).done());
      expect(tracing.paths()).to.deep.equal(["caller", "caller/s3ec.wrap"]);
      expect(lines.ours.map(({ commandName }) => commandName)).to.deep.equal(["CreateMultipartUploadCommand"]);
      expect(await read(client(), get("in-parts"))).to.have.length(6_000_000);
    });

    it("of an object that is not in S3: the same steps", async () => {
      const { body, metadata } = await fixture.stored("of-1000");
      const { Body } = await openObject(
        { Metadata: metadata, Body: body },
        { keyring: TEST_KEYRING, tracer: tracing.tracer },
      );
      expect(await Body.transformToByteArray()).to.have.length(1000);
      expect(tracing.paths()).to.deep.equal(["s3ec.open", "s3ec.open/s3ec.unwrap", "s3ec.verify"]);
    });

    it("and is refused one that cannot trace", () => {
      const make = (): unknown =>
        Reflect.construct(S3EncryptionClient, [{ encryption: { keyring: TEST_KEYRING, tracer: trace } }]);
      expect(make).to.throw("tracer must be a tracer of OpenTelemetry's API");
    });
  });

  describe("to a logger", () => {
    it("each step, with its object, once it is over", async () => {
      await read(client(), get("of-1000"));
      const names = { commandName: "GetObjectCommand", bucket: BUCKET, key: "of-1000" };
      expect(lines.ours).to.deep.equal([
        { level: "debug", message: "s3ec.unwrap", ...UNWRAPPED, ...names },
        { level: "debug", message: "s3ec.open", "s3ec.format": "s3", ...names },
        { level: "debug", message: "s3ec.verify", "s3ec.content_length": 1000, ...names },
      ]);
    });

    it("each refusal once, with its code: before a key is asked for", async () => {
      await refusal(client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: "b", WriteOffsetBytes: 1 })));
      const names = { commandName: "PutObjectCommand", bucket: BUCKET, key: "k" };
      expect(lines.ours).to.deep.equal([
        { level: "warn", message: "s3ec.refused", "error.type": "unsupported-operation", ...names },
      ]);
    });

    it("each refusal once, with its code: of a body while it is read", async () => {
      const { body, metadata } = await fixture.stored("of-5000000");
      body[20] = (body[20] ?? 0) ^ 1;
      await fixture.plain.send(
        new PutObjectCommand({ Bucket: BUCKET, Key: "altered", Body: body, Metadata: metadata }),
      );
      await refusal(read(client({ enableDelayedAuthenticationMode: true }), get("altered")));
      const warned = lines.ours.filter(({ level }) => level === "warn");
      const names = { commandName: "GetObjectCommand", bucket: BUCKET, key: "altered" };
      expect(warned).to.deep.equal([
        { level: "warn", message: "s3ec.refused", "error.type": "decryption-failed", ...names },
      ]);
    });

    const refused: Record<
      string,
      (s3: S3EncryptionClient, params: { Bucket: string; Key: string }) => Promise<unknown>
    > = {
      EncryptedDownload: (s3, params) =>
        new EncryptedDownload({ client: s3, params, to: join(tmpdir(), "s3ec-never-made") }).done(),
      verifyObject: (s3, params) => verifyObject(s3, params),
      EncryptedUpload: (s3, params) =>
        new EncryptedUpload({ client: s3, params: { ...params, Body: "x", WriteOffsetBytes: 1 } }).done(),
    };
    for (const [commandName, work] of Object.entries(refused)) {
      it(`each refusal once, with its code: of ${commandName}`, async () => {
        await fixture.client({ commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" }).send(put("v2"));
        const { code } = await refusal(work(client(), { Bucket: BUCKET, Key: "v2" }));
        expect(lines.ours.filter(({ level }) => level === "warn")).to.deep.equal([
          { level: "warn", message: "s3ec.refused", "error.type": code, commandName, bucket: BUCKET, key: "v2" },
        ]);
      });
    }

    it("no error that is S3's own, which the SDK tells", async () => {
      await errorOf(client().send(get("nowhere")));
      expect(lines.ours).to.deep.equal([]);
      // And how it has found its endpoint.
      const more = lines.all.filter(({ level }) => level !== "debug");
      expect(more.map(({ level }) => level)).to.deep.equal(["error"]);
    });

    it("that a client had before it was given to encryptS3, or that it is given later", async () => {
      const plain = (more: object) => new S3Client({ ...fixture.server.clientConfig, maxAttempts: 1, ...more });
      const before = fixture.track(encryptS3(plain({ logger: lines.logger }), { keyring: TEST_KEYRING }));
      await before.send(put("traced"));
      expect(lines.ours.map(({ message }) => message)).to.deep.equal(["s3ec.wrap"]);
      const later = fixture.track(encryptS3(plain({}), { keyring: TEST_KEYRING }));
      lines.clear();
      await later.send(put("traced"));
      expect(lines.all).to.deep.equal([]);
      later.config.logger = lines.logger;
      await later.send(put("traced"));
      expect(lines.ours.map(({ message }) => message)).to.deep.equal(["s3ec.wrap"]);
    });

    it("of a plain client that something is uploaded with", async () => {
      const plain = fixture.track(new S3Client({ ...fixture.server.clientConfig, logger: lines.logger }));
      const params = { Bucket: BUCKET, Key: "traced", Body: "x" };
      await new EncryptedUpload({ client: plain, encryption: { keyring: TEST_KEYRING }, params }).done();
      expect(lines.ours.map(({ message, commandName }) => [message, commandName])).to.deep.equal([
        ["s3ec.wrap", "EncryptedUpload"],
      ]);
    });
  });

  it("is what the page on it says", async () => {
    const page = readFileSync(fileURLToPath(new URL("../../../docs/observability.md", import.meta.url)), "utf8");
    const [example = "", ...more] = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = ""]) => code);
    expect(more).to.deep.equal([]);
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
    class LocalClient extends S3EncryptionClient {
      constructor(configuration: ConstructorParameters<typeof S3EncryptionClient>[0]) {
        super({ ...fixture.server.clientConfig, ...configuration });
      }
    }
    const scope = {
      trace: { getTracer: () => tracing.tracer },
      S3EncryptionClient: LocalClient,
      region: fixture.server.region,
      keyring: TEST_KEYRING,
      console: lines.logger,
    };
    const code = `${example.replace(/^import .*$/gm, "")}\nreturn s3;`;
    const s3: S3EncryptionClient = await new AsyncFunction(...Object.keys(scope), code)(...Object.values(scope));
    fixture.track(s3);
    await read(s3, get("of-1000"));
    const told = new Set(tracing.ended.map(({ name }) => name));
    expect([...told].sort()).to.deep.equal(["caller", "s3ec.open", "s3ec.unwrap", "s3ec.verify"]);
    expect(new Set(lines.all.map(({ level }) => level))).to.deep.equal(new Set(["debug"]));
  });
});
