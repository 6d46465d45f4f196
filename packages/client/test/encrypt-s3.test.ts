import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  paginateListObjectsV2,
  S3,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { type EncryptedS3, encryptS3, S3EncryptionClient, type SendOptions } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";

const OPTIONS = { keyring: TEST_KEYRING };
const k1 = { materialDescription: { key: "k1" } };
const k2 = { materialDescription: { key: "k2" } };

describe("a client given to encryptS3", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.clearRequests());

  const made = (more: S3ClientConfig = {}): S3Client =>
    fixture.track(new S3Client({ ...fixture.server.clientConfig, maxAttempts: 1, ...more }));
  const aggregated = (): EncryptedS3<S3> => encryptS3(fixture.track(new S3(fixture.server.clientConfig)), OPTIONS);
  const textOf = async ({ Body }: GetObjectCommandOutput): Promise<string | undefined> => Body?.transformToString();
  const isEncrypted = async (key: string): Promise<boolean> => {
    const { body, metadata } = await fixture.stored(key);
    return !body.includes("secret") && metadata["x-amz-c"] === "115";
  };

  it("is that very client, and takes the options of a call", async () => {
    const given = made();
    const client = encryptS3(given, OPTIONS);
    expect(client).to.equal(given);
    await client.send(put("own"), k1);
    expect(await fixture.metadata("own")).to.include({ "x-amz-m": '{"key":"k1"}' });
    expect(await textOf(await client.send(get("own"), k1))).to.equal("secret");
    expect((await refusal(client.send(get("own"), k2))).code).to.equal("context-mismatch");
  });

  it("takes them with a callback too, and tells it of what is refused", async () => {
    const client = encryptS3(made(), OPTIONS);
    const answered = (options: SendOptions): Promise<unknown> =>
      new Promise((resolve) => client.send(put("called"), options, (error, output) => resolve(error ?? output)));
    expect(await answered(k1)).to.have.property("ETag");
    expect(await fixture.metadata("called")).to.include({ "x-amz-m": '{"key":"k1"}' });
    const misspelt: Promise<unknown> = Reflect.apply(answered, undefined, [{ materialDescripton: { key: "k1" } }]);
    expect(await misspelt).to.have.property("code", "invalid-argument");
    const bare = new Promise((resolve) => client.send(get("called"), (_error, output) => resolve(output)));
    expect(await bare).to.have.property("ContentLength", 6);
  });

  it("may be an S3, whose methods take them: as a promise and with a callback", async () => {
    const s3 = aggregated();
    await s3.putObject({ Bucket: BUCKET, Key: "method", Body: "secret" }, k1);
    expect(await isEncrypted("method")).to.equal(true);
    expect(await textOf(await s3.getObject({ Bucket: BUCKET, Key: "method" }, k1))).to.equal("secret");
    const other = s3.getObject({ Bucket: BUCKET, Key: "method" }, k2);
    expect((await refusal(other)).code).to.equal("context-mismatch");
    const error = await new Promise((resolve) =>
      s3.getObject({ Bucket: BUCKET, Key: "method" }, k2, (reason) => resolve(reason)),
    );
    expect(error).to.have.property("code", "context-mismatch");
    const output = await new Promise((resolve) =>
      s3.putObject({ Bucket: BUCKET, Key: "method", Body: "secret" }, (_reason, data) => resolve(data)),
    );
    expect(output).to.have.property("ETag");
    await s3.copyObject({ Bucket: BUCKET, Key: "copy", CopySource: `${BUCKET}/method` });
    await s3.deleteObject({ Bucket: BUCKET, Key: "method" }, { instructionFileSuffix: ".escrow" });
    expect(await fixture.keys("method")).to.deep.equal([]);
    expect((await s3.listObjectsV2({ Bucket: BUCKET, Prefix: "copy" })).KeyCount).to.equal(1);
  });

  it("serves the SDK's paginators and every other command as before", async () => {
    const client = encryptS3(made(), OPTIONS);
    await client.send(put("paged/a"));
    const keys = [];
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: BUCKET, Prefix: "paged/" })) {
      keys.push(...Contents.map(({ Key }) => Key));
    }
    expect(keys).to.deep.equal(["paged/a"]);
  });

  it("uploads in parts what one request cannot hold with its instruction files", async () => {
    const client = encryptS3(made(), {
      ...OPTIONS,
      instructionFileConfig: { enableInstructionFilePutObject: true },
    });
    const content = bytesOfLength(9_000_000);
    await client.send(put("large", new Blob([content]).stream(), { ContentLength: content.length }), k1);
    const operations = fixture.server.requests.map(({ operation }) => operation);
    expect(operations).to.include("CreateMultipartUpload").and.to.include("CompleteMultipartUpload");
    const read = await client.send(get("large"), k1);
    expect((await read.Body?.transformToByteArray())?.length).to.equal(content.length);
  });

  for (const misspelt of [
    { encryptionContex: { tenant: "a" } },
    { preferInstructionfile: true },
    { abortSignals: undefined },
    { cacheMiddleware: false },
  ]) {
    const [name = ""] = Object.keys(misspelt);
    it(`refuses the option ${name}, which nobody knows, before anything is sent`, async () => {
      for (const client of [encryptS3(made(), OPTIONS), fixture.client()]) {
        const sent: Promise<unknown> = Reflect.apply(client.send, client, [put("misspelt"), misspelt]);
        const { code, message } = await refusal(sent);
        expect([code, message.includes(`"${name}"`)]).to.deep.equal(["invalid-argument", true]);
      }
      expect(fixture.server.requests).to.deep.equal([]);
    });
  }

  it("refuses options of a call that are inherited or hidden, which would be dropped", async () => {
    const client = fixture.client();
    class Options {
      get materialDescription() {
        return { project: "k1" };
      }
    }
    const hidden = Object.defineProperty({}, "materialDescription", { value: { project: "k1" } });
    const aborted = Object.create({ abortSignal: AbortSignal.abort() });
    for (const options of [Object.create({ encryptionContext: { a: "b" } }), new Options(), hidden, aborted]) {
      const { code, message } = await refusal(client.send(put("inherited"), options));
      expect(code).to.equal("invalid-argument");
      expect(message).to.contain("as a property of a plain object");
    }
    expect(await fixture.keys("inherited")).to.eql([]);
  });

  it("refuses them in the command in the SDK's capitals, too", async () => {
    const misplaced = put("capitals");
    Object.assign(misplaced.input, { EncryptionContext: { a: "b" } });
    expect((await refusal(fixture.client().send(misplaced))).code).to.equal("invalid-argument");
    expect(await fixture.keys("capitals")).to.eql([]);
  });

  it("refuses them in the command where they are hidden or inherited, too", async () => {
    const hidden = put("hidden");
    Object.defineProperty(hidden.input, "materialDescription", { value: { key: "k1" } });
    const inherited = put("hidden");
    Object.setPrototypeOf(inherited.input, { EncryptionContext: { a: "b" } });
    for (const command of [hidden, inherited]) {
      expect((await refusal(fixture.client().send(command))).code).to.equal("invalid-argument");
    }
    expect(await fixture.keys("hidden")).to.eql([]);
  });

  it("refuses options behind those of a call, or behind a callback, where the SDK would ignore them", async () => {
    const sentence = "Pass all options of a call as one object";
    for (const client of [encryptS3(made(), OPTIONS), fixture.client()]) {
      const sent: Promise<unknown> = Reflect.apply(client.send, client, [put("third"), { requestTimeout: 9_000 }, k1]);
      const { code, message } = await refusal(sent);
      expect([code, message.includes(sentence)]).to.deep.equal(["invalid-argument", true]);
      const told = await new Promise((resolve) => Reflect.apply(client.send, client, [put("third"), resolve, k1]));
      expect(told).to.have.property("message").that.contains(sentence);
      await Reflect.apply(client.send, client, [get("third"), {}, null]).catch(() => "it is not there");
    }
    expect(await fixture.keys("third")).to.eql([]);
  });

  it("refuses options of a call that are in the command, where the SDK would ignore them", async () => {
    const client = encryptS3(made(), OPTIONS);
    const misplaced = put("misplaced");
    Object.assign(misplaced.input, k1);
    const { code, message } = await refusal(client.send(misplaced));
    expect([code, message]).to.deep.equal([
      "invalid-argument",
      "Pass materialDescription beside the command, not in it: client.send(command, { materialDescription }); or put it into the params of others' commands by withEncryptionOptions(params, { materialDescription }).",
    ]);
    expect(fixture.server.requests).to.deep.equal([]);
  });

  it("takes what the SDK knows of a call", async () => {
    const client = encryptS3(made(), OPTIONS);
    const options = { requestTimeout: 10_000, abortSignal: new AbortController().signal };
    await client.send(put("timed"), { ...options, ...k1 });
    await Reflect.apply(client.send, client, [put("timed"), null]);
    const aborted = client.send(put("timed"), { abortSignal: AbortSignal.abort() });
    const error: unknown = await aborted.catch((reason: unknown) => reason);
    expect(error).to.have.property("name", "AbortError");
  });

  it("says of a condition that nothing was modified, in the SDK's own error", async () => {
    for (const more of [{}, { parallelRanges: 2 }]) {
      const client = fixture.client(more);
      const { ETag } = await client.send(put("unmodified"));
      const asked = { Bucket: BUCKET, Key: "unmodified", IfNoneMatch: ETag };
      for (const Range of [undefined, "bytes=0-1"]) {
        const legacy = fixture.client({ ...more, enableLegacyUnauthenticatedModes: true });
        const input = Range === undefined ? asked : { ...asked, Range };
        const error: unknown = await legacy.send(new GetObjectCommand(input)).catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(S3ServiceException).and.to.have.property("name", "Unknown");
        expect(error).to.have.nested.property("$metadata.httpStatusCode", 304);
        expect(String(error)).to.contain("not modified");
        expect((error as Error).stack).to.contain("not modified");
      }
    }
  });

  for (const throwOnRequestTimeout of [false, true]) {
    const does = throwOnRequestTimeout ? "ends a request" : "ends nothing";
    it(`takes a requestTimeout as the SDK does: it ${does} of a handler ${throwOnRequestTimeout ? "with" : "without"} throwOnRequestTimeout`, async () => {
      const logger = { warn: () => {}, trace() {}, debug() {}, info() {}, error() {} };
      const requestHandler = { throwOnRequestTimeout, logger };
      const plain = made({ requestHandler });
      const client = encryptS3(made({ requestHandler }), OPTIONS);
      for (const each of [plain, client]) {
        await each.send(put("timed"));
        for (const operation of ["PutObject", "GetObject"]) {
          fixture.server.faults.clear();
          fixture.server.faults.add({ operation, delayMs: 250 });
          const command = operation === "PutObject" ? put("timed") : get("timed");
          const outcome: unknown = await (each as S3Client)
            .send(command as GetObjectCommand, { requestTimeout: 60 })
            .then(
              () => "done",
              (error: Error) => error.name,
            );
          expect([operation, outcome]).to.deep.equal([operation, throwOnRequestTimeout ? "TimeoutError" : "done"]);
        }
        fixture.server.faults.clear();
      }
    });
  }

  it("refuses a context that is no plain object", async () => {
    const client = encryptS3(made(), OPTIONS);
    for (const encryptionContext of [new Map([["tenant", "a"]]), new URLSearchParams("tenant=a"), new Headers()]) {
      const sent: Promise<unknown> = Reflect.apply(client.send, client, [put("map"), { encryptionContext }]);
      expect((await refusal(sent)).message).to.contain("encryptionContext must be a plain object");
    }
    expect(fixture.server.requests).to.deep.equal([]);
  });

  describe("stores nothing in the clear", () => {
    it("where handlers were cached by an earlier call", async () => {
      const client = made({ cacheMiddleware: true });
      await client.send(put("cached", "not yet encrypted"));
      await client.send(get("cached"));
      encryptS3(client, OPTIONS);
      for (const key of ["cached", "cached-again"]) {
        await client.send(put(key));
        expect(await isEncrypted(key)).to.equal(true);
        expect(await textOf(await client.send(get(key)))).to.equal("secret");
      }
    });

    it("nor twice encrypted, where handlers are cached while an upload in parts has the plain client", async () => {
      const options = { ...OPTIONS, instructionFileConfig: { enableInstructionFilePutObject: true } };
      const client = encryptS3(made({ cacheMiddleware: true }), options);
      await client.send(put("cached-parts"));
      const content = bytesOfLength(9_000_000);
      await client.send(put("cached-parts", new Blob([content]).stream(), { ContentLength: content.length }));
      const { Body } = await client.send(get("cached-parts"));
      expect(content.equals((await Body?.transformToByteArray()) ?? new Uint8Array())).to.equal(true);
      expect(await fixture.keys("cached-parts")).to.deep.equal(["cached-parts", "cached-parts.instruction"]);
    });

    for (const [what, remove] of Object.entries({
      "removed by its name": ({ middlewareStack }: S3Client) => middlewareStack.remove("s3EncryptionMiddleware"),
      "replaced by another of its name": ({ middlewareStack }: S3Client) =>
        middlewareStack.add((next) => next, {
          step: "initialize",
          priority: "high",
          name: "s3EncryptionMiddleware",
          override: true,
        }),
      "lost with the whole stack": (client: S3Client) =>
        Object.assign(client, { middlewareStack: made().middlewareStack }),
    })) {
      it(`where the middleware was ${what}`, async () => {
        for (const client of [encryptS3(made(), OPTIONS), fixture.client()]) {
          remove(client);
          expect((await refusal(client.send(put("removed")))).code).to.equal("invalid-configuration");
          await client.send(new ListObjectsV2Command({ Bucket: BUCKET })).catch(() => {});
        }
        expect(await fixture.keys("removed")).to.deep.equal([]);
      });
    }

    it("where its class's send is called, or its stack is resolved, past its own send", async () => {
      for (const client of [encryptS3(made({ cacheMiddleware: true }), OPTIONS), fixture.client()]) {
        const past: Promise<unknown>[] = [
          Reflect.apply(S3Client.prototype.send, client, [put("past"), k1]),
          Reflect.apply(S3Client.prototype.send, client, [put("past")]),
          put("past").resolveMiddleware(client.middlewareStack, client.config, {})({ input: put("past").input }),
          getSignedUrl(client, put("past")),
        ];
        for (const attempt of past) expect((await refusal(attempt)).code).to.equal("unsupported-operation");
      }
      expect(await fixture.keys("past")).to.deep.equal([]);
    });

    it("where another client has a copy of its stack", async () => {
      const client = made();
      Object.assign(client, { middlewareStack: fixture.client().middlewareStack.clone() });
      expect((await refusal(client.send(put("copied")))).code).to.equal("unsupported-operation");
      expect(() => encryptS3(client, OPTIONS))
        .to.throw("encrypts already")
        .with.property("code", "invalid-argument");
      expect(await fixture.keys("copied")).to.deep.equal([]);
    });

    it("where middleware gives a command another input, without its call's options", async () => {
      const client = encryptS3(made(), OPTIONS);
      const place = { name: "cloning", relation: "before", toMiddleware: "s3EncryptionMiddleware" } as const;
      const cloning =
        <Args extends { input: object }, Output>(next: (args: Args) => Output) =>
        (args: Args): Output =>
          next({ ...args, input: structuredClone(args.input) });
      client.middlewareStack.addRelativeTo(cloning, place);
      expect((await refusal(client.send(put("cloned"), k1))).code).to.equal("unsupported-operation");
      expect(await fixture.keys("cloned")).to.deep.equal([]);
    });

    it("once the client was destroyed and is used on", async () => {
      const client = encryptS3(made({ cacheMiddleware: true }), OPTIONS);
      await client.send(put("destroyed"));
      client.destroy();
      await client.send(put("destroyed"));
      expect(await isEncrypted("destroyed")).to.equal(true);
    });

    it("by what wraps its send, before and after", async () => {
      const client = made();
      const sent: string[] = [];
      const wrap = (name: string): void => {
        const { send } = client;
        const wrapped = (...call: unknown[]): unknown => {
          sent.push(name);
          return Reflect.apply(send, client, call);
        };
        Object.assign(client, { send: wrapped });
      };
      wrap("inner");
      encryptS3(client, OPTIONS);
      wrap("outer");
      await client.send(put("wrapped"));
      expect(sent).to.deep.equal(["outer", "inner"]);
      expect(await isEncrypted("wrapped")).to.equal(true);
    });
  });

  describe("is refused", () => {
    it("where it encrypts already", () => {
      const given = encryptS3(made(), OPTIONS);
      for (const client of [given, fixture.client()]) {
        expect(() => encryptS3(client, OPTIONS))
          .to.throw("encrypts already")
          .with.property("code", "invalid-argument");
      }
    });

    it("where it is frozen, or uses the handlers of another client", async () => {
      const frozen = Object.freeze(new S3Client(fixture.server.clientConfig));
      expect(() => encryptS3(frozen, OPTIONS))
        .to.throw("frozen")
        .with.property("code", "invalid-argument");
      const base = made({ cacheMiddleware: true });
      await base.send(put("base", "x"));
      const derived: S3Client = Object.create(base);
      expect(() => encryptS3(derived, OPTIONS))
        .to.throw("another one")
        .with.property("code", "invalid-argument");
      await base.send(put("base", "x"));
    });

    for (const [what, client] of Object.entries({ nothing: undefined, "its configuration": { region: "us-east-1" } })) {
      it(`where it is ${what}`, () => {
        expect(() => Reflect.apply(encryptS3, undefined, [client, OPTIONS]))
          .to.throw("Pass an S3Client")
          .with.property("code", "invalid-argument");
      });
    }

    it("with wrong options, and is left as it was", async () => {
      const client = made();
      for (const options of [undefined, {}, { keyrin: TEST_KEYRING }]) {
        expect(() => Reflect.apply(encryptS3, undefined, [client, options]))
          .to.throw()
          .with.property("code", "invalid-configuration");
      }
      await client.send(put("left", "x"));
      expect((await fixture.stored("left")).body.toString()).to.equal("x");
    });
  });

  it("has types that take a call's options without a cast, and none that is misspelt", () => {
    const check = (client: EncryptedS3<S3Client>, s3: EncryptedS3<S3>, own: S3EncryptionClient): void => {
      void client.send(get("k"), { encryptionContext: { tenant: "a" }, abortSignal: new AbortController().signal });
      void s3.getObject({ Bucket: BUCKET, Key: "k" }, { encryptionContext: { tenant: "a" } });
      void own.send(get("k"), { encryptionContext: { tenant: "a" } });
      // @ts-expect-error misspelt
      void client.send(get("k"), { encryptionContex: { tenant: "a" } });
      // @ts-expect-error misspelt
      void s3.getObject({ Bucket: BUCKET, Key: "k" }, { encryptionContex: { tenant: "a" } });
      // @ts-expect-error misspelt
      void own.send(get("k"), { encryptionContex: { tenant: "a" } });
      const plain: S3Client = client;
      void plain;
    };
    expect(check).to.be.a("function");
    expect(new S3EncryptionClient({ region: "us-east-1", encryption: OPTIONS })).to.be.instanceOf(S3Client);
  });
});
