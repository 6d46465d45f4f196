import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { InstructionFileError, type S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { pinOf, sourceOf } from "../dist/commands/copy-source.js";
import { base64, cbc, wrap } from "./craft.js";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf, retryingClient } from "./transfers.js";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const kek = randomBytes(32);
const generator = new RawAesKeyring({ wrappingKey: kek });
const escrow = new RawRsaKeyring({ publicKey });
const keyring = new MultiKeyring({ generator, children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }] });
const escrowKey = new RawRsaKeyring({ privateKey });
const stranger = new RawRsaKeyring({ publicKey: generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey });
const FILES = { wrapPlacement: "instruction-files" } as const;
const ONE_FILE: Partial<S3EncryptionOptions> = {
  keyring: generator,
  instructionFileConfig: { enableInstructionFilePutObject: true },
};
const LEGACY: Partial<S3EncryptionOptions> = {
  commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT",
  enableLegacyWrappingAlgorithms: true,
  enableLegacyUnauthenticatedModes: true,
};

/** What may not happen between the requests of a copy (docs/formats.md 1.6). */
describe("copies with instruction files", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => fixture.server.faults.clear());

  const client = (options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient =>
    fixture.client({ keyring, ...options });
  const copies = (from: string, Key: string, more: Partial<CopyObjectCommandInput> = {}): CopyObjectCommand =>
    new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource: `${BUCKET}/${from}`, ...more });
  const tagOf = async (key: string): Promise<string> => (await fixture.plain.send(get(key))).ETag ?? "";
  const wrote = (): string[] =>
    fixture.server.requests
      .filter(({ operation }) => !/^(?:Get|Head|List)/.test(operation))
      .map(({ operation, key }) => `${operation} ${key}`);
  const deny = (key: RegExp, operation = "GetObject") =>
    fixture.server.faults.add({ operation, key, status: 403, code: "AccessDenied" });

  async function read(key: string, keys: "generator" | "escrow" = "generator"): Promise<string | undefined> {
    const reader = fixture.client({ keyring: keys === "generator" ? generator : escrowKey });
    const options = keys === "escrow" ? { instructionFileSuffix: ".escrow" } : {};
    return (await reader.send(get(key), options)).Body?.transformToString();
  }
  async function expectBoth(key: string, content: string): Promise<void> {
    expect(await read(key)).to.equal(content);
    expect(await read(key, "escrow")).to.equal(content);
  }
  /** As a writer leaves it that knows no marks. */
  async function unmark(key: string): Promise<void> {
    const { body } = await fixture.stored(key);
    await fixture.server.putRawObject(BUCKET, key, { body, metadata: { "x-amz-crypto-instr-file": "" } });
  }

  for (const wrapPlacement of ["metadata", "instruction-files"] as const) {
    const own = (): S3EncryptionClient => client({ wrapPlacement });
    describe(`with the generator's wrapped key in ${wrapPlacement}`, () => {
      const name = (key: string): string => `${wrapPlacement}/${key}`;

      it("copies what every key opens, over what another object left, and marks as removed what is not its own", async () => {
        await own().send(put(name("a"), "content"));
        // In the other placement, so that one of its files has no place beside the copy, or the other way round.
        await client(wrapPlacement === "metadata" ? FILES : {}).send(put(name("b"), "old"));
        await own().send(copies(name("a"), name("b")));
        await expectBoth(name("b"), "content");
        const suffixes = wrapPlacement === "metadata" ? ["", ".escrow"] : ["", ".escrow", ".instruction"];
        expect(await fixture.keys(name("b"))).to.deep.equal(suffixes.map((suffix) => name("b") + suffix));
        await own().send(copies(name("b"), name("b"), { StorageClass: "STANDARD_IA" }));
        await expectBoth(name("b"), "content");
      });

      it("refuses a source that was replaced between its files and itself", async () => {
        await own().send(put(name("files"), "old"));
        const pause = fixture.server.faults.pause({ operation: "HeadObject", key: name("files") });
        const copying = refusal(own().send(copies(name("files"), name("files-copy"))));
        await pause.reached;
        await fixture.plain.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: name("files") }));
        // By plain puts, as HEAD is being held.
        await own().send(put(name("other"), "new"));
        await fixture.plain.send(
          new CopyObjectCommand({ Bucket: BUCKET, Key: name("files"), CopySource: `${BUCKET}/${name("other")}` }),
        );
        pause.release();
        const error = await copying;
        expect(error.code).to.equal("content-mismatch");
        expect(error.message).to.match(/is of another object than the one beside it/);
        expect(await fixture.keys(name("files-copy"))).to.deep.equal([]);
      });

      it("copies nothing of a source that was replaced after it was looked at", async () => {
        await own().send(put(name("pinned"), "old"));
        const pause = fixture.server.faults.pause({ operation: "CopyObject", key: name("pinned-copy") });
        const copying = errorOf(own().send(copies(name("pinned"), name("pinned-copy"))));
        await pause.reached;
        await own().send(put(name("pinned"), "new"));
        pause.release();
        expect(await copying).to.have.nested.property("$metadata.httpStatusCode", 412);
        expect(await fixture.keys(name("pinned-copy"))).to.deep.equal([]);
      });

      it("ends a copy and a put to one place at once with an object that every key opens", async () => {
        await own().send(put(name("from"), "copied"));
        for (const stage of ["request", "commit", "answer"] as const) {
          const key = name(`to-${stage}`);
          await own().send(put(key, "old"));
          const pause = fixture.server.faults.pause({ operation: "CopyObject", key, at: stage });
          const copying = own()
            .send(copies(name("from"), key))
            .then(
              () => "copied",
              (error: Error & { code?: string }) => error.code,
            );
          await pause.reached;
          const putting = own()
            .send(put(key, "put"))
            .then(
              () => "put",
              (error: Error & { code?: string }) => error.code,
            );
          const outcomes = [await putting];
          pause.release();
          outcomes.push(await copying);
          const content = (await read(key)) ?? "";
          await expectBoth(key, content);
          const succeeded = outcomes.filter((outcome) => outcome === "copied" || outcome === "put");
          if (succeeded.length > 0) expect(succeeded, `${stage}: ${outcomes}`).to.include(content);
        }
      });

      it("leaves what is at the target readable by every key when the copy fails", async () => {
        await own().send(put(name("source"), "new"));
        for (const [what, fault, more] of [
          ["403", { status: 403, code: "AccessDenied" }, {}],
          ["503", { status: 503 }, {}],
          ["200", { status: 200, code: "InternalError" }, {}],
          ["412", undefined, { IfNoneMatch: "*" }],
        ] as const) {
          const key = name(`target-${what}`);
          await own().send(put(key, "old"));
          if (fault !== undefined) fixture.server.faults.add({ operation: "CopyObject", key, ...fault });
          await errorOf(own().send(copies(name("source"), key, more)));
          fixture.server.faults.clear();
          await expectBoth(key, "old");
        }
      });

      it("takes a lost answer for success when the copy is there", async () => {
        await own().send(put(name("source"), "new"));
        const key = name("lost");
        fixture.server.faults.add({ operation: "CopyObject", key, performed: true, times: 1 });
        const { CopyObjectResult } = await own().send(copies(name("source"), key));
        expect(CopyObjectResult?.ETag).to.equal(await tagOf(key));
        await expectBoth(key, "new");
        fixture.server.faults.add({ operation: "CopyObject", key: `${key}-2`, performed: true, times: 1 });
        const retrying = retryingClient(fixture, { keyring, wrapPlacement });
        await retrying.send(copies(name("source"), `${key}-2`, { IfNoneMatch: "*" }));
        await expectBoth(`${key}-2`, "new");
      });

      it("does not put an old object over one that comes while it is copied onto itself", async () => {
        const key = name("itself");
        await own().send(put(key, "old"));
        const pause = fixture.server.faults.pause({ operation: "CopyObject", key, at: "commit" });
        const copying = errorOf(own().send(copies(key, key, { StorageClass: "STANDARD_IA", IfMatch: "*" })));
        await pause.reached;
        await own().send(put(key, "new"));
        pause.release();
        await copying;
        await expectBoth(key, "new");
      });
    });
  }

  describe("of files that nothing says whose they are", () => {
    it("are marked where a key here proves it, and left unmarked, as unverified, where none does", async () => {
      const one = client(ONE_FILE);
      await one.send(put("unmarked", "content"));
      await unmark("unmarked.instruction");
      await one.send(copies("unmarked", "proven"));
      const { "x-amz-i": mark } = await fixture.metadata("unmarked");
      expect(await fixture.metadata("proven.instruction")).to.include({ "s3ec-of": mark });
      await client({ ...ONE_FILE, keyring: stranger }).send(copies("unmarked", "unverified"));
      expect(await fixture.metadata("unverified.instruction")).to.deep.equal({ "x-amz-crypto-instr-file": "" });
      expect([await read("proven"), await read("unverified")]).to.deep.equal(["content", "content"]);
    });

    it("are left where they are no instruction file of such an object", async () => {
      await client({ keyring: generator }).send(put("own", "content"));
      await fixture.plain.send(put("own.instruction", "a text of somebody's"));
      await client().send(copies("own", "own-copy"));
      expect(await fixture.keys("own-copy")).to.deep.equal(["own-copy"]);
    });
  });

  describe("that could not be read", () => {
    it("are refused where the file is not there, and where it may not be read", async () => {
      await client(ONE_FILE).send(put("lacks", "content"));
      deny(/\.(?:instruction|escrow)$/);
      const hidden = await refusal(client().send(copies("lacks", "lacks-copy")));
      expect(hidden.message).to.match(/may be read at its key plus "\.instruction".*Allow s3:GetObject/);
      fixture.server.faults.clear();
      await fixture.plain.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "lacks.instruction" }));
      const missing = await refusal(client().send(copies("lacks", "lacks-copy")));
      expect(missing.code).to.equal("unsupported-operation");
      expect(missing.message).to.match(/is there at its key plus "\.instruction".*instructionFileSuffix/);
      expect(await fixture.keys("lacks-copy")).to.deep.equal([]);
    });

    it("are refused where nothing on the object says whether it needs one that may not be read", async () => {
      await fixture.plain.send(put("bare", "plain"));
      await client().send(copies("bare", "bare-copy"));
      expect((await fixture.stored("bare-copy")).body.toString()).to.equal("plain");
      deny(/INSTRUCTION_SUFFIX$/);
      await client().send(copies("bare", "bare-copy"));
      deny(/\.instruction$/);
      const error = await refusal(client().send(copies("bare", "bare-copy-2")));
      expect(error.message).to.match(/cannot be told.*s3:ListBucket/);
      const formats = [new S3Format(), new AwsMessageFormat()];
      await client({ formats }).send(copies("bare", "bare-copy-3"), { format: "message" });
      await client({ instructionFileConfig: { replaceUnknownFiles: true } }).send(copies("bare", "bare-copy-4"));
      await client({ instructionFileConfig: { disableInstructionFile: true } }).send(copies("bare", "bare-copy-5"));
      expect(await fixture.keys("bare-copy-")).to.deep.equal(["bare-copy-3", "bare-copy-4", "bare-copy-5"]);
    });

    it("succeed for a caller who may not list, to whom a missing file is a forbidden one", async () => {
      await client({ keyring: generator }).send(put("unlisted", "content"));
      deny(/\.|INSTRUCTION/);
      await client().send(copies("unlisted", "unlisted-copy"));
      await fixture.client({ keyring: generator }).send(copies("unlisted", "unlisted-copy-2"));
      fixture.server.faults.clear();
      expect([await read("unlisted-copy"), await read("unlisted-copy-2")]).to.deep.equal(["content", "content"]);
    });
  });

  describe("of an object of .NET's first client", () => {
    const dataKey = randomBytes(32);
    const iv = randomBytes(16);
    const DOTNET = "INSTRUCTION_SUFFIX";
    const net = (): S3EncryptionClient => client({ ...LEGACY, keyring: generator });
    async function store(key: string): Promise<void> {
      const text = JSON.stringify({ EncryptedEnvelopeKey: base64(wrap.aesEcb(kek, dataKey)), IV: base64(iv) });
      await fixture.server.putRawObject(BUCKET, key, { body: cbc(dataKey, iv, Buffer.from("from .NET")) });
      await fixture.server.putRawObject(BUCKET, `${key}${DOTNET}`, { body: Buffer.from(text) });
    }
    const content = async (key: string) => (await net().send(get(key))).Body?.transformToString();

    it("take its file along, before the object", async () => {
      await store("net");
      fixture.server.clearRequests();
      await client().send(copies("net", "net-copy"));
      expect(wrote()).to.deep.equal([`PutObject net-copy${DOTNET}`, "CopyObject net-copy"]);
      expect(await content("net-copy")).to.equal("from .NET");
    });

    it("are refused beside a stale .instruction, at the source and at the target, unless the file is named", async () => {
      const [at, to] = ["net-stale", "net-onto"];
      await store(at);
      await store("net-clean");
      const v2 = { ...LEGACY, ...ONE_FILE };
      await client(v2).send(put("v2", "of another"));
      const { body } = await fixture.stored("v2.instruction");
      for (const key of [at, to]) await fixture.server.putRawObject(BUCKET, `${key}.instruction`, { body });
      expect((await refusal(client().send(copies(at, "net-no")))).code).to.equal("malformed-envelope");
      const onto = await refusal(client().send(copies("net-clean", to)));
      expect(onto.message).to.match(/"net-onto\.instruction" is an instruction file that an earlier object has left/);
      expect(await fixture.keys("net-no")).to.deep.equal([]);
      await client().send(copies(at, "net-named"), { instructionFileSuffix: DOTNET });
      expect(await fixture.keys("net-named")).to.deep.equal(["net-named", `net-named${DOTNET}`]);
      expect(await content("net-named")).to.equal("from .NET");
      expect(await fixture.keys(to)).to.deep.equal([`${to}.instruction`]);
    });

    it("say that it cannot be told whether they were made when the answer is lost, with the text of the file", async () => {
      await store("net-lost");
      fixture.server.faults.add({ operation: "CopyObject", key: "net-lost-copy", performed: true, times: 1 });
      const error = await refusal(client().send(copies("net-lost", "net-lost-copy")));
      expect(error.code).to.equal("outcome-unknown");
      expect(error).to.have.property("files").with.length(1);
      expect(await content("net-lost-copy")).to.equal("from .NET");
      const failed = { performed: true, status: 500, code: "InternalError" };
      fixture.server.faults.add({ operation: "CopyObject", key: "net-lost-copy-2", ...failed });
      expect((await refusal(client().send(copies("net-lost", "net-lost-copy-2")))).code).to.equal("outcome-unknown");
      expect(await content("net-lost-copy-2")).to.equal("from .NET");
    });

    it("leave another's object alone that came meanwhile, and say so", async () => {
      await store("net-raced");
      const pause = fixture.server.faults.pause({ operation: "CopyObject", key: "net-raced-copy", at: "answer" });
      const copying = refusal(client().send(copies("net-raced", "net-raced-copy")));
      await pause.reached;
      await client().send(put("net-raced-copy", "new"));
      pause.release();
      expect((await copying).code).to.equal("content-mismatch");
      await expectBoth("net-raced-copy", "new");
    });
  });

  describe("with the caller's own conditions", () => {
    it("hold, and do not switch ours off", async () => {
      await client().send(put("asked", "content"));
      const past = new Date(Date.now() - 86_400_000);
      for (const more of [
        { CopySourceIfMatch: '"0123"' },
        { CopySourceIfUnmodifiedSince: past },
        { CopySourceIfNoneMatch: await tagOf("asked") },
      ]) {
        const error = await errorOf(client().send(copies("asked", "asked-copy", more)));
        expect(error).to.have.nested.property("$metadata.httpStatusCode", 412);
        expect(error.name).to.equal("PreconditionFailed");
      }
      expect(await fixture.keys("asked-copy")).to.deep.equal([]);
      const onto = copies("asked", "asked", { StorageClass: "STANDARD_IA", IfMatch: '"0123"' });
      expect(await errorOf(client().send(onto))).to.have.nested.property("$metadata.httpStatusCode", 412);
      fixture.server.clearRequests();
      for (const more of [{ CopySourceIfMatch: "*" }, { CopySourceIfUnmodifiedSince: new Date() }]) {
        await client().send(copies("asked", "asked-copy", more));
      }
      const sent = fixture.server.requests.filter(({ operation }) => operation === "CopyObject");
      const tag = await tagOf("asked");
      expect(sent.map(({ headers }) => headers["x-amz-copy-source-if-match"])).to.deep.equal([tag, tag]);
    });

    it("are told in S3's own words of a source that is not there", async () => {
      const error = await errorOf(client().send(copies("nowhere", "nowhere-copy")));
      expect(error).to.include({ name: "NoSuchKey" });
      expect(error).to.have.nested.property("$metadata.httpStatusCode", 404);
    });
  });

  it("give the files the tags of the copy", async () => {
    await client().send(
      new PutObjectCommand({ Bucket: BUCKET, Key: "tagged", Body: "content", Tagging: "a=1%2B1&b=" }),
    );
    await client().send(copies("tagged", "tagged-copy"));
    await client().send(copies("tagged", "tagged-new", { TaggingDirective: "REPLACE", Tagging: "c=2" }));
    for (const key of ["tagged-copy", "tagged-new"]) {
      const [object, file] = await Promise.all(
        [key, `${key}.escrow`].map((Key) => fixture.plain.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key }))),
      );
      expect(file?.TagSet).to.have.length(key === "tagged-copy" ? 2 : 1);
      expect(file?.TagSet).to.deep.equal(object?.TagSet);
    }
  });

  it("remove the file of another object at the target when the source has none", async () => {
    await client().send(put("over", "old"));
    await client({ keyring: generator }).send(put("single", "content"));
    await client().send(copies("single", "over"));
    expect(await fixture.keys("over")).to.deep.equal(["over"]);
    expect(await read("over")).to.equal("content");
  });

  it("are pinned by a strong tag only: a proxy's weak one matches none", () => {
    expect(pinOf({ ETag: '"0123"', $metadata: {} })).to.deep.equal({ CopySourceIfMatch: '"0123"' });
    for (const ETag of ['W/"0123"', undefined]) expect(pinOf({ ETag, $metadata: {} })).to.deep.equal({});
  });

  describe("that are done", () => {
    it("say so when a file fails, with what S3 answered", async () => {
      await client().send(put("half", "content"));
      deny(/^half-copy\.escrow$/, "PutObject");
      const error = await refusal(client().send(copies("half", "half-copy")));
      if (!(error instanceof InstructionFileError)) throw error;
      expect(error.code).to.equal("instruction-file-failed");
      expect(error.message).to.match(/The object is stored.*"half-copy\.escrow".*Copy it again/);
      expect(error.output).to.have.nested.property("CopyObjectResult.ETag", await tagOf("half-copy"));
      expect(await read("half-copy")).to.equal("content");
      fixture.server.faults.clear();
      await client().send(copies("half", "half-copy"));
      await expectBoth("half-copy", "content");
    });

    it("ask for no file whose key S3 could not take, and are refused before where a file would have such a key", async () => {
      const long = "k".repeat(1020);
      await client({ keyring: generator }).send(put(long, "content"));
      await client().send(copies(long, "long-copy"));
      expect(await read("long-copy")).to.equal("content");
      await client({ keyring: generator }).send(copies("long-copy", long));
      await client().send(put("short", "content"));
      fixture.server.clearRequests();
      expect((await refusal(client().send(copies("short", long)))).code).to.equal("invalid-argument");
      expect(wrote()).to.deep.equal([]);
    });
  });

  it("name the source as S3 does", () => {
    const parts = (CopySource: string) => {
      const { Bucket, Key, VersionId } = sourceOf({ CopySource, Bucket: undefined, Key: undefined });
      return [Bucket, Key, VersionId];
    };
    expect(parts("b/k")).to.deep.equal(["b", "k", undefined]);
    expect(parts("/b/a%20b/c%2Bd+e?versionId=v1")).to.deep.equal(["b", "a b/c+d e", "v1"]);
    expect(parts("b%2Fk%3FversionId=x")).to.deep.equal(["b", "k?versionId=x", undefined]);
    expect(parts("b/100%")).to.deep.equal(["b", "100%", undefined]);
    const arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/my-point";
    expect(parts(`${arn}/object/reports/object/k`)).to.deep.equal([arn, "reports/object/k", undefined]);
    for (const wrong of ["", "b", "b/", `${arn}/k`]) expect(() => parts(wrong)).to.throw(/CopySource must name/);
  });
});
