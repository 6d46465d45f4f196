import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { DeleteObjectCommand, PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { EncryptedUpload, InstructionFileError, type S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf, retryingClient } from "./transfers.js";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const generator = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const escrow = new RawRsaKeyring({ publicKey, materialDescription: { purpose: "escrow" } });
const keyring = new MultiKeyring({ generator, children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }] });
const escrowKey = new RawRsaKeyring({ privateKey });

/** Sequences of requests between two of which another client acts or the process's network fails (docs/formats.md 2.11). */
describe("puts with instruction files", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const client = (options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient =>
    fixture.client({ keyring, ...options });
  const FILES = { wrapPlacement: "instruction-files" } as const;
  const puts = (Key: string, Body: string, more: Partial<PutObjectCommandInput> = {}): PutObjectCommand =>
    new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more });

  async function read(key: string, keys: "generator" | "escrow"): Promise<string | undefined> {
    const reader = fixture.client({ keyring: keys === "generator" ? generator : escrowKey });
    const options = keys === "escrow" ? { instructionFileSuffix: ".escrow" } : {};
    return (await reader.send(get(key), options)).Body?.transformToString();
  }
  async function expectBoth(key: string, content: string): Promise<void> {
    expect(await read(key, "generator")).to.equal(content);
    expect(await read(key, "escrow")).to.equal(content);
  }
  const requests = (key: string): string[] =>
    fixture.server.requests
      .filter((request) => request.key?.startsWith(key))
      .map(({ operation, key: asked }) => `${operation} ${asked?.slice(key.length)}`.trim());

  for (const placement of ["metadata", "instruction-files"] as const) {
    const options = { wrapPlacement: placement };
    describe(`with the generator's wrapped key in ${placement}`, () => {
      const name = (key: string): string => `${placement}/${key}`;
      // What a put over an object meets, whatever the reason: the object is stored with all of its files, or is as it was.
      const failures: Record<string, { readonly put?: Partial<PutObjectCommandInput>; readonly fault?: object }> = {
        "metadata above 2 KB": { put: { Metadata: { note: "x".repeat(2100) } } },
        "metadata that is no header": { put: { Metadata: { "a b": "c" } } },
        "metadata that is not ASCII": { put: { Metadata: { title: "漢" } } },
        "a condition that does not hold": { put: { IfNoneMatch: "*" } },
        "S3 being busy": { fault: { status: 503 } },
        "S3 failing": { fault: { status: 500 } },
        "access denied": { fault: { status: 403, code: "AccessDenied" } },
      };
      for (const [what, { put: more = {}, fault }] of Object.entries(failures)) {
        it(`leaves the object that is there readable by every key after ${what}`, async () => {
          const key = name(what);
          await client(options).send(puts(key, "old"));
          if (fault !== undefined) fixture.server.faults.add({ operation: "PutObject", key, ...fault });
          await errorOf(client(options).send(puts(key, "new", more)));
          fixture.server.faults.clear();
          await expectBoth(key, "old");
        });
      }

      it("leaves the object that is there readable by every key after a failing completion of an upload", async () => {
        const key = name("completion");
        await client(options).send(puts(key, "old"));
        fixture.server.faults.add({ operation: "CompleteMultipartUpload", key, status: 500 });
        const params = { Bucket: BUCKET, Key: key, Body: bytesOfLength(6 << 20) };
        await errorOf(new EncryptedUpload({ client: client(options), params }).done());
        await expectBoth(key, "old");
      });

      it("does the same after a completion that S3 answered with an error in a 200", async () => {
        const key = name("in-a-200");
        await client(options).send(puts(key, "old"));
        fixture.server.faults.add({ operation: "CompleteMultipartUpload", key, status: 200, code: "InternalError" });
        const params = { Bucket: BUCKET, Key: key, Body: bytesOfLength(6 << 20) };
        await errorOf(new EncryptedUpload({ client: client(options), params }).done());
        await expectBoth(key, "old");
        fixture.server.faults.clear();
        fixture.server.faults.add({
          operation: "CompleteMultipartUpload",
          key,
          status: 200,
          code: "InternalError",
          performed: true,
        });
        await new EncryptedUpload({ client: client(options), params: { ...params, Body: "new" } }).done();
        const large = bytesOfLength(6 << 20);
        await new EncryptedUpload({ client: client(options), params: { ...params, Body: large } }).done();
        const { Body } = await fixture.client({ keyring: generator }).send(get(key));
        expect(large.equals((await Body?.transformToByteArray()) ?? Buffer.of())).to.equal(true);
      });

      it("leaves the object that is there readable by every key after a streamed body that breaks off", async () => {
        const key = name("broken");
        await client(options).send(puts(key, "old"));
        async function* breaking(): AsyncGenerator<Uint8Array> {
          for (let i = 0; i < 10; i++) yield Buffer.alloc(1_000_000);
          throw new Error("The body broke.");
        }
        const Body = Readable.from(breaking());
        fixture.server.clearRequests();
        const error = await errorOf(client(options).send(put(key, Body, { ContentLength: 20_000_000 })));
        expect(error.message).to.equal("The body broke.");
        // What was not sent to its end cannot be there.
        expect(requests(key)).not.to.include("HeadObject");
        await expectBoth(key, "old");
      });

      it("stores objects and their files on a condition that holds, and leaves nothing on one that does not", async () => {
        const key = name("conditional");
        await client(options).send(puts(key, "first", { IfNoneMatch: "*" }));
        await expectBoth(key, "first");
        const failed = await errorOf(client(options).send(puts(key, "second", { IfNoneMatch: "*" })));
        expect(failed).to.have.nested.property("$metadata.httpStatusCode", 412);
        await expectBoth(key, "first");
        const absent = name("absent");
        await errorOf(client(options).send(puts(absent, "x", { IfMatch: '"0123"' })));
        expect(await fixture.keys(absent)).to.deep.equal([]);
      });

      it("takes a lost answer for success when the object is there, of a put and of a completion", async () => {
        const key = name("lost");
        fixture.server.faults.add({ operation: "PutObject", key, performed: true, times: 1 });
        const { ETag } = await client(options).send(puts(key, "small"));
        await expectBoth(key, "small");
        const [, head] = await Promise.all([undefined, fixture.plain.send(get(key))]);
        expect(ETag).to.equal(head.ETag);
        const large = bytesOfLength(6 << 20);
        fixture.server.faults.add({ operation: "CompleteMultipartUpload", key, performed: true, times: 1 });
        const upload = new EncryptedUpload({
          client: client(options),
          params: { Bucket: BUCKET, Key: key, Body: large },
        });
        expect(await upload.done()).to.include({ Bucket: BUCKET, Key: key });
        const { Body } = await fixture
          .client({ keyring: escrowKey })
          .send(get(key), { instructionFileSuffix: ".escrow" });
        expect(large.equals((await Body?.transformToByteArray()) ?? Buffer.of())).to.equal(true);
      });

      it("takes the SDK's second try of a conditional put that was stored for what it is", async () => {
        const key = name("retried");
        fixture.server.faults.add({ operation: "PutObject", key, performed: true, times: 1 });
        await retryingClient(fixture, { keyring, ...options }).send(puts(key, "stored", { IfNoneMatch: "*" }));
        await expectBoth(key, "stored");
      });

      it("takes a lost answer for success when a file has our text", async () => {
        const key = name("lost-file");
        fixture.server.faults.add({ operation: "PutObject", key: `${key}.escrow`, performed: true, times: 1 });
        await client(options).send(puts(key, "content"));
        await expectBoth(key, "content");
        fixture.server.faults.add({ operation: "PutObject", key: `${key}.escrow`, performed: true, times: 1 });
        await retryingClient(fixture, { keyring, ...options }).send(puts(key, "again"));
        await expectBoth(key, "again");
      });

      it("stores nothing, and touches no file, when it is presigned", async () => {
        const key = name("presigned");
        expect((await refusal(getSignedUrl(client(options), puts(key, "x")))).code).to.equal("unsupported-operation");
        expect(await fixture.keys(key)).to.deep.equal([]);
      });

      it("refuses a key that leaves no room for the suffix, before anything is sent", async () => {
        fixture.server.clearRequests();
        const key = name("k".repeat(1020 - name("").length));
        expect((await refusal(client(options).send(puts(key, "x")))).code).to.equal("invalid-argument");
        expect(fixture.server.requests).to.deep.equal([]);
      });

      it("ends two puts at once with an object that every key opens", async () => {
        for (const stage of ["request", "commit", "answer"] as const) {
          for (const held of ["", ".escrow", ".instruction"].slice(0, placement === "metadata" ? 2 : 3)) {
            const key = name(`two-${stage}${held}`);
            await client(options).send(puts(key, "old"));
            const pause = fixture.server.faults.pause({ operation: "PutObject", key: `${key}${held}`, at: stage });
            const a = client(options)
              .send(puts(key, "a"))
              .then(
                () => "a",
                (error: Error & { code?: string }) => error.code,
              );
            await pause.reached;
            const b = client(options)
              .send(puts(key, "b"))
              .then(
                () => "b",
                (error: Error & { code?: string }) => error.code,
              );
            const first = await b;
            pause.release();
            const outcomes = [await a, first];
            const content = (await read(key, "generator")) ?? "";
            await expectBoth(key, content);
            // Whoever was told of success has stored its object; the last one stands.
            const succeeded = outcomes.filter((outcome) => outcome === "a" || outcome === "b");
            if (succeeded.length > 0) expect(succeeded, `${stage} ${held}: ${outcomes}`).to.include(content);
          }
        }
      });
    });
  }

  describe("after the object", () => {
    it("sends the object in one request, then the file while the object stands", async () => {
      fixture.server.clearRequests();
      await client().send(puts("order", "x"));
      expect(requests("order")).to.deep.equal([
        "GetObject .instruction",
        "GetObject .escrow",
        "PutObject",
        "HeadObject",
        "PutObject .escrow",
        "HeadObject",
      ]);
      const file = fixture.server.requests.find(
        ({ operation, key }) => operation === "PutObject" && key === "order.escrow",
      );
      expect(file?.headers).to.include({ "if-none-match": "*" });
      const object = await fixture.metadata("order");
      expect((await fixture.stored("order.escrow")).metadata).to.include({ "s3ec-of": object["x-amz-i"] });
    });

    it("costs nothing without children", async () => {
      fixture.server.clearRequests();
      await fixture.client({ keyring: generator }).send(puts("single", "x"));
      expect(requests("single")).to.deep.equal(["PutObject"]);
    });

    it("says that the object is stored when a file fails, which one, and with what text", async () => {
      fixture.server.faults.add({ operation: "PutObject", key: "half.escrow", status: 403, code: "AccessDenied" });
      const error = await refusal(client().send(puts("half", "content")));
      expect(error.code).to.equal("instruction-file-failed");
      expect(error.message).to.match(/The object is stored.*"half\.escrow".*Put it again/);
      expect(error.cause).to.have.property("name", "AccessDenied");
      expect(error).to.be.instanceOf(InstructionFileError);
      const [file] = error instanceof InstructionFileError ? error.files : [];
      expect(file?.key).to.equal("half.escrow");
      expect(JSON.parse(file?.written ?? "")).to.include({ "x-amz-w": "22" });
      expect(await read("half", "generator")).to.equal("content");
      fixture.server.faults.clear();
      await client().send(puts("half", "again"));
      await expectBoth("half", "again");
    });

    it("says so of an upload too, and when it is aborted while it writes files", async () => {
      const controller = new AbortController();
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "aborted.escrow" });
      const params = { Bucket: BUCKET, Key: "aborted", Body: bytesOfLength(6 << 20) };
      const done = refusal(new EncryptedUpload({ client: client(), params, abortController: controller }).done());
      await pause.reached;
      controller.abort();
      expect((await done).code).to.equal("instruction-file-failed");
      expect(await fixture.keys("aborted")).to.deep.equal(["aborted"]);
    });

    it("lets the owner of the standing object write last: A stores, B stores with its file, A's file is refused", async () => {
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "owner.escrow", at: "commit" });
      const a = refusal(client().send(puts("owner", "a")));
      await pause.reached;
      await client().send(puts("owner", "b"));
      pause.release();
      expect(await a).to.include({ code: "content-mismatch" });
      await expectBoth("owner", "b");
    });

    it("says that the object was replaced meanwhile by a writer without children", async () => {
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "replaced.escrow", at: "answer" });
      const a = refusal(client().send(puts("replaced", "a")));
      await pause.reached;
      await fixture.client({ keyring: generator }).send(puts("replaced", "b"));
      pause.release();
      expect((await a).message).to.match(/replaced or deleted meanwhile/);
    });

    it("begins anew when somebody wrote to the file after it was read", async () => {
      await client().send(puts("anew", "old"));
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "anew", at: "request" });
      const a = client().send(puts("anew", "new"));
      await pause.reached;
      await fixture.plain.send(put("anew.escrow", "{}"));
      pause.release();
      await a;
      await expectBoth("anew", "new");
    });

    it("removes what an earlier put left: of a child that is missing now, and of the placement before", async () => {
      await client(FILES).send(puts("left", "old"));
      expect(await fixture.keys("left")).to.deep.equal(["left", "left.escrow", "left.instruction"]);
      const { S3EncryptionError } = await import("@s3ec/materials");
      const down = {
        wrapAlgorithms: escrow.wrapAlgorithms,
        onEncrypt: () => Promise.reject(new S3EncryptionError("key-unavailable", "down")),
        onDecrypt: () => Promise.resolve(null),
      };
      const without = new MultiKeyring({
        generator,
        children: [{ keyring: down, instructionFileSuffix: ".escrow" }],
        allowMissingChildren: () => {},
      });
      await client({ keyring: without }).send(puts("left", "new"));
      expect(await fixture.keys("left")).to.deep.equal(["left"]);
    });

    it("removes a stale file only while it is what was read", async () => {
      await client(FILES).send(puts("changed", "old"));
      const pause = fixture.server.faults.pause({ operation: "DeleteObject", key: "changed.instruction" });
      const sent = client().send(puts("changed", "new"));
      await pause.reached;
      await fixture.plain.send(put("changed.instruction", "another's"));
      pause.release();
      await sent;
      expect((await fixture.stored("changed.instruction")).body.toString()).to.equal("another's");
    });

    it("leaves files without our mark, which may be anybody's, and names a stale one that it may not remove", async () => {
      await fixture.plain.send(put("foreign.instruction", "a note"));
      await client().send(puts("foreign", "x"));
      expect(await fixture.keys("foreign")).to.include("foreign.instruction");
      await client(FILES).send(puts("stale", "old"));
      fixture.server.faults.add({ operation: "DeleteObject", key: "stale.instruction", status: 403 });
      const error = await refusal(client().send(puts("stale", "new")));
      expect(error.code).to.equal("instruction-file-failed");
      expect(error.message).to.match(/"stale\.instruction".*could not be removed/);
      await expectBoth("stale", "new");
    });

    it("creates a file that may not be looked at, where S3 does not say whether there is one", async () => {
      // Without s3:ListBucket, S3 answers 403 for what is not there.
      fixture.server.faults.add({ operation: "GetObject", key: /^unlisted\./, status: 403, code: "AccessDenied" });
      await client().send(puts("unlisted", "x"));
      fixture.server.faults.add({ operation: "GetObject", key: /^unlisted\./, status: 403, code: "AccessDenied" });
      const error = await refusal(client().send(puts("unlisted", "y")));
      expect(error.code).to.equal("instruction-file-failed");
      expect(error.message).to.match(/may not be read.*replaceUnknownFiles/);
      await client({ instructionFileConfig: { replaceUnknownFiles: true } }).send(puts("unlisted", "z"));
      fixture.server.faults.clear();
      await expectBoth("unlisted", "z");
    });
  });

  describe("before the object", () => {
    it("repairs the pair when another put's file came between: A's file, B's file, B's object, A's object", async () => {
      await client(FILES).send(puts("crossed", "old"));
      const a = fixture.server.faults.pause({ operation: "PutObject", key: "crossed", at: "request" });
      const putA = client(FILES).send(puts("crossed", "a"));
      await a.reached;
      // B does not look at marks: an earlier release, or one that was told not to.
      await client({ ...FILES, instructionFileConfig: { replaceUnknownFiles: true } }).send(puts("crossed", "b"));
      a.release();
      await putA;
      await expectBoth("crossed", "a");
    });

    it("looks again at what it has put again, until the pair is its own", async () => {
      await client(FILES).send(puts("again", "old"));
      const object = fixture.server.faults.pause({ operation: "PutObject", key: "again", at: "request" });
      const sent = client(FILES).send(puts("again", "new"));
      await object.reached;
      await fixture.plain.send(put("again.instruction", "{}"));
      const file = fixture.server.faults.pause({ operation: "PutObject", key: "again.instruction", at: "answer" });
      object.release();
      await file.reached;
      await fixture.plain.send(put("again.instruction", "[]"));
      file.release();
      await sent;
      await expectBoth("again", "new");
    });

    it("puts nothing back beside another's object, nor what was of another put", async () => {
      const mark = async (key: string): Promise<string | undefined> =>
        (await fixture.stored(`${key}.instruction`)).metadata["s3ec-of"];
      await client(FILES).send(puts("gone", "old"));
      const before = await mark("gone");
      const { ETag } = await fixture.plain.send(get("gone"));
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "gone", at: "commit" });
      const sent = errorOf(client(FILES).send(puts("gone", "new", { IfMatch: ETag })));
      await pause.reached;
      await fixture.client({ keyring: generator }).send(puts("gone", "another's"));
      pause.release();
      await sent;
      expect(await mark("gone")).not.to.equal(before);

      await client(FILES).send(puts("cut-off", "old"));
      const foreign = await fixture.stored("gone.instruction");
      await fixture.server.putRawObject(BUCKET, "cut-off.instruction", foreign);
      fixture.server.faults.add({ operation: "PutObject", key: "cut-off", status: 403 });
      const told = client({ ...FILES, instructionFileConfig: { replaceUnknownFiles: true } });
      await errorOf(told.send(puts("cut-off", "new")));
      expect(await mark("cut-off")).not.to.equal(foreign.metadata["s3ec-of"]);
    });

    it("refuses over files of a put that is under way or has broken off, unless told otherwise", async () => {
      await client(FILES).send(puts("cut", "old"));
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "cut", at: "request" });
      const cut = client(FILES).send(puts("cut", "a"));
      await pause.reached;
      const error = await refusal(client(FILES).send(puts("cut", "b")));
      expect(error.code).to.equal("unsupported-operation");
      expect(error.message).to.match(/another put is under way, or one has broken off/);
      pause.release();
      await cut;
      await expectBoth("cut", "a");
    });

    it("puts nothing back while the put may still arrive, and hands out the text of both files", async () => {
      await client(FILES).send(puts("late", "old"));
      const { ETag } = await fixture.plain.send(get("late"));
      const before = (await fixture.stored("late.instruction")).body.toString();
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "late", at: "commit" });
      const controller = new AbortController();
      const sent = refusal(client(FILES).send(puts("late", "new"), { abortSignal: controller.signal }));
      await pause.reached;
      controller.abort();
      const error = await sent;
      expect(error.code).to.equal("outcome-unknown");
      expect(error.message).to.match(/cannot be told.*"late\.instruction"/);
      const files = error instanceof InstructionFileError ? error.files : [];
      const file = files.find(({ key }) => key === "late.instruction");
      expect(file?.previous).to.equal(before);
      expect(file?.written).to.equal((await fixture.stored("late.instruction")).body.toString());
      // It lands; had the files gone back, nobody could read it.
      pause.release();
      while ((await fixture.plain.send(get("late"))).ETag === ETag);
      await expectBoth("late", "new");
    });

    it("says that the files could not be put back", async () => {
      await client(FILES).send(puts("stuck", "old"));
      fixture.server.faults.add({ operation: "PutObject", key: "stuck", status: 403, code: "AccessDenied" });
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "stuck.escrow" });
      const sent = refusal(client(FILES).send(puts("stuck", "new")));
      await pause.reached;
      fixture.server.faults.add({ operation: "HeadObject", key: "stuck", status: 403 });
      pause.release();
      const error = await sent;
      expect(error.code).to.equal("outcome-unknown");
      expect(error.message).to.match(/not stored.*could not be put back/);
    });

    it("leaves another's object and files alone that came meanwhile", async () => {
      await client(FILES).send(puts("other", "old"));
      const pause = fixture.server.faults.pause({ operation: "PutObject", key: "other", at: "commit" });
      const a = errorOf(
        client(FILES).send(puts("other", "a", { IfMatch: (await fixture.plain.send(get("other"))).ETag })),
      );
      await pause.reached;
      await client().send(puts("other", "b"));
      pause.release();
      expect(await a).to.have.nested.property("$metadata.httpStatusCode", 412);
      await expectBoth("other", "b");
    });

    it("writes V2 children only by a switch of that name, in either place (S19)", async () => {
      const commitmentPolicy = "FORBID_ENCRYPT_ALLOW_DECRYPT";
      for (const wrapPlacement of ["metadata", "instruction-files"] as const) {
        const key = `v2/${wrapPlacement}`;
        const refused = await refusal(client({ commitmentPolicy, wrapPlacement }).send(puts(key, "x")));
        expect(refused.message).to.match(/enableUncommittedChildren/);
        await client({ commitmentPolicy, wrapPlacement, enableUncommittedChildren: true }).send(puts(key, "x"));
        for (const [own, suffix] of [
          [generator, undefined],
          [escrowKey, ".escrow"],
        ] as const) {
          const reader = fixture.client({ keyring: own, commitmentPolicy });
          const { Body } = await reader.send(get(key), suffix === undefined ? {} : { instructionFileSuffix: suffix });
          expect(await Body?.transformToString()).to.equal("x");
        }
        await client({ commitmentPolicy, wrapPlacement, enableUncommittedChildren: true }).send(puts(key, "y"));
      }
    });
  });

  it("asks after a single put whose answer was lost, and says what S3 said when it was not stored", async () => {
    const single = fixture.client({ keyring: generator });
    fixture.server.faults.add({ operation: "PutObject", key: "alone", performed: true, times: 1 });
    await single.send(puts("alone", "x"));
    expect(await read("alone", "generator")).to.equal("x");
    fixture.server.faults.add({ operation: "PutObject", key: "alone", status: 503, times: 1 });
    expect(await errorOf(single.send(puts("alone", "y")))).to.have.nested.property("$metadata.httpStatusCode", 503);
    await fixture.plain.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "alone" }));
  });

  it("refuses metadata that S3 would refuse, saying how much the envelope needs", async () => {
    const error = await refusal(client().send(puts("large", "x", { Metadata: { note: "x".repeat(1900) } })));
    expect(error.code).to.equal("invalid-argument");
    expect(error.message).to.match(/2048 bytes of metadata.*the envelope needs \d{3}, and yours has 1904/);
    const accent = await refusal(client().send(puts("accent", "x", { Metadata: { title: "Grüße" } })));
    expect(accent.message).to.match(/ASCII/);
    const mark = await refusal(client().send(puts("mark", "x", { Metadata: { "X-Amz-Mine": "x" } })));
    expect(mark.message).to.match(/reserved/);
  });
});
