import {
  CopyObjectCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectAnnotationsCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { plainClientOf } from "../dist/plain-client.js";
import { type KeepOptions, type KeptObject, readKept } from "../dist/restate/kept-object.js";
import { AllowedLosses } from "../dist/restate/losses.js";
import { type RestatedObject, type Restatement, restateObject } from "../dist/restate/restate-object.js";
import { lockOf } from "../dist/restate/stored-lock.js";
import { BUCKET, Fixture, refusal } from "./fixture.js";
import { createLocked, described, PROPERTIES } from "./kept-properties.js";
import { errorOf } from "./transfers.js";

const Key = "folder/a b+é";
const NEW = { "x-amz-w": "12", "x-amz-3": "the new envelope" };
/** As of AWS, at a pace that tests may have: what they store is as old as it has to be. */
const ON_AWS = { checksTarget: true, settleTime: 0 } as const;
const LONG_AGO = new Date(Date.now() - 60_000);

/** A client whose store never sees a header. */
function carelessAbout(fixture: Fixture, header: string): S3Client {
  const client = fixture.track(new S3Client({ ...fixture.server.clientConfig, maxAttempts: 1 }));
  client.middlewareStack.add(
    (next) => async (args) => {
      const headers: unknown = Reflect.get(args.request as object, "headers");
      Reflect.deleteProperty(headers as object, header);
      return next(args);
    },
    { step: "build", name: "careless" },
  );
  return plainClientOf(client);
}

describe("an object restated", () => {
  let fixture: Fixture;
  let s3: S3Client;
  let retrying: S3Client;
  before(async () => {
    fixture = await Fixture.start();
    s3 = plainClientOf(fixture.plain);
    retrying = plainClientOf(fixture.track(new S3Client({ ...fixture.server.clientConfig, maxAttempts: 3 })));
    await createLocked(s3);
  });
  after(() => fixture.close());
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => fixture.server.faults.clear());

  const put = (more: Partial<PutObjectCommandInput> = {}) =>
    s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: "content", ...more }));
  const head = (more: object = {}) => s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ...more }));
  const kept = (options: KeepOptions = {}, more: object = {}): Promise<KeptObject> =>
    readKept(s3, { Bucket: BUCKET, Key, ...more }, { ...ON_AWS, ...options });
  async function restate(options: KeepOptions = {}, more: object = {}): Promise<RestatedObject> {
    const object = await kept(options, more);
    return restateObject(s3, object, renewed(object), { ...ON_AWS, ...options });
  }
  const renewed = ({ metadata }: KeptObject, own: Record<string, string> = NEW): Restatement => ({
    metadata: { ...metadata, ...own },
    own,
  });
  /** Long ago, so that what is done now has another time. */
  const seed = (more: object = {}) =>
    fixture.server.putRawObject(BUCKET, Key, {
      body: "content",
      metadata: { "x-amz-3": "the old envelope", mine: "1" },
      modified: LONG_AGO,
      ...more,
    });
  const wrote = (): number =>
    fixture.server.requests.filter(({ operation }) => !/^(?:Get|Head|List)/.test(operation)).length;

  describe("keeps", () => {
    for (const [what, properties, options = {}, more = {}] of PROPERTIES) {
      it(what, async () => {
        await put(properties);
        const at = { Bucket: BUCKET, Key, ...more };
        const before = await described(s3, at, more);
        const { head: now, changed } = await restate(options, more);
        expect(await described(s3, at, more)).to.deep.equal(before);
        expect(now.Metadata).to.include(NEW);
        const versioned = "Bucket" in more ? ["version-id"] : [];
        const named = options.allowLoss ?? [];
        expect(changed).to.deep.equal(["last-modified", ...versioned, ...named]);
      });
    }

    it("a lock that by the store's clock still holds, whatever is the time here", async () => {
      const [date, now] = [new Date(Date.now() - 7_200_000), new Date()];
      const ObjectLockRetainUntilDate = new Date(now.getTime() - 3_600_000);
      const lock = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate } as const;
      const head = { ...lock, ObjectLockLegalHoldStatus: "OFF", $metadata: {} } as const;
      const lockAt = (time: Date) => lockOf(s3, { Bucket: BUCKET, Key }, { head, date: time }, new AllowedLosses(), {});
      expect(await lockAt(date)).to.deep.equal(lock);
      expect(await lockAt(now)).to.deep.equal({});
    });

    it("annotations", async () => {
      await put();
      const at = { Bucket: BUCKET, Key };
      await s3.send(new PutObjectAnnotationCommand({ ...at, AnnotationName: "note", AnnotationPayload: "a text" }));
      await restate();
      const { Annotations = [] } = await s3.send(new ListObjectAnnotationsCommand(at));
      expect(Annotations.map(({ AnnotationName }) => AnnotationName)).to.deep.equal(["note"]);
    });

    it("metadata that S3 has encoded, as it was sent", async () => {
      await seed({ metadata: { name: "Müller", long: "漢字".repeat(40), word: "=?UTF-8?B?eA==?=" } });
      const before = (await head()).Metadata;
      await restate();
      expect((await head()).Metadata).to.deep.equal({ ...before, ...NEW });
    });

    it("what a bucket encrypts with by default now out of an object that was stored before", async () => {
      await put({ ServerSideEncryption: "AES256" });
      await restate();
      const [request] = fixture.server.requests.filter(({ operation }) => operation === "CopyObject");
      expect(request?.headers).to.include({ "x-amz-server-side-encryption": "AES256" });
    });
  });

  it("names that it has another owner, as far as that may be known", async () => {
    await put();
    const theirs = plainClientOf(fixture.track(new S3Client({ ...fixture.server.clientConfig, maxAttempts: 1 })));
    let asked = 0;
    theirs.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const result = await next(args);
          if (commandName === "GetObjectAclCommand") Reflect.set(result.output, "Owner", { ID: `account-${asked++}` });
          return result;
        },
      { step: "initialize", name: "owners" },
    );
    const object = await readKept(theirs, { Bucket: BUCKET, Key }, ON_AWS);
    const { changed } = await restateObject(theirs, object, renewed(object), ON_AWS);
    expect([asked, changed]).to.deep.equal([2, ["last-modified", "owner"]]);
    const again = await kept(ON_AWS);
    fixture.server.faults.add({ operation: "GetObjectAcl", status: 403, code: "AccessDenied" });
    const done = await restateObject(s3, again, renewed(again, { "x-amz-3": "another" }), ON_AWS);
    expect(done.changed).to.deep.equal(["last-modified"]);
  });

  describe("is refused before anything is written, unless that is allowed by name, where", () => {
    const deny = (operation: string) =>
      fixture.server.faults.add({ operation, status: 403, code: "AccessDenied", times: 1 });
    const CASES = [
      [
        "missing-metadata",
        "S3 has metadata that it cannot give out",
        () => seed({ headers: { "x-amz-missing-meta": "2" } }),
      ],
      ["expires", "Expires is no date", () => seed({ headers: { expires: "never" } })],
      ["kms-context", "S3 encrypts with KMS", () => put({ ServerSideEncryption: "aws:kms" })],
      ["lock", "its retention may not be read", () => seed(), "GetObjectRetention"],
      ["lock", "its legal hold may not be read", () => seed(), "GetObjectLegalHold"],
      ["acl", "its access control list may not be read", () => seed(), "GetObjectAcl"],
    ] as const;
    for (const [loss, where, store, denied] of CASES) {
      it(where, async () => {
        await store();
        fixture.server.clearRequests();
        if (denied !== undefined) deny(denied);
        const error = await refusal(restate());
        expect(error.code).to.equal("unsupported-operation");
        expect(error.message).to.include(`allowLoss: ["${loss}"]`);
        expect(wrote()).to.equal(0);
        if (denied !== undefined) deny(denied);
        const { changed } = await restate({ allowLoss: [loss] });
        expect(changed).to.include(loss);
      });
    }

    it("it is archived, which nobody can allow", async () => {
      await put({ StorageClass: "DEEP_ARCHIVE" });
      const error = await refusal(restate());
      expect(error.message).to.match(/archived \(DEEP_ARCHIVE\).*restore it first/);
      await seed({ headers: { "x-amz-restore": 'ongoing-request="true"', "x-amz-storage-class": "GLACIER" } });
      expect((await refusal(kept())).message).to.match(/archived \(GLACIER\)/);
      const restored = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2040 00:00:00 GMT"';
      await seed({ headers: { "x-amz-restore": restored, "x-amz-storage-class": "GLACIER" } });
      expect((await kept()).restated.StorageClass).to.equal("GLACIER");
    });

    it("the new envelope does not fit", async () => {
      await seed({ metadata: { mine: "1".repeat(1900) } });
      const object = await kept();
      const error = await refusal(restateObject(s3, object, renewed(object, { "x-amz-3": "2".repeat(200) }), ON_AWS));
      expect([error.code, wrote()]).to.deep.equal(["invalid-argument", 0]);
    });

    it("the option is no list of names, or no time", async () => {
      await seed();
      expect((await refusal(kept({ allowLoss: ["everything"] as never }))).message).to.match(/allowLoss.*"acl"/);
      expect((await refusal(kept({ settleTime: Number.NaN }))).message).to.match(/settleTime/);
    });

    it("its tag can be no condition", async () => {
      await seed();
      const object = await kept();
      const weak = { ...object, seen: { ...object.seen, head: { ...object.seen.head, ETag: 'W/"1"' } } };
      expect((await refusal(restateObject(s3, weak, renewed(object), ON_AWS))).message).to.match(/strong entity tag/);
    });
  });

  it("is seen as unlocked where the store has neither locks nor lists, and fails where S3 does", async () => {
    await seed();
    for (const operation of ["GetObjectRetention", "GetObjectLegalHold", "GetObjectAcl"]) {
      fixture.server.faults.add({ operation, status: 501, code: "NotImplemented", times: 1 });
    }
    await restate();
    fixture.server.faults.add({ operation: "GetObjectAcl", status: 500, code: "InternalError", times: 1 });
    expect(await errorOf(restate())).to.have.property("name", "InternalError");
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    expect(await errorOf(restate())).to.have.property("name", "NoSuchKey");
  });

  it("waits until the store's clock tells a change from what was read", async () => {
    await put();
    const began = Date.now();
    await kept({ settleTime: 1000 });
    const heads = fixture.server.requests.filter(({ operation }) => operation === "HeadObject");
    expect(heads.length).to.be.greaterThan(1);
    const { LastModified } = await head();
    expect(Date.now()).to.be.at.least((LastModified?.getTime() ?? began) + 1000);
  });

  describe("while others write it", () => {
    const other = { "x-amz-3": "another envelope" };
    const replace = (metadata: Record<string, string>) =>
      s3.send(
        new CopyObjectCommand({
          Bucket: BUCKET,
          Key,
          CopySource: `${BUCKET}/${encodeURIComponent(Key)}`,
          MetadataDirective: "REPLACE",
          Metadata: metadata,
        }),
      );
    /** Restates it, and has something done while a request of that is held. */
    async function during(
      held: Parameters<typeof fixture.server.faults.pause>[0],
      work: () => Promise<unknown>,
      options: KeepOptions = {},
    ): Promise<Error> {
      const object = await kept(options);
      const pause = fixture.server.faults.pause({ key: Key, ...held });
      const restating = errorOf(restateObject(s3, object, renewed(object), { ...ON_AWS, ...options }));
      await pause.reached;
      await work();
      pause.release();
      return restating;
    }
    const content = async () => (await fixture.stored(Key)).body.toString();

    for (const checksTarget of [true, false]) {
      const options = { checksTarget };
      describe(checksTarget ? "in S3 of AWS" : "elsewhere", () => {
        it("is not written over one that was put after it was read", async () => {
          await seed();
          const error = await during({ operation: "CopyObject" }, () => put({ Body: "newer" }), options);
          expect(error).to.have.property("code", "content-mismatch");
          expect([await content(), await fixture.metadata(Key)]).to.deep.equal(["newer", {}]);
        });

        it("is not written over one that is put while S3 copies it, where S3 checks that", async () => {
          await seed();
          const held = { operation: "CopyObject", at: "commit" } as const;
          const error = await during(held, () => put({ Body: "newer" }), options);
          expect(error).to.have.property("code", "content-mismatch");
          expect(await content()).to.equal("newer");
        });

        it("does not bring back one that was deleted", async () => {
          await seed();
          const error = await during(
            { operation: "CopyObject" },
            () => s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key })),
            options,
          );
          expect(error).to.be.an("error");
          expect(await fixture.keys(Key)).to.deep.equal([]);
        });

        it("is no success when an older envelope is put back behind it", async () => {
          await seed();
          const error = await during(
            { operation: "HeadObject" },
            () => replace({ "x-amz-3": "the old envelope" }),
            options,
          );
          expect(error).to.have.property("code", "content-mismatch");
          expect(await fixture.metadata(Key)).to.deep.equal({ "x-amz-3": "the old envelope" });
        });
      });
    }

    it("gives way to another restatement of the same content, whose tag is the same", async () => {
      await seed();
      const error = await during({ operation: "CopyObject" }, async () => {
        const theirs = await kept();
        await restateObject(s3, theirs, renewed(theirs, other), ON_AWS);
      });
      expect(error).to.have.property("code", "content-mismatch");
      expect(await fixture.metadata(Key)).to.include(other);
    });

    it("gives way to a change of metadata, and is not undone by one that was prepared before it", async () => {
      await seed();
      const error = await during({ operation: "CopyObject" }, () =>
        replace({ "x-amz-3": "the old envelope", mine: "2" }),
      );
      expect(error).to.have.property("code", "content-mismatch");
      await seed();
      const prepared = await kept();
      await restate();
      const late = await refusal(restateObject(s3, prepared, renewed(prepared, { mine: "2" }), ON_AWS));
      expect(late.code).to.equal("content-mismatch");
      expect(await fixture.metadata(Key)).to.include(NEW);
    });

    it("says that others wrote behind it, when that shows only at the second look", async () => {
      await seed();
      const object = await kept();
      const restating = errorOf(restateObject(s3, object, renewed(object), { ...ON_AWS, settleTime: 50 }));
      const first = fixture.server.faults.pause({ operation: "HeadObject", key: Key, at: "answer" });
      await first.reached;
      const second = fixture.server.faults.pause({ operation: "HeadObject", key: Key });
      first.release();
      await second.reached;
      await replace(other);
      second.release();
      expect(await restating).to.have.property("code", "content-mismatch");
    });

    it("names what a store can lose that does not check the target, and never mixes content and envelope", async () => {
      await seed();
      const { changed } = await restate({ checksTarget: false });
      expect(changed).to.include("unpinned-metadata");
      expect((await restate()).changed).not.to.include("unpinned-metadata");
      // As versitygw does, which drops the condition without a word.
      const careless = carelessAbout(fixture, "if-match");
      await seed();
      const object = await kept({ checksTarget: false });
      const pause = fixture.server.faults.pause({ operation: "CopyObject", key: Key });
      const restating = errorOf(
        restateObject(careless, object, renewed(object), { checksTarget: false, settleTime: 0 }),
      );
      await pause.reached;
      await put({ Body: "newer" });
      pause.release();
      expect(await restating).to.have.property("code", "content-mismatch");
      expect([await content(), await fixture.metadata(Key)]).to.deep.equal(["newer", {}]);
    });
  });

  describe("with an answer that was lost", () => {
    it("is a success when what stands is ours, also where a second try was refused", async () => {
      for (const client of [s3, retrying]) {
        await seed();
        const object = await kept();
        fixture.server.faults.add({ operation: "CopyObject", performed: true, times: 1 });
        const { head: now } = await restateObject(client, object, renewed(object), ON_AWS);
        expect(now.Metadata).to.include(NEW);
      }
    });

    it("is unknown when what stands is not ours, since it may still come", async () => {
      await seed();
      fixture.server.faults.add({ operation: "CopyObject", cutAfterBytes: 0, times: 1 });
      expect((await refusal(restate())).code).to.equal("outcome-unknown");
      expect(await fixture.metadata(Key)).to.include({ "x-amz-3": "the old envelope" });
    });

    it("is a failure when S3 says so, with a 200 too", async () => {
      await seed();
      fixture.server.faults.add({ operation: "CopyObject", status: 200, code: "InternalError", times: 1 });
      expect(await errorOf(restate())).to.have.property("name", "InternalError");
      fixture.server.faults.add({ operation: "CopyObject", status: 403, code: "AccessDenied", times: 1 });
      expect(await errorOf(restate())).to.have.property("name", "AccessDenied");
      expect(await fixture.metadata(Key)).to.include({ "x-amz-3": "the old envelope" });
    });
  });

  it("is stopped by the caller's signal", async () => {
    await seed();
    const abortion = new AbortController();
    abortion.abort();
    expect(await errorOf(kept({ abortSignal: abortion.signal }))).to.have.property("name", "AbortError");
    const object = await kept();
    const late = new AbortController();
    const restating = errorOf(
      restateObject(s3, object, renewed(object), { ...ON_AWS, settleTime: 60_000, abortSignal: late.signal }),
    );
    const looked = fixture.server.faults.pause({ operation: "HeadObject", key: Key, at: "answer" });
    await looked.reached;
    looked.release();
    setTimeout(() => late.abort(), 20);
    expect(await restating).to.have.property("name", "AbortError");
    expect(await fixture.metadata(Key)).to.include(NEW);
  });
});
