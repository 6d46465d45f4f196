import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { InstructionFileError, type S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const generator = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const escrow = new RawRsaKeyring({ publicKey });
const keyring = new MultiKeyring({ generator, children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }] });
const escrowKey = new RawRsaKeyring({ privateKey });
const IN_FILE: Partial<S3EncryptionOptions> = { instructionFileConfig: { enableInstructionFilePutObject: true } };
const DOTNET_FILE = JSON.stringify({ EncryptedEnvelopeKey: "AAAA", IV: Buffer.alloc(16, 1).toString("base64") });

/** What two clients at once, denied requests and versions may not do to a deletion (docs/formats.md 1.6). */
describe("deletions with instruction files", () => {
  let fixture: Fixture;
  let client: S3EncryptionClient;
  before(async () => {
    fixture = await Fixture.start();
    client = fixture.client({ keyring });
  });
  after(() => fixture.close());
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => fixture.server.faults.clear());

  const deletes = (Key: string): DeleteObjectCommand => new DeleteObjectCommand({ Bucket: BUCKET, Key });
  const deletesAll = (...Objects: { Key: string; VersionId?: string }[]): DeleteObjectsCommand =>
    new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } });
  const asked = (): string[] => fixture.server.requests.map(({ operation, key }) => `${operation} ${key ?? ""}`.trim());
  const raw = (key: string, body: string) => fixture.server.putRawObject(BUCKET, key, { body: Buffer.from(body) });
  const denied = (operation: string, key: RegExp) =>
    fixture.server.faults.add({ operation, key, status: 403, code: "AccessDenied" });

  async function expectBoth(key: string, content: string): Promise<void> {
    const own = await fixture.client({ keyring: generator }).send(get(key));
    expect(await own.Body?.transformToString()).to.equal(content);
    const other = await fixture.client({ keyring: escrowKey }).send(get(key), { instructionFileSuffix: ".escrow" });
    expect(await other.Body?.transformToString()).to.equal(content);
  }

  for (const [name, send] of [
    ["DeleteObject", (key: string) => client.send(deletes(key))],
    ["DeleteObjects", (key: string) => client.send(deletesAll({ Key: key }))],
  ] as const) {
    describe(`by ${name}`, () => {
      const keyed = (key: string): string => `${name}/${key}`;

      it("takes along annotations that a migration has left aside, and nobody's object of that name", async () => {
        const [key, other] = [keyed("aside"), keyed("not-aside")];
        for (const each of [key, other]) await client.send(put(each));
        await raw(`${key}.s3ec-annotations`, '{"from":"etag","annotations":{"a":"text"}}');
        await raw(`${other}.s3ec-annotations`, "mine");
        await send(key);
        await send(other);
        expect(await fixture.keys(key)).to.deep.equal([]);
        expect(await fixture.keys(other)).to.deep.equal([`${other}.s3ec-annotations`]);
      });

      it("leaves the file of an object that another client puts after the object was deleted", async () => {
        const key = keyed("raced");
        await client.send(put(key, "old"));
        // Of the deletion itself, and then of its files.
        const pause = fixture.server.faults.pause({ operation: name, at: "answer" });
        const deleting = send(key);
        await pause.reached;
        await client.send(put(key, "new"));
        pause.release();
        expect(await deleting).not.to.have.property("Errors");
        await expectBoth(key, "new");
      });

      it("deletes each file on the condition that it is what was read before", async () => {
        const key = keyed("conditional");
        await client.send(put(key));
        fixture.server.clearRequests();
        await send(key);
        expect(asked().map((line) => line.replace(key, "k"))).to.have.members(
          name === "DeleteObject"
            ? [
                "GetObject k.instruction",
                "GetObject k.escrow",
                "GetObject kINSTRUCTION_SUFFIX",
                "GetObject k.s3ec-annotations",
                "DeleteObject k",
                "DeleteObject k.escrow",
              ]
            : [
                "GetObject k.instruction",
                "GetObject k.escrow",
                "GetObject kINSTRUCTION_SUFFIX",
                "GetObject k.s3ec-annotations",
                "DeleteObjects",
                "DeleteObjects",
              ],
        );
        expect(await fixture.keys(key)).to.deep.equal([]);
      });

      it("takes the file of .NET's first client with an object that has nothing on it, and nothing else of that name", async () => {
        await raw(keyed("net"), "ciphertext");
        await raw(keyed("netINSTRUCTION_SUFFIX"), DOTNET_FILE);
        await send(keyed("net"));
        expect(await fixture.keys(keyed("net"))).to.deep.equal([]);
        // Somebody else's object, which is called so; and one beside an object that has its envelope itself.
        await raw(keyed("own"), "plain");
        await raw(keyed("ownINSTRUCTION_SUFFIX"), "another object");
        await client.send(put(keyed("ours")));
        await raw(keyed("oursINSTRUCTION_SUFFIX"), DOTNET_FILE);
        await send(keyed("own"));
        await send(keyed("ours"));
        expect(await fixture.keys(keyed("o"))).to.deep.equal([
          keyed("oursINSTRUCTION_SUFFIX"),
          keyed("ownINSTRUCTION_SUFFIX"),
        ]);
      });

      it("deletes no file when the object's own deletion fails", async () => {
        const key = keyed("kept");
        await client.send(put(key, "content"));
        fixture.server.faults.add({ operation: name, status: 403, code: "AccessDenied", times: 1 });
        await errorOf(send(key));
        await expectBoth(key, "content");
      });

      it("sends nothing for a file that is not there, as for a key that leaves no room for one", async () => {
        const single = fixture.client();
        const long = keyed("k").padEnd(1020, "k");
        await single.send(put(keyed("a.pdf")));
        await single.send(put(long));
        denied("DeleteObject", /\.instruction$/);
        await (name === "DeleteObject"
          ? single.send(deletes(keyed("a.pdf")))
          : single.send(deletesAll({ Key: keyed("a.pdf") })));
        await (name === "DeleteObject" ? single.send(deletes(long)) : single.send(deletesAll({ Key: long })));
        expect(await fixture.keys(keyed("a.pdf"))).to.deep.equal([]);
        expect(await fixture.keys(long)).to.deep.equal([]);
        expect(asked().filter((line) => line.includes(`${long}.`))).to.deep.equal([]);
      });
    });
  }

  it("says that the object is deleted when a file is not, with what S3 answered", async () => {
    await client.send(put("half"));
    denied("DeleteObject", /\.escrow$/);
    const error = await refusal(client.send(deletes("half")));
    expect(error.code).to.equal("instruction-file-failed");
    expect(error.message).to.match(/The object is deleted, but not "half\.escrow"/);
    expect(error.cause).to.have.property("name", "AccessDenied");
    if (!(error instanceof InstructionFileError)) throw new Error("not an InstructionFileError");
    expect(error.output?.$metadata.httpStatusCode).to.equal(204);
    expect(error.files.map(({ key }) => key)).to.deep.equal(["half.escrow"]);
    expect(JSON.parse(error.files[0]?.previous ?? "")).to.include({ "x-amz-w": "22" });
    expect(await fixture.keys("half")).to.deep.equal(["half.escrow"]);
  });

  it("names files that DeleteObjects could not delete among its Errors, also when the whole request fails", async () => {
    await client.send(put("many/1"));
    await client.send(put("many/2"));
    const pause = fixture.server.faults.pause({ operation: "DeleteObjects", at: "answer" });
    const deleting = client.send(deletesAll({ Key: "many/1" }, { Key: "many/2" }));
    await pause.reached;
    fixture.server.faults.add({ operation: "DeleteObjects", status: 403, code: "AccessDenied" });
    pause.release();
    const output = await deleting;
    expect(output.Deleted?.map(({ Key }) => Key)).to.deep.equal(["many/1", "many/2"]);
    expect(output.Errors?.map(({ Key, Code }) => [Key, Code])).to.have.deep.members([
      ["many/1.escrow", "AccessDenied"],
      ["many/2.escrow", "AccessDenied"],
    ]);
  });

  it("refuses more objects than S3 takes at once, before anything is asked", async () => {
    fixture.server.clearRequests();
    const keys = Array.from({ length: 1001 }, (_, index) => ({ Key: `many-${index}` }));
    const { code, message } = await refusal(client.send(deletesAll(...keys)));
    expect([code, message]).to.deep.equal([
      "invalid-argument",
      "DeleteObjects takes 1000 objects at most, and was given 1001: send several. Nothing was deleted.",
    ]);
    expect(fixture.server.requests).to.deep.equal([]);
  });

  it("leaves the files of those that DeleteObjects does not delete", async () => {
    await client.send(put("stays/1", "content"));
    await client.send(put("stays/2"));
    const Objects = [{ Key: "stays/1", ETag: '"0123"' }, { Key: "stays/2" }];
    const { Errors } = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    expect(Errors?.map(({ Key }) => Key)).to.deep.equal(["stays/1"]);
    await expectBoth("stays/1", "content");
    expect(await fixture.keys("stays/")).to.deep.equal(["stays/1", "stays/1.escrow"]);
  });

  it("does not look for files that DeleteObjects is told to delete anyway", async () => {
    await client.send(put("prefix/k"));
    fixture.server.clearRequests();
    await client.send(deletesAll({ Key: "prefix/k" }, { Key: "prefix/k.escrow" }));
    expect(asked()).not.to.include("GetObject prefix/k.escrow");
    expect(await fixture.keys("prefix/")).to.deep.equal([]);
  });

  it("sends a code of multi-factor authentication once", async () => {
    await client.send(put("mfa"));
    await client.send(put("mfa-2"));
    fixture.server.clearRequests();
    const MFA = "serial 123456";
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "mfa", MFA }));
    await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects: [{ Key: "mfa-2" }] }, MFA }));
    const sent = fixture.server.requests.filter(({ operation }) => operation.startsWith("Delete"));
    expect(sent.map(({ headers }) => headers["x-amz-mfa"])).to.deep.equal([MFA, undefined, MFA, undefined]);
  });

  describe("where files may not be read", () => {
    it("deletes an object that needs none as if there were none, since S3 says the same of a missing one", async () => {
      await fixture.client().send(put("hidden"));
      denied("GetObject", /\./);
      await fixture.client().send(deletes("hidden"));
      const output = await fixture.client().send(deletesAll({ Key: "hidden" }));
      expect(output.Errors).to.equal(undefined);
      expect(asked().filter((line) => line.startsWith("Delete"))).to.deep.equal([
        "DeleteObject hidden",
        "DeleteObjects",
      ]);
    });

    it("tells of the file that an object is certain to have", async () => {
      const inFile = fixture.client({ keyring: TEST_KEYRING, ...IN_FILE });
      await inFile.send(put("needs"));
      await inFile.send(put("needs-2"));
      denied("GetObject", /\./);
      const error = await refusal(inFile.send(deletes("needs")));
      expect(error.code).to.equal("instruction-file-failed");
      expect(error.message).to.match(/deleted, but not "needs\.instruction"/);
      const { Errors } = await inFile.send(deletesAll({ Key: "needs-2" }));
      expect(Errors?.map(({ Key, Code }) => [Key, Code])).to.deep.equal([["needs-2.instruction", "AccessDenied"]]);
    });

    it("takes along what S3 has encrypted with a customer's key that the call names, and tells of it without", async () => {
      const key = { SSECustomerAlgorithm: "AES256", SSECustomerKey: randomBytes(32).toString("base64") };
      for (const Key of ["held", "held-2", "held-3"]) {
        await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: "content", ...key }));
      }
      const input = { Bucket: BUCKET, Key: "held", ...key };
      await client.send(new DeleteObjectCommand(input));
      expect(await fixture.keys("held")).to.deep.equal(["held-2", "held-2.escrow", "held-3", "held-3.escrow"]);
      const error = await refusal(client.send(deletes("held-2")));
      expect(error.code).to.equal("instruction-file-failed");
      expect(error.message).to.match(/deleted, but not "held-2\.escrow" beside it.*\(SSE-C\), name that/);
      const { Errors } = await client.send(deletesAll({ Key: "held-3" }));
      expect(Errors?.map(({ Key }) => Key)).to.deep.equal(["held-3.escrow"]);
      expect(await fixture.keys("held")).to.deep.equal(["held-2.escrow", "held-3.escrow"]);
    });

    it("takes one that was found for the one that the object is certain to have", async () => {
      await client.send(put("one-found"));
      await fixture.client({ keyring: TEST_KEYRING, ...IN_FILE }).send(put("one-found"));
      denied("GetObject", /\.escrow$/);
      await client.send(deletes("one-found"));
      expect(await fixture.keys("one-found")).not.to.include("one-found.instruction");
    });

    it("deletes them all the same when told to replace what is unknown", async () => {
      await fixture.client({ keyring: TEST_KEYRING, ...IN_FILE }).send(put("told"));
      denied("GetObject", /\./);
      const instructionFileConfig = { replaceUnknownFiles: true };
      await fixture.client({ keyring: TEST_KEYRING, instructionFileConfig }).send(deletes("told"));
      expect(await fixture.keys("told")).to.deep.equal([]);
    });

    it("deletes nothing while S3 does not answer", async () => {
      await client.send(put("busy", "content"));
      fixture.server.faults.add({ operation: "GetObject", key: "busy.escrow", status: 503 });
      await errorOf(client.send(deletes("busy")));
      fixture.server.faults.clear();
      await expectBoth("busy", "content");
    });
  });

  describe("in a bucket with versions", () => {
    before(async () => {
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await fixture.plain.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
    });

    it("asks and deletes nothing beside a version", async () => {
      const { VersionId = "" } = await client.send(put("version", "first"));
      await client.send(put("version", "second"));
      fixture.server.clearRequests();
      await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "version", VersionId }));
      expect(asked()).to.deep.equal(["DeleteObject version"]);
      const again = await client.send(put("version-2", "first"));
      await client.send(put("version-2", "second"));
      fixture.server.clearRequests();
      await client.send(deletesAll({ Key: "version-2", VersionId: again.VersionId ?? "" }));
      expect(asked()).to.deep.equal(["DeleteObjects"]);
      await expectBoth("version", "second");
      await expectBoth("version-2", "second");
    });

    it("can be undone by removing the markers of the object and of its files", async () => {
      await client.send(put("undone", "content"));
      const { DeleteMarker } = await client.send(deletes("undone"));
      expect(DeleteMarker).to.equal(true);
      const { DeleteMarkers = [] } = await fixture.plain.send(
        new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: "undone" }),
      );
      expect(DeleteMarkers.map(({ Key }) => Key)).to.deep.equal(["undone", "undone.escrow"]);
      for (const { Key, VersionId } of DeleteMarkers) {
        await fixture.plain.send(new DeleteObjectCommand({ Bucket: BUCKET, Key, VersionId }));
      }
      await expectBoth("undone", "content");
    });
  });
});
