import { generateKeyPairSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import {
  addRecipientToObjects,
  envelopeFilter,
  listObjects,
  migrateObjects,
  RewriteTotals,
  type RewrittenObject,
  removeRecipientFromObjects,
  rewrapObjects,
} from "@s3ec/bulk";
import { addRecipient, listRecipients } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { BUCKET, BulkFixture, former, numbered, renewed } from "./bulk-fixture.js";
import { dyingClient } from "./dying-client.js";
import { gathered, refusal } from "./gathered.js";

const Bucket = BUCKET;
const recipient = "partner";
const PLACES = ["annotation", "instruction-file"] as const;
type Options = Partial<Parameters<typeof addRecipientToObjects>[2]>;

describe("a recipient of many objects", () => {
  let fixture: BulkFixture;
  beforeEach(async () => {
    fixture = await BulkFixture.start();
  });
  afterEach(() => fixture.close());
  const listed = (client: S3Client, options: object = {}) => listObjects(client, { Bucket, ...options });
  const add = async (options: Options = {}, client: S3Client = fixture.client()): Promise<RewrittenObject[]> =>
    await gathered(
      addRecipientToObjects(client, listed(client), { Bucket, recipient, to: { keyring: renewed }, ...options }),
    );
  const remove = async (options: Options = {}, client: S3Client = fixture.client()): Promise<RewrittenObject[]> => {
    const { to: _, in: __, verify: ___, ...rest } = options;
    return await gathered(removeRecipientFromObjects(client, listed(client), { Bucket, recipient, ...rest }));
  };
  const addOthersFile = async (Key: string): Promise<void> => {
    const to = { keyring: renewed };
    await addRecipient(fixture.client(), { Bucket, Key, recipient: "other", in: "instruction-file", to });
  };
  const outcomes = (results: readonly RewrittenObject[]) => results.map(({ outcome }) => outcome);
  const readers = async (Key: string): Promise<string[]> =>
    (await listRecipients(fixture.client(), { Bucket, Key })).recipients.map((each) => each.recipient);
  const readsAll = async (keys: readonly string[]): Promise<void> => {
    for (const key of keys) expect(await fixture.read(key, { keyring: renewed }), key).to.equal(`content of ${key}`);
  };

  for (const place of PLACES) {
    it(`is added once, is there for a second run, and is removed once (${place})`, async () => {
      const keys = numbered(5);
      await fixture.put(keys);
      await fixture.plain.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "plain" }));
      const options = { in: place };
      const planned = await add({ ...options, dryRun: true });
      expect(outcomes(planned)).to.deep.equal([...keys.map(() => "planned"), "skipped"]);
      expect(fixture.changes().filter((key) => key.startsWith("o/")).length).to.equal(keys.length);
      const added = await add(options);
      expect(outcomes(added)).to.deep.equal([...keys.map(() => "added"), "skipped"]);
      expect(added[0]?.wraps?.[0]).to.deep.include({ wrapAlgorithm: "AES/GCM", verified: "envelope" });
      for (const key of keys) expect(await readers(key)).to.deep.equal([recipient]);
      fixture.server.clearRequests();
      const again = outcomes(await add(options));
      const beside = place === "annotation" ? [] : keys.map(() => "skipped");
      expect(again.filter((outcome) => outcome === "current")).to.have.lengthOf(keys.length);
      expect(again.filter((outcome) => outcome === "skipped")).to.have.lengthOf(1 + beside.length);
      expect(fixture.changes()).to.deep.equal([]);
      expect(outcomes(await remove({ dryRun: true })).slice(0, 1)).to.deep.equal(["planned"]);
      expect(fixture.changes()).to.deep.equal([]);
      const removed = await remove();
      expect(removed.filter(({ outcome }) => outcome === "removed").map(({ Key }) => Key)).to.deep.equal(keys);
      expect(removed[0]?.removed).to.have.lengthOf(1);
      for (const key of keys) expect(await readers(key)).to.deep.equal([]);
      expect(outcomes(await remove())).to.deep.equal([...keys.map(() => "current"), "skipped"]);
    });

    for (const last of ["unsent", "unanswered"] as const) {
      it(`is added by a second run wherever the first one died, once (${place}, ${last})`, async () => {
        let isDone = false;
        let tried = 0;
        for (let most = 1; !isDone; most++) {
          const key = `k${most}`;
          await fixture.put([key]);
          const journal = { path: join(fixture.folder, `journal-${most}`), target: "partner" };
          const run = async (client: S3Client) =>
            await gathered(
              addRecipientToObjects(client, only(key), {
                Bucket,
                recipient,
                in: place,
                to: { keyring: renewed },
                journal,
              }),
            );
          const dying = dyingClient(fixture, { keyring: former }, { most, last });
          const [first] = await run(dying.client);
          isDone = first?.outcome === "added" && dying.sent.length < most;
          const [second] = await run(fixture.client());
          expect(second?.outcome, `${most} ${dying.sent.at(-1)} ${second?.problem}`).to.be.oneOf(["added", "current"]);
          expect(await readers(key), String(most)).to.deep.equal([recipient]);
          fixture.server.clearRequests();
          const [third] = await run(fixture.client());
          expect(third?.outcome).to.equal("current");
          expect(third?.problem).to.contain("The journal says");
          expect(fixture.changes()).to.deep.equal([]);
          tried += 1;
        }
        expect(tried).to.be.greaterThan(5);
      });

      it(`is removed by a second run wherever the first one died (${place}, ${last})`, async () => {
        let isDone = false;
        for (let most = 1; !isDone; most++) {
          const key = `k${most}`;
          await fixture.put([key]);
          await addRecipient(fixture.client(), { Bucket, Key: key, recipient, in: place, to: { keyring: renewed } });
          const journal = { path: join(fixture.folder, `journal-${most}`), target: "partner" };
          const run = async (client: S3Client) =>
            await gathered(removeRecipientFromObjects(client, only(key), { Bucket, recipient, journal }));
          const dying = dyingClient(fixture, { keyring: former }, { most, last });
          const [first] = await run(dying.client);
          isDone = first?.outcome === "removed" && dying.sent.length < most;
          const [second] = await run(fixture.client());
          expect(second?.outcome, `${most} ${dying.sent.at(-1)}`).to.be.oneOf(["removed", "current"]);
          expect(await readers(key)).to.deep.equal([]);
          expect(await fixture.read(key)).to.equal(`content of ${key}`);
        }
      });
    }
  }

  it("by another key is refused under the same name, and nothing of it is replaced", async () => {
    const other = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: "other" } });
    for (const place of PLACES) {
      const Key = `of/${place}`;
      await fixture.put([Key]);
      await addRecipient(fixture.client(), { Bucket, Key, recipient, in: place, to: { keyring: other } });
      const before = (await listRecipients(fixture.client(), { Bucket, Key })).recipients;
      const objects = only(Key);
      const client = fixture.client();
      const one = { Bucket, recipient, in: place, to: { keyring: renewed } };
      const [result] = await gathered(addRecipientToObjects(client, objects, one));
      expect(result).to.deep.include({ Key, outcome: "refused", code: "invalid-argument" });
      expect(result?.problem).to.contain("its key is another");
      expect((await listRecipients(fixture.client(), { Bucket, Key })).recipients).to.deep.equal(before);
      // A key that cannot be used here would not open it either.
      const [unseen] = await gathered(addRecipientToObjects(client, only(Key), { ...one, verify: "none" }));
      expect(unseen).to.deep.include({ outcome: "unknown" });
      expect(unseen?.problem).to.contain("not known");
      const its = { ...one, to: { keyring: other }, verify: "none" } as const;
      const [current] = await gathered(addRecipientToObjects(client, only(Key), its));
      expect(current).to.deep.include({ outcome: "current", problem: "The recipient's key opens it already." });
    }
  });

  it("by a public key is not known to be one already, but by the journal of the run that added it", async () => {
    await fixture.put(["a"]);
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const options: Options = { to: { keyring: new RawRsaKeyring({ publicKey }) }, verify: "none" };
    const journal = { path: join(fixture.folder, "journal"), target: "partner" };
    expect(outcomes(await add({ ...options, journal }))).to.deep.equal(["added"]);
    expect(outcomes(await add({ ...options, journal }))).to.deep.equal(["current"]);
    const [again] = await add(options);
    expect(again).to.deep.include({ outcome: "unknown" });
    expect(again?.todo).to.contain("Have the recipient read it");
  });

  for (const place of PLACES) {
    it(`is not recorded of an object that has replaced the one that got it (${place})`, async () => {
      await fixture.put(["a"]);
      const journal = { path: join(fixture.folder, "journal"), target: "partner" };
      const run = async () =>
        await gathered(
          addRecipientToObjects(fixture.client(), only("a"), {
            Bucket,
            recipient,
            in: place,
            to: { keyring: renewed },
            journal,
          }),
        );
      // The last look before the journal is told, which is the next HEAD behind the wrap.
      const written = place === "annotation" ? "PutObjectAnnotation" : "PutObject";
      const key = place === "annotation" ? "a" : "a.partner";
      const held = fixture.server.faults.pause({ operation: written, key, at: "answer" });
      const adding = run();
      await held.reached;
      const look = fixture.server.faults.pause({
        operation: place === "annotation" ? "GetObjectAnnotation" : "ListObjectAnnotations",
        key: "a",
        at: "answer",
      });
      held.release();
      await look.reached;
      await fixture.put(["a"]);
      const other = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: "other" } });
      await fixture.plain.send(new DeleteObjectCommand({ Bucket, Key: "a.partner" }));
      await addRecipient(fixture.client(), { Bucket, Key: "a", recipient, in: place, to: { keyring: other } });
      look.release();
      expect(outcomes(await adding)).to.deep.equal(["added"]);
      const [again] = await run();
      expect(again).to.deep.include({ outcome: "refused" });
    });
  }

  it("of a version that a listing took for the current one is not told as changed", async () => {
    await fixture.plain.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
    );
    await fixture.put(["a"]);
    const client = fixture.client();
    const [old] = await gathered(listed(client, { versions: true }));
    await fixture.put(["a"]);
    const source = async function* () {
      if (old !== undefined) yield old;
    };
    expect(old).to.have.property("isLatest", true);
    fixture.server.clearRequests();
    const refused = { VersionId: old?.VersionId, outcome: "refused", code: "unsupported-operation" };
    const one = { Bucket, recipient };
    const results = [
      ...(await gathered(addRecipientToObjects(client, source(), { ...one, to: { keyring: renewed } }))),
      ...(await gathered(removeRecipientFromObjects(client, source(), one))),
      ...(await gathered(rewrapObjects(client, source(), { Bucket, to: { keyring: renewed } }))),
      ...(await gathered(migrateObjects(client, source(), { Bucket, to: { keyring: renewed } }))),
    ];
    expect(results).to.have.length(4);
    for (const result of results) expect(result).to.deep.include(refused);
    expect(results[2]?.problem).to.contain("needs its key for as long as it is kept");
    expect(fixture.changes()).to.deep.equal([]);
    const [current] = await gathered(listed(client, { versions: true }));
    const now = async function* () {
      if (current !== undefined) yield current;
    };
    const [added] = await gathered(addRecipientToObjects(client, now(), { ...one, to: { keyring: renewed } }));
    expect(added).to.deep.include({ VersionId: current?.VersionId, outcome: "added" });
  });

  it("of a version that was replaced while it was on its way is told by the one that was changed", async () => {
    await fixture.plain.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
    );
    await fixture.put(["a"]);
    const client = fixture.client();
    const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "a" });
    const adding = gathered(
      addRecipientToObjects(client, listed(client, { versions: true }), {
        Bucket,
        recipient,
        to: { keyring: renewed },
      }),
    );
    await held.reached;
    await fixture.put(["a"]);
    held.release();
    const [current] = await gathered(listed(client, { versions: true }));
    expect((await adding)[0]).to.deep.include({ VersionId: current?.VersionId, outcome: "added" });
  });

  it("is told of what it is none of by what that is: plain, and files beside objects", async () => {
    await fixture.put(["a"]);
    await addOthersFile("a");
    await fixture.plain.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "plain" }));
    for (const dryRun of [true, false]) {
      const results = await remove({ dryRun });
      expect(results.map(({ Key, outcome }) => [Key, outcome])).to.deep.equal([
        ["a", "current"],
        ["a.other", "skipped"],
        ["plain", "skipped"],
      ]);
    }
  });

  it("of which a wrap was removed and another was not is told with both, and with what to allow", async () => {
    await fixture.put(["a"]);
    await add();
    await addOthersFile("a");
    const { Body } = await fixture.plain.send(new GetObjectCommand({ Bucket, Key: "a.other" }));
    const text = (await Body?.transformToString()) ?? "";
    await fixture.plain.send(new PutObjectCommand({ Bucket, Key: "a.partner", Body: text }));
    const denied = { status: 403, code: "AccessDenied" };
    fixture.server.faults.add({ operation: "DeleteObject", key: "a.partner", ...denied });
    const client = fixture.client();
    const [half] = await gathered(removeRecipientFromObjects(client, only("a"), { Bucket, recipient }));
    expect(half).to.deep.include({ outcome: "failed", code: "AccessDenied" });
    expect(half?.removed?.map((each) => each.in)).to.deep.equal(["annotation"]);
    expect(half?.remaining).to.deep.equal([{ in: "instruction-file", suffix: ".partner" }]);
    expect(half?.problem).to.contain("Removed: the annotation");
    expect(half?.todo).to.contain("s3:DeleteObjectAnnotation and s3:DeleteObject");
    const [none] = await gathered(removeRecipientFromObjects(client, only("a"), { Bucket, recipient }));
    expect(none).to.deep.include({ outcome: "failed", code: "AccessDenied" }).and.not.to.have.property("removed");
    expect(none?.todo).to.contain("s3:DeleteObject");
    fixture.server.faults.clear();
    expect(outcomes(await remove({}, client)).slice(0, 1)).to.deep.equal(["removed"]);
  });

  for (const count of [3, 4, 30]) {
    it(`ends the run behind three whose wraps its key does not open (of ${count})`, async () => {
      await fixture.put(numbered(count));
      const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const told: RewrittenObject[] = [];
      const run = async (): Promise<void> => {
        const client = fixture.client();
        const to = { keyring: new RawRsaKeyring({ publicKey }) };
        for await (const each of addRecipientToObjects(client, listed(client), { Bucket, recipient, to }))
          told.push(each);
      };
      fixture.server.clearRequests();
      expect((await refusal(run())).message).to.contain("Stopped after 3 objects");
      expect(outcomes(told)).to.deep.equal(["failed", "failed", "failed"]);
      expect(told[0]?.todo).to.contain('verify: "none"');
      expect(fixture.changes()).to.deep.equal([]);
    });
  }

  it("is never the last one that is removed", async () => {
    await fixture.put(["a"], {
      keyring: renewed,
      instructionFileConfig: { enableInstructionFilePutObject: true },
    });
    const { Body } = await fixture.plain.send(new GetObjectCommand({ Bucket, Key: "a.instruction" }));
    const text = (await Body?.transformToString()) ?? "";
    await fixture.plain.send(new PutObjectCommand({ Bucket, Key: "a.partner", Body: text }));
    await fixture.plain.send(new DeleteObjectCommand({ Bucket, Key: "a.instruction" }));
    fixture.server.clearRequests();
    const totals = new RewriteTotals();
    const [result] = await gathered(
      removeRecipientFromObjects(fixture.client(), only("a"), { Bucket, recipient: "partner" }),
    );
    if (result !== undefined) totals.add(result);
    expect(result).to.deep.include({ outcome: "refused", code: "unsupported-operation" });
    expect(result?.problem).to.contain("Nothing was removed");
    expect(totals.isAllDone).to.equal(false);
    expect(fixture.changes()).to.deep.equal([]);
  });

  it("is not told as removed where not all may be looked at", async () => {
    await fixture.put(["a"]);
    await add();
    fixture.server.faults.add({ operation: "ListObjectAnnotations", status: 403, code: "AccessDenied" });
    const [result] = await remove();
    expect(result).to.deep.include({ outcome: "unknown", removed: [] });
    expect(result?.problem).to.contain("its annotations");
  });

  it("of older versions stays, which is told, and filters by name and envelope hold", async () => {
    await fixture.plain.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
    );
    await fixture.put(["a", "a", "b"]);
    await fixture.put(["old"], { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" });
    const client = fixture.client({ commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" });
    const one = { Bucket, recipient, to: { keyring: renewed } };
    const versions = await gathered(addRecipientToObjects(client, listed(client, { versions: true }), one));
    expect(versions.map(({ Key, outcome }) => [Key, outcome])).to.deep.equal([
      ["a", "added"],
      ["a", "refused"],
      ["b", "added"],
      // Without a key commitment, a recipient could be shown another content.
      ["old", "refused"],
    ]);
    expect(versions[1]?.problem).to.contain("whose recipients stay");
    const filtered = await remove({ envelopeFilter: envelopeFilter({ formats: ["V2"] }) }, client);
    expect(filtered.map(({ Key }) => Key)).to.deep.equal(["old"]);
    expect(await readers("a")).to.deep.equal([recipient]);
  });

  it("is refused before any request for wrong options, and a journal of another run", async () => {
    await fixture.put(["a"]);
    fixture.server.clearRequests();
    const journal = { path: join(fixture.folder, "journal"), target: "partner" };
    for (const options of [{ recipient: "" }, { in: "metadata" }, { rate: 0 }, { to: undefined }, { bogus: 1 }]) {
      expect((await refusal(add(options as Options))).code, JSON.stringify(options)).to.equal("invalid-argument");
    }
    expect((await refusal(remove({ recipient: "" }))).code).to.equal("invalid-argument");
    expect(fixture.server.requests).to.deep.equal([]);
    await add({ journal });
    expect((await refusal(remove({ journal }))).code).to.equal("invalid-argument");
    await readsAll(["a"]);
  });
});

async function* only(Key: string): AsyncGenerator<{ readonly Key: string }> {
  yield { Key };
}
