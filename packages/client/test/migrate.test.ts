import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectAnnotationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectAnnotationsCommand,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import {
  addRecipient,
  InstructionFileError,
  type Loss,
  type MigrateOptions,
  migrateObject,
  rewrapObject,
  type S3EncryptionClient,
  type S3EncryptionOptions,
} from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { base64, cbc, wrap } from "./craft.js";
import { dyingClient } from "./dying-client.js";
import { BUCKET, bytesOfLength, Fixture, get, refusal } from "./fixture.js";
import { createLocked, described, PROPERTIES } from "./kept-properties.js";
import { errorOf } from "./transfers.js";

const kek = randomBytes(32);
const messageKey = { namespace: "n", name: "old" };
const old = new RawAesKeyring({ wrappingKey: kek, messageKey });
const current = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const [escrowPair, partnerPair] = [rsa(), rsa()];
const escrow = { keyring: new RawRsaKeyring({ publicKey: escrowPair.publicKey }), instructionFileSuffix: ".escrow" };
const partner = { keyring: new RawRsaKeyring({ publicKey: partnerPair.publicKey }), instructionFileSuffix: ".partner" };
const both = (children: (typeof escrow)[], generator = old) => new MultiKeyring({ generator, children });
const LEGACY = {
  commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT",
  enableLegacyWrappingAlgorithms: true,
  enableLegacyUnauthenticatedModes: true,
} as const;
const READS_OLD = { ...LEGACY, commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" } as const;
const FILES = { wrapPlacement: "instruction-files" } as const;
const ANNOTATIONS = { wrapPlacement: "annotations" } as const;
const PACE = { settleTime: 0 };

describe("an object migrated", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
    await createLocked(fixture.plain);
  });
  after(() => fixture.close());
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => fixture.server.faults.clear());

  const client = (options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient =>
    fixture.client({ keyring: old, ...READS_OLD, ...options });
  const store = (Key: string, s3 = client(), more: Partial<PutObjectCommandInput> = {}) =>
    s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: "content", Metadata: { mine: "1" }, ...more }));
  const migrate = (Key: string, s3 = client(), more: Partial<MigrateOptions> = {}) =>
    migrateObject(s3, { Bucket: BUCKET, Key, ...PACE, to: { keyring: current }, ...more });
  const read = async (key: string, keyring: S3EncryptionOptions["keyring"] = current, call: object = {}) =>
    (await fixture.client({ keyring: keyring as never }).send(get(key), call)).Body?.transformToString();
  const readEscrow = (key: string, pair = escrowPair, instructionFileSuffix = ".escrow") =>
    read(key, new RawRsaKeyring({ privateKey: pair.privateKey }), { instructionFileSuffix });
  const wrote = (): string[] =>
    fixture.server.requests
      .filter(({ operation }) => !/^(?:Get|Head|List)/.test(operation))
      .map(({ operation, key }) => `${operation} ${key}`);

  describe("from", () => {
    const v1 = async (Key: string) => {
      const [dataKey, iv] = [randomBytes(32), randomBytes(16)];
      const metadata = {
        "x-amz-key": base64(wrap.aesEcb(kek, dataKey)),
        "x-amz-iv": base64(iv),
        "x-amz-matdesc": "{}",
        "x-amz-unencrypted-content-length": "7",
        mine: "1",
      };
      await fixture.server.putRawObject(BUCKET, Key, { body: cbc(dataKey, iv, Buffer.from("content")), metadata });
    };
    const SOURCES: readonly [string, (key: string) => Promise<unknown>, Partial<S3EncryptionOptions>?][] = [
      ["V1, CBC", v1],
      ["V2", (key) => store(key, client(LEGACY))],
      ["V3, for a new data key", (key) => store(key)],
      [
        "V2 in instruction files",
        (key) => store(key, client({ ...LEGACY, ...FILES, keyring: both([escrow]), enableUncommittedChildren: true })),
      ],
      [
        "a message",
        (key) => store(key, fixture.client({ keyring: old, formats: [new AwsMessageFormat()] })),
        { formats: [new S3Format({ enableLegacyUnauthenticatedModes: true }), new AwsMessageFormat()] },
      ],
    ];
    for (const [what, write, options = {}] of SOURCES) {
      it(`${what}: is of the current format, has a new data key, and is read by the new key alone`, async () => {
        await write("source");
        const before = await fixture.stored("source");
        const reading = "formats" in options ? { keyring: old, ...options } : { keyring: old, ...READS_OLD };
        const s3 = fixture.client(reading as never);
        const { ETag, changed } = await migrate("source", s3, { dropRecipients: [".escrow"] });
        // By a client with nothing but the new key and its defaults.
        expect(await read("source")).to.equal("content");
        expect((await refusal(read("source", old))).code).to.be.oneOf(["no-matching-key", "decryption-failed"]);
        const now = await fixture.stored("source");
        expect(now.metadata).to.include({ mine: "1", "x-amz-c": "115" });
        expect(Object.keys(now.metadata)).not.to.include.members(["x-amz-key", "x-amz-iv", "x-amz-matdesc"]);
        expect(now.body.equals(before.body)).to.equal(false);
        expect(ETag).to.equal((await fixture.plain.send(get("source"))).ETag);
        expect(changed).to.deep.equal(["last-modified", "etag"]);
        expect(await fixture.keys("source.")).to.deep.equal([]);
      });
    }

    it("a client that writes V2 to V3 all the same", async () => {
      await store("policy", client(LEGACY));
      await migrate("policy", client(LEGACY));
      expect(await read("policy")).to.equal("content");
    });

    it("what has more than a buffer, piece by piece, with no plaintext on the disk", async () => {
      const directory = await mkdtemp(join(tmpdir(), "s3ec-migrate-"));
      const content = bytesOfLength(9 * 1024 ** 2 + 1);
      const s3 = client({ bufferSize: 64 * 1024, spool: { directory } });
      await store("large", s3, { Body: content });
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "large", at: "commit" });
      const migrating = migrate("large", s3);
      await pause.reached;
      expect(
        readdirSync(directory, { recursive: true }).filter((name) => content.includes(String(name))),
      ).to.have.length(0);
      pause.release();
      await migrating;
      const { Body } = await fixture.client({ keyring: current }).send(get("large"));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
      expect(readdirSync(directory)).to.deep.equal([]);
      await rm(directory, { recursive: true });
    });
  });

  describe("keeps", () => {
    for (const [what, properties, options = {}, more = {}] of PROPERTIES) {
      it(what, async () => {
        await store("kept", client(), { Metadata: { mine: "1" }, ...properties });
        const at = { Bucket: BUCKET, Key: "kept", ...more };
        const withoutContent = ({ ETag, ChecksumSHA256, ChecksumCRC32, ...rest }: Record<string, unknown>) => ({
          ...rest,
          hasSHA256: ChecksumSHA256 !== undefined,
        });
        const before = await described(fixture.plain, at, more);
        const { changed } = await migrate("kept", client(), { ...options, ...more });
        expect(withoutContent(await described(fixture.plain, at, more))).to.deep.equal(withoutContent(before));
        const versioned = "Bucket" in more ? ["version-id"] : [];
        expect(changed).to.deep.equal(["last-modified", ...versioned, "etag", ...(options.allowLoss ?? [])]);
        const { Body } = await fixture.client({ keyring: current }).send(new GetObjectCommand({ ...at, ...more }));
        expect(await Body?.transformToString()).to.equal("content");
      });
    }

    describe("annotations of others,", () => {
      const at = (Key: string) => ({ Bucket: BUCKET, Key });
      const note = (Key: string, AnnotationName: string, AnnotationPayload: string) =>
        fixture.plain.send(new PutObjectAnnotationCommand({ ...at(Key), AnnotationName, AnnotationPayload }));
      const notes = async (key: string): Promise<Record<string, string>> => {
        const { Annotations = [] } = await fixture.plain.send(new ListObjectAnnotationsCommand(at(key)));
        const texts = Annotations.map(async ({ AnnotationName = "" }) => {
          const asked = new GetObjectAnnotationCommand({ ...at(key), AnnotationName });
          return [
            AnnotationName,
            (await (await fixture.plain.send(asked)).AnnotationPayload?.transformToString()) ?? "",
          ];
        });
        return Object.fromEntries(await Promise.all(texts));
      };
      const LARGE = "\u00e9".repeat(512 * 1024);
      /** Fails from when they are kept aside on: the object is marked as being moved before. */
      const failing = async (key: string, fault: { readonly status: number; readonly times?: number }) => {
        const held = fixture.server.faults.pause({ operation: "PutObject", key: `${key}.s3ec-annotations` });
        const migrating = errorOf(migrate(key));
        await held.reached;
        fixture.server.faults.add({ operation: "PutObjectAnnotation", code: "AccessDenied", ...fault });
        held.release();
        const error = await migrating;
        fixture.server.faults.clear();
        return error;
      };

      it("whatever is in them, and leaves nothing beside the object", async () => {
        await store("noted");
        const put = { a: "text", lost: "lost", "sub/b": LARGE, __proto__x: '{"x-amz-3":""}' };
        for (const [name, text] of Object.entries(put)) await note("noted", name, text);
        fixture.server.clearRequests();
        expect((await migrate("noted")).changed).to.deep.equal(["last-modified", "etag"]);
        expect(await notes("noted")).to.deep.equal(put);
        expect(await fixture.keys("noted")).to.deep.equal(["noted"]);
        const puts = wrote().filter((each) => !each.startsWith("PutObjectAnnotation"));
        expect(puts).to.deep.equal([
          "PutObject noted.s3ec-annotations",
          "PutObject noted",
          "DeleteObject noted.s3ec-annotations",
        ]);
      });

      it("put in parts, too", async () => {
        await store("noted-parts", client(), { Body: bytesOfLength(9 * 1024 ** 2) });
        await note("noted-parts", "a", "text");
        const inFile = { instructionFileConfig: { enableInstructionFilePutObject: true } };
        await migrate("noted-parts", client({ bufferSize: 64 * 1024, ...inFile }));
        expect(await notes("noted-parts")).to.deep.equal({ a: "text" });
        expect(fixture.server.requests.some(({ operation }) => operation === "CompleteMultipartUpload")).to.equal(true);
      });

      it("or refuses them before it writes anything: too large, not readable, not to be listed", async () => {
        await store("refused");
        await note("refused", "a", "text");
        const denied = { status: 403, code: "AccessDenied" };
        for (const operation of ["GetObjectAnnotation", "ListObjectAnnotations"]) {
          fixture.server.faults.add({ operation, ...denied });
          fixture.server.clearRequests();
          expect((await refusal(migrate("refused"))).message, operation).to.match(/allowLoss: \["annotations"\]/);
          expect(wrote()).to.deep.equal([]);
          fixture.server.faults.clear();
        }
        for (let index = 0; index < 17; index++) await note("refused", `n${index}`, "x".repeat(1024 ** 2));
        fixture.server.clearRequests();
        expect((await refusal(migrate("refused"))).message).to.contain("bytes of annotations");
        expect(wrote()).to.deep.equal([]);
        expect((await migrate("refused", client(), { allowLoss: ["annotations"] })).changed).to.include("annotations");
        expect(await notes("refused")).to.deep.equal({});
      });

      it("and gives way to one that came meanwhile", async () => {
        await store("came");
        await note("came", "a", "text");
        const held = fixture.server.faults.pause({ operation: "GetObject", key: "came", at: "answer" });
        const migrating = refusal(migrate("came"));
        await held.reached;
        await note("came", "a", "other");
        held.release();
        expect((await migrating).code).to.equal("content-mismatch");
        expect(await notes("came")).to.deep.equal({ a: "other" });
        expect(await fixture.keys("came")).to.deep.equal(["came"]);
      });

      it("and says where they are when they cannot be put back, from where the same call does", async () => {
        await store("unput");
        await note("unput", "a", "text");
        const error = await failing("unput", { status: 403 });
        expect(error).to.be.instanceOf(InstructionFileError).and.have.property("code", "instruction-file-failed");
        expect(error).to.have.property("message").that.contains("unput.s3ec-annotations");
        expect(await read("unput")).to.equal("content");
        await migrate("unput", client({ keyring: current }));
        expect(await notes("unput")).to.deep.equal({ a: "text" });
        expect(await fixture.keys("unput")).to.deep.equal(["unput"]);
      });

      it("also where a file of the new object cannot be written", async () => {
        await store("unfiled");
        await note("unfiled", "a", "text");
        const child = { keyring: new RawAesKeyring({ wrappingKey: randomBytes(32) }), instructionFileSuffix: ".child" };
        fixture.server.faults.add({ operation: "PutObject", key: "unfiled.child", status: 403, code: "AccessDenied" });
        const keyring = new MultiKeyring({ generator: current, children: [child] });
        const error = await errorOf(migrate("unfiled", client(), { to: { keyring } }));
        fixture.server.faults.clear();
        expect(error).to.be.instanceOf(InstructionFileError).and.have.property("code", "instruction-file-failed");
        expect(await notes("unfiled")).to.deep.equal({ a: "text" });
        expect(await fixture.keys("unfiled")).to.deep.equal(["unfiled"]);
      });

      it("also after a change that keeps the tag, behind a call that was killed", async () => {
        await store("changed-since");
        await note("changed-since", "a", "text");
        const { ETag } = await fixture.plain.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "changed-since" }));
        const since = "2001-01-01T00:00:00.000Z";
        const body = JSON.stringify({ from: ETag, since, time: new Date().toISOString(), annotations: { a: "text" } });
        await fixture.server.putRawObject(BUCKET, "changed-since.s3ec-annotations", { body, metadata: {} });
        await migrate("changed-since");
        expect(await notes("changed-since")).to.deep.equal({ a: "text" });
        expect(await fixture.keys("changed-since")).to.deep.equal(["changed-since"]);
      });

      it("but no recipients, which somebody writes into the file", async () => {
        await store("forged");
        await note("forged", "a", "text");
        await failing("forged", { status: 403 });
        const { body } = await fixture.stored("forged.s3ec-annotations");
        const file = JSON.parse(body.toString());
        const forged = JSON.stringify({ ...file, annotations: { ...file.annotations, "x-s3ec/evil": "{}" } });
        await fixture.server.putRawObject(BUCKET, "forged.s3ec-annotations", { body: forged, metadata: {} });
        await migrate("forged", client({ keyring: current }));
        expect(await notes("forged")).to.deep.equal({ a: "text" });
      });

      it("and takes a lost answer for success once the file is there", async () => {
        await store("lost-file");
        await note("lost-file", "a", "text");
        const file = { operation: "PutObject", key: "lost-file.s3ec-annotations" };
        fixture.server.faults.add({ ...file, performed: true, times: 1 });
        await migrate("lost-file");
        expect(await notes("lost-file")).to.deep.equal({ a: "text" });
        expect(await fixture.keys("lost-file")).to.deep.equal(["lost-file"]);
      });

      it("and keeps the texts where a store refuses them for the object that stands, but none over a newer one", async () => {
        for (const [status, times] of [
          [412, 50],
          [404, 50],
        ] as const) {
          const key = `kept-${status}`;
          await store(key);
          await note(key, "a", "text");
          await note(key, "b", "old");
          const error = await failing(key, { status, times });
          expect(error).to.have.property("code", "instruction-file-failed");
          expect(error).to.have.property("message").that.contains(`${key}.s3ec-annotations`);
          await note(key, "b", "newer");
          await migrate(key, client({ keyring: current }));
          expect(await notes(key)).to.deep.equal({ a: "text", b: "newer" });
          expect(await fixture.keys(key)).to.deep.equal([key]);
        }
      });

      it("and tries again what is refused while S3 changes something else (409)", async () => {
        await store("noted-busy");
        await note("noted-busy", "a", "text");
        fixture.server.faults.add({
          operation: "PutObjectAnnotation",
          status: 409,
          code: "OperationAborted",
          times: 2,
        });
        await migrate("noted-busy");
        expect(await notes("noted-busy")).to.deep.equal({ a: "text" });
      });

      it("but not over one that came as soon as the object was written", async () => {
        await store("noted-newer");
        await note("noted-newer", "a", "text");
        const held = fixture.server.faults.pause({ operation: "PutObject", key: "noted-newer", at: "answer" });
        const migrating = migrate("noted-newer");
        await held.reached;
        await note("noted-newer", "a", "newer");
        held.release();
        await migrating;
        expect(await notes("noted-newer")).to.deep.equal({ a: "newer" });
      });

      it("and puts none to an object that has been put since, but says where they are", async () => {
        await store("another");
        await note("another", "a", "text");
        await failing("another", { status: 403 });
        await store("another");
        fixture.server.clearRequests();
        const error = await refusal(migrate("another"));
        expect(error.code).to.equal("content-mismatch");
        expect(error.message).to.contain("another.s3ec-annotations");
        expect(wrote()).to.deep.equal([]);
      });

      it("after the same call, by whatever request a process was killed", async () => {
        const both = new MultiKeyring({ children: [{ keyring: current }, { keyring: old }] });
        for (const last of ["unsent", "unanswered"] as const) {
          for (let most = 1; ; most++) {
            await store("noted-killed");
            await note("noted-killed", "a", "text");
            await note("noted-killed", "b", "other");
            const dying = dyingClient(fixture, { ...READS_OLD, keyring: old }, { most, last });
            const outcome = await migrate("noted-killed", dying.client).catch(() => undefined);
            await migrate("noted-killed", client({ keyring: both }));
            expect(await notes("noted-killed"), `${last} ${dying.sent}`).to.deep.equal({ a: "text", b: "other" });
            expect(await fixture.keys("noted-killed")).to.deep.equal(["noted-killed"]);
            if (outcome !== undefined) break;
          }
        }
      });
    });

    it("or names a checksum of an algorithm that cannot be calculated here", async () => {
      await store("hashed");
      const { body, metadata } = await fixture.stored("hashed");
      const headers = { "x-amz-checksum-md5": "AAAAAAAAAAAAAAAAAAAAAA==" };
      await fixture.server.putRawObject(BUCKET, "hashed", { body, metadata, headers });
      expect((await migrate("hashed")).changed).to.include("checksum");
    });

    it("the version before, and names it", async () => {
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await fixture.plain.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
      const { VersionId } = await store("versions");
      const done = await migrate("versions");
      expect(done.replacedVersionId).to.equal(VersionId);
      expect(done.VersionId).to.be.a("string").and.not.to.equal(VersionId);
      const Suspended = { Status: "Suspended" } as const;
      await fixture.plain.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: Suspended }));
    });
  });

  describe("with further recipients", () => {
    const stored = (key: string, s3 = client({ keyring: both([escrow, partner]) })) => store(key, s3);

    it("is refused unless each is wrapped for or dropped by name, before anything is written", async () => {
      await stored("refused");
      fixture.server.clearRequests();
      const error = await refusal(migrate("refused"));
      expect(error.code).to.equal("unsupported-operation");
      expect(error.message).to.match(/"\.escrow", "\.partner".*dropRecipients: \["\.escrow", "\.partner"\]/);
      const half = await refusal(migrate("refused", client(), { dropRecipients: ["escrow"] }));
      expect(half.message).to.match(/dropRecipients: \["\.partner"\]/);
      expect(wrote()).to.deep.equal([]);
      expect(await readEscrow("refused")).to.equal("content");
    });

    it("opens for those that are wrapped for, and no more for those that are dropped", async () => {
      await stored("dropped");
      const to = { keyring: both([escrow], current) };
      const done = await migrate("dropped", client(), { to, dropRecipients: [".partner"] });
      expect([done.droppedRecipients, done.removedFiles]).to.deep.equal([[".partner"], ["dropped.partner"]]);
      expect([await read("dropped"), await readEscrow("dropped")]).to.deep.equal(["content", "content"]);
      expect(await fixture.keys("dropped")).to.deep.equal(["dropped", "dropped.escrow"]);
    });

    it("takes what is under another name for no key, and what may not be listed for what is not known", async () => {
      await store("folder");
      await store("folder.txt");
      await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "folder.json", Body: "{}" }));
      await migrate("folder");
      expect(await fixture.keys("folder")).to.deep.equal(["folder", "folder.json", "folder.txt"]);
      const answeredNothing = client();
      answeredNothing.middlewareStack.add(
        (next, { commandName }) =>
          async (args) => {
            const result = await next(args);
            return commandName === "ListObjectsV2Command" ? { ...result, output: { $metadata: {} } } : result;
          },
        { step: "initialize", name: "withoutBody" },
      );
      expect((await refusal(migrate("folder.txt", answeredNothing))).message).to.match(/allowLoss: \["recipients"\]/);
      fixture.server.faults.add({ operation: "ListObjectsV2", status: 403, code: "AccessDenied" });
      expect((await refusal(migrate("folder.txt"))).message).to.match(/allowLoss: \["recipients"\]/);
      expect((await migrate("folder.txt", client(), { allowLoss: ["recipients"] })).changed).to.include("recipients");
    });

    it("in instruction files: the new ones stand, of the old ones none", async () => {
      await store("files", client({ ...FILES, keyring: both([escrow, partner]) }));
      const to = { keyring: both([escrow], current) };
      await migrate("files", client(FILES), { to, dropRecipients: [".partner"] });
      expect([await read("files"), await readEscrow("files")]).to.deep.equal(["content", "content"]);
      expect(await fixture.keys("files")).to.deep.equal(["files", "files.escrow", "files.instruction"]);
      // Of what it has written itself none is even asked to go: a store may not look at the condition.
      expect(wrote().filter((request) => request.startsWith("Delete"))).to.deep.equal(["DeleteObject files.partner"]);
    });

    it("in annotations: each is wrapped for anew or dropped by name, whatever else may be lost", async () => {
      await store("annotated", client({ ...ANNOTATIONS, keyring: both([escrow, partner]) }));
      fixture.server.clearRequests();
      const error = await refusal(migrate("annotated", client(), { allowLoss: ["annotations"] }));
      expect(error.message).to.match(/dropRecipients: \["\.escrow", "\.partner"\]/);
      expect(wrote()).to.deep.equal([]);
      const to = { keyring: both([escrow], current) };
      const done = await migrate("annotated", client(ANNOTATIONS), { to, dropRecipients: ["partner"] });
      expect([done.changed.includes("annotations"), done.droppedRecipients]).to.deep.equal([false, [".partner"]]);
      expect([await read("annotated"), await readEscrow("annotated")]).to.deep.equal(["content", "content"]);
      expect(await fixture.keys("annotated")).to.deep.equal(["annotated"]);
    });

    it("for one of them: the owner, whose wrap is in the metadata, does not lose access silently", async () => {
      const theirs = new RawRsaKeyring(partnerPair);
      const reader = () => client({ ...ANNOTATIONS, keyring: theirs });
      const dropping = { to: { keyring: theirs }, dropRecipients: ["partner"] };
      for (const key of ["owned-annotated", "owned-file"]) {
        const placed = key === "owned-file" ? {} : ANNOTATIONS;
        const call = key === "owned-file" ? { instructionFileSuffix: ".partner" } : {};
        await store(key, client({ ...placed, keyring: both([partner]) }));
        fixture.server.clearRequests();
        const error = await refusal(migrate(key, reader(), { ...dropping, ...call }));
        expect(error.message).to.contain('allowLoss: ["generator"]');
        expect(wrote()).to.deep.equal([]);
        expect(await read(key, old)).to.equal("content");
        // A new keyring that opens the owner's wrap leaves nobody out.
        const kept = new MultiKeyring({ generator: old, children: [] });
        await migrate(key, reader(), { ...dropping, ...call, to: { keyring: kept } });
        expect(await read(key, old)).to.equal("content");
        await store(key, client({ ...placed, keyring: both([partner]) }));
        const allowed = await migrate(key, reader(), { ...dropping, ...call, allowLoss: ["generator"] });
        expect(allowed.changed).to.include("generator");
        expect(await read(key, theirs)).to.equal("content");
      }
    });

    it("for one of them: nor does the owner whose wrap is in a file", async () => {
      await store("owned-files", client({ ...FILES, keyring: both([partner]) }));
      const call = { instructionFileSuffix: ".partner", to: { keyring: new RawRsaKeyring(partnerPair) } };
      const error = await refusal(migrate("owned-files", client({ keyring: call.to.keyring }), call));
      expect(error.message).to.contain('dropRecipients: [".instruction"]');
    });

    it("for one of them: nor does the owner whose wrap is in a file, where an annotation opened the object", async () => {
      const theirs = new RawRsaKeyring(partnerPair);
      const reader = () => client({ keyring: theirs });
      await store("owned-beside", client({ instructionFileConfig: { enableInstructionFilePutObject: true } }));
      const at = { Bucket: BUCKET, Key: "owned-beside", recipient: "partner", to: { keyring: theirs } };
      await addRecipient(client(), at);
      fixture.server.clearRequests();
      const dropping = { to: { keyring: theirs }, dropRecipients: ["partner"] };
      const error = await refusal(migrate("owned-beside", reader(), dropping));
      expect(error.message).to.contain('allowLoss: ["generator"]');
      expect(wrote()).to.deep.equal([]);
      expect(await read("owned-beside", old)).to.equal("content");
      const allowed = await migrate("owned-beside", reader(), { ...dropping, allowLoss: ["generator"] });
      expect(allowed.changed).to.include("generator");
      expect(await read("owned-beside", theirs)).to.equal("content");
    });

    it("in annotations that cannot be listed: not taken for none", async () => {
      await store("unlisted", client({ ...ANNOTATIONS, keyring: both([escrow]) }));
      for (const status of [400, 403, 405]) {
        fixture.server.faults.add({ operation: "ListObjectAnnotations", status });
        fixture.server.clearRequests();
        const allowed: Loss[] = [];
        for (const loss of ["annotations", "recipients"] as const) {
          const error = await refusal(migrate("unlisted", client(), { allowLoss: [...allowed] }));
          expect(error.message, `${status}`).to.contain(`allowLoss: ["${loss}"]`);
          allowed.push(loss);
        }
        expect(wrote()).to.deep.equal([]);
        fixture.server.faults.clear();
      }
      expect(await readEscrow("unlisted")).to.equal("content");
    });

    it("leaves a file that another put has written, and all of them when another object stands", async () => {
      await stored("raced");
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "raced", at: "answer" });
      const migrating = migrate("raced", client(), { dropRecipients: [".escrow", ".partner"] });
      await pause.reached;
      await stored("raced");
      pause.release();
      expect((await migrating).removedFiles).to.deep.equal([]);
      expect([await readEscrow("raced"), await readEscrow("raced", partnerPair, ".partner")]).to.deep.equal([
        "content",
        "content",
      ]);
    });

    it("says which files are left when one cannot be removed", async () => {
      await stored("stuck");
      fixture.server.faults.add({ operation: "DeleteObject", key: "stuck.partner", status: 403, code: "AccessDenied" });
      const error = await refusal(migrate("stuck", client(), { dropRecipients: [".escrow", ".partner"] }));
      if (!(error instanceof InstructionFileError)) throw error;
      expect([error.code, error.files.map(({ key }) => key)]).to.deep.equal([
        "instruction-file-failed",
        ["stuck.partner"],
      ]);
      expect(await read("stuck")).to.equal("content");
    });
  });

  describe("while others write it", () => {
    const during = async (
      key: string,
      held: Parameters<typeof fixture.server.faults.pause>[0],
      work: () => Promise<unknown>,
    ): Promise<Error> => {
      await store(key);
      const pause = fixture.server.faults.pause(held);
      const migrating = errorOf(migrate(key));
      await pause.reached;
      await work();
      pause.release();
      return migrating;
    };
    for (const at of ["request", "commit"] as const) {
      it(`is not written over a newer object (${at})`, async () => {
        const error = await during("newer", { operation: "PutObject", key: "newer", at }, () =>
          // Not by a put, which is being held.
          fixture.server.putRawObject(BUCKET, "newer", { body: "newer" }),
        );
        expect(error).to.have.property("code", "content-mismatch");
        expect((await fixture.stored("newer")).body.toString()).to.equal("newer");
      });
    }

    it("does not bring back one that was deleted", async () => {
      await during("deleted", { operation: "PutObject", key: "deleted" }, () =>
        fixture.plain.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "deleted" })),
      );
      expect(await fixture.keys("deleted")).to.deep.equal([]);
    });

    it("gives way to changes that the entity tag does not show", async () => {
      const at = { Bucket: BUCKET, Key: "changed" };
      const Tagging = { TagSet: [{ Key: "new", Value: "1" }] };
      const changes = [
        () => fixture.plain.send(new PutObjectTaggingCommand({ ...at, Tagging })),
        async () => {
          const { metadata } = await fixture.stored("changed");
          const Metadata = { ...metadata, mine: "2" };
          const copy = { ...at, CopySource: `${BUCKET}/changed`, MetadataDirective: "REPLACE", Metadata } as const;
          await fixture.plain.send(new CopyObjectCommand(copy));
        },
      ];
      for (const change of changes) {
        const error = await during("changed", { operation: "GetObject", key: "changed", at: "answer" }, change);
        expect(error).to.have.property("code", "content-mismatch");
        expect(await read("changed", old)).to.equal("content");
      }
    });

    it("gives way to a change while its parts are sent", async () => {
      const content = bytesOfLength(11 * 1024 ** 2);
      const inFile = { instructionFileConfig: { enableInstructionFilePutObject: true } };
      const s3 = client({ ...inFile, bufferSize: 64 * 1024 });
      await store("parts", s3, { Body: content });
      const pause = fixture.server.faults.pause({ operation: "UploadPart", partNumber: 2 });
      const migrating = errorOf(migrate("parts", s3));
      await pause.reached;
      const Tagging = { TagSet: [{ Key: "new", Value: "1" }] };
      await fixture.plain.send(new PutObjectTaggingCommand({ Bucket: BUCKET, Key: "parts", Tagging }));
      pause.release();
      expect(await migrating).to.have.property("code", "content-mismatch");
      const { Body } = await client(inFile).send(get("parts"));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
      expect(wrote()).to.include("AbortMultipartUpload parts");
    });

    it("gives way to a further recipient, whom nobody has dropped", async () => {
      const to = { keyring: new RawRsaKeyring(partnerPair), instructionFileSuffix: ".partner" };
      const error = await during("joined", { operation: "GetObject", key: "joined", at: "answer" }, () =>
        rewrapObject(client(), { Bucket: BUCKET, Key: "joined", to }),
      );
      expect(error).to.have.property("code", "content-mismatch");
      expect([await read("joined", old), await readEscrow("joined", partnerPair, ".partner")]).to.deep.equal([
        "content",
        "content",
      ]);
    });

    it("is a success when its answer was lost", async () => {
      await store("lost");
      fixture.server.faults.add({ operation: "PutObject", key: "lost", performed: true, times: 1 });
      const { ETag } = await migrate("lost");
      expect(ETag).to.equal((await fixture.plain.send(get("lost"))).ETag);
      expect(await read("lost")).to.equal("content");
    });
  });

  it("stays what it was where its content is not authentic, or no key opens it", async () => {
    await store("altered");
    const { body, metadata } = await fixture.stored("altered");
    body[0] = (body[0] ?? 0) ^ 1;
    await fixture.server.putRawObject(BUCKET, "altered", { body, metadata });
    for (const options of [{}, { enableDelayedAuthenticationMode: true }, { keyring: current }]) {
      await refusal(migrate("altered", client(options)));
    }
    expect((await fixture.stored("altered")).body.equals(body)).to.equal(true);
  });

  it("is refused for wrong options before anything is asked", async () => {
    const wrong: object[] = [
      { Bucket: "" },
      { Key: undefined },
      { recipients: [] },
      { dropRecipients: ".escrow" },
      { to: { keyring: current, materialsManager: {} } },
      { to: { key: current } },
      { allowLoss: ["all"] },
      { settleTime: -1 },
      { encryptionContext: { kms_cmk_id: "x" }, to: { keyring: current } },
      { to: Object.create({ keyring: current }) },
    ];
    for (const options of wrong) {
      expect((await refusal(migrate("k", client(), options))).code, JSON.stringify(options)).to.equal(
        "invalid-argument",
      );
    }
    expect(fixture.server.requests).to.deep.equal([]);
  });

  describe("by a process that is killed between any two requests", () => {
    const reader = new MultiKeyring({ children: [{ keyring: current }, { keyring: old }] });
    const readable = async (key: string) =>
      (await fixture.client({ keyring: reader, ...READS_OLD }).send(get(key))).Body?.transformToString();
    for (const [name, options, from] of [
      ["metadata", {}, LEGACY],
      ["metadata, files for others", { keyring: both([escrow]) }, {}],
    ] as const) {
      it(`is read by the generator's key at once, and by the others after the same call (${name})`, async () => {
        const to = { keyring: "keyring" in options ? both([escrow], current) : current };
        for (const last of ["unsent", "unanswered"] as const) {
          for (let most = 1; ; most++) {
            await store("killed", client({ ...from, ...options }));
            const dying = dyingClient(fixture, { ...READS_OLD, keyring: old, ...options }, { most, last });
            const outcome = await migrate("killed", dying.client, { to }).catch(() => undefined);
            expect(await readable("killed"), `${last} ${dying.sent}`).to.equal("content");
            if ("keyring" in options) {
              const again = client({
                keyring: new MultiKeyring({ children: [{ keyring: current }, { keyring: old }] }),
              });
              await migrate("killed", again, { to });
              expect([await read("killed"), await readEscrow("killed")]).to.deep.equal(["content", "content"]);
            }
            if (outcome !== undefined) break;
          }
        }
      });
    }
  });
});
