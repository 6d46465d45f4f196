import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteObjectAnnotationCommand,
  GetObjectAnnotationCommand,
  ListObjectAnnotationsCommand,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  addRecipient,
  listRecipients,
  type MigrateOptions,
  migrateObject,
  removeRecipient,
  S3EncryptionClient,
} from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { dyingClient, writesOf } from "./dying-client.js";
import { BUCKET, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

const MARK = "x-s3ec/moving";
const partner = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
const current = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const either = new MultiKeyring({ children: [{ keyring: current }, { keyring: TEST_KEYRING }] });

/** Between the last look at an object's recipients and the write, none is added or removed unseen. */
describe("an object that is being written anew", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const at = (Key: string, Bucket = BUCKET) => ({ Bucket, Key });
  const migrate = (Key: string, more: Partial<MigrateOptions> = {}) =>
    migrateObject(fixture.client(), { ...at(Key), to: { keyring: current }, settleTime: 0, ...more });
  const add = (Key: string) =>
    addRecipient(fixture.client(), { ...at(Key), recipient: "partner", to: { keyring: partner } });
  const remove = (Key: string) => removeRecipient(fixture.client(), { ...at(Key), recipient: "partner" });
  const names = async (Key: string, VersionId?: string): Promise<(string | undefined)[]> => {
    const asked = { ...at(Key), ...(VersionId === undefined ? {} : { VersionId }) };
    const { Annotations = [] } = await fixture.plain.send(new ListObjectAnnotationsCommand(asked));
    return Annotations.map(({ AnnotationName }) => AnnotationName);
  };
  const annotate = (Key: string, AnnotationPayload: string) =>
    fixture.plain.send(new PutObjectAnnotationCommand({ ...at(Key), AnnotationName: MARK, AnnotationPayload }));
  const marked = async (Key: string): Promise<string | undefined> => {
    const { AnnotationPayload } = await fixture.plain.send(
      new GetObjectAnnotationCommand({ ...at(Key), AnnotationName: MARK }),
    );
    return AnnotationPayload?.transformToString();
  };
  const hours = (count: number) =>
    JSON.stringify({ run: "another", time: new Date(Date.now() - count * 3_600_000).toISOString() });

  it("says so, with a time and its run, for as long as it takes", async () => {
    await fixture.client().send(put("marked"));
    const held = fixture.server.faults.pause({ operation: "PutObject", key: "marked" });
    const migrating = migrate("marked");
    await held.reached;
    const { run, time } = JSON.parse((await marked("marked")) ?? "");
    expect(run).to.match(/^[0-9a-f-]{36}$/);
    expect(Date.parse(time)).to.be.closeTo(Date.now(), 60_000);
    for (const act of [
      () => add("marked"),
      () => remove("marked"),
      () => listRecipients(fixture.client(), at("marked")),
    ]) {
      expect((await refusal(act())).message).to.match(/being moved.*ask again/);
    }
    held.release();
    await migrating;
    expect(await names("marked")).to.deep.equal([]);
  });

  it("tells whoever began to add a recipient before, and ends after the look", async () => {
    await fixture.client().send(put("added"));
    // Held before it is done; that of the mark comes later.
    const adds = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "added" });
    const adding = refusal(add("added"));
    await adds.reached;
    const held = fixture.server.faults.pause({ operation: "PutObject", key: "added" });
    const migrating = migrate("added");
    await held.reached;
    adds.release();
    expect((await adding).message).to.contain("being moved");
    held.release();
    await migrating;
    expect(await names("added")).to.deep.equal([]);
  });

  it("gives way to a recipient who was removed before the last look, whatever the new keyring wraps for", async () => {
    const children = [{ keyring: partner, instructionFileSuffix: ".partner" }];
    for (const [where, options] of [
      ["annotation", { wrapPlacement: "annotations" }],
      ["file", {}],
    ] as const) {
      const keyring = new MultiKeyring({ generator: current, children });
      const s3 = fixture.client({ keyring, ...options });
      await s3.send(put(`removed-${where}`));
      const held = fixture.server.faults.pause({ operation: "GetObject", key: `removed-${where}`, at: "answer" });
      const migrating = refusal(migrateObject(s3, { ...at(`removed-${where}`), settleTime: 0 }));
      await held.reached;
      expect((await remove(`removed-${where}`)).remaining).to.deep.equal([]);
      held.release();
      expect((await migrating).code, where).to.equal("content-mismatch");
      expect([...(await names(`removed-${where}`)), ...(await fixture.keys(`removed-${where}.`))]).to.deep.equal([]);
    }
  });

  it("has no mark after a failure, and none on the version before", async () => {
    await fixture.client().send(put("failed"));
    fixture.server.faults.add({ operation: "PutObject", key: "failed", status: 403, code: "AccessDenied" });
    expect(await errorOf(migrate("failed"))).to.have.property("name", "AccessDenied");
    expect(await names("failed")).to.deep.equal([]);
    const Bucket = "versions";
    await fixture.plain.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await fixture.plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    await fixture.client().send(new PutObjectCommand({ Bucket, Key: "v", Body: "secret" }));
    const { replacedVersionId } = await migrate("v", { Bucket });
    expect(replacedVersionId).to.be.a("string");
    const asked = { Bucket, Key: "v", VersionId: replacedVersionId as string };
    expect((await fixture.plain.send(new ListObjectAnnotationsCommand(asked))).Annotations ?? []).to.deep.equal([]);
  });

  it("has no mark after an abort before anything was sent", async () => {
    await fixture.client().send(put("aborted"));
    const aborting = new AbortController();
    const held = fixture.server.faults.pause({ operation: "GetObjectAnnotation", key: "aborted" });
    const migrating = errorOf(migrate("aborted", { abortSignal: aborting.signal }));
    await held.reached;
    expect(await names("aborted")).to.deep.equal([MARK]);
    aborting.abort();
    held.release();
    expect((await migrating).name).to.equal("AbortError");
    expect(await names("aborted")).to.deep.equal([]);
    await add("aborted");
  });

  it("is nobody's any more after two hours, and until then once the same call was made again", async () => {
    for (const text of ["", "{}", "null", '{"time":"soon"}', hours(1.9)].map((each) => each || "no JSON")) {
      await fixture.client().send(put("left"));
      await annotate("left", text);
      expect((await refusal(add("left"))).code, text).to.equal("content-mismatch");
    }
    await migrate("left");
    await addRecipient(fixture.client({ keyring: current }), {
      ...at("left"),
      recipient: "partner",
      to: { keyring: partner },
    });
    await fixture.client().send(put("stale"));
    await annotate("stale", hours(2.1));
    await add("stale");
    expect((await listRecipients(fixture.client(), at("stale"))).recipients).to.have.length(1);
    expect((await remove("stale")).removed).to.have.length(1);
  });

  it("is taken over by a second call, and the first one ends", async () => {
    await fixture.client().send(put("twice"));
    const held = fixture.server.faults.pause({ operation: "GetObjectAnnotation", key: "twice" });
    const migrating = refusal(migrate("twice"));
    await held.reached;
    await annotate("twice", hours(0));
    held.release();
    expect((await migrating).code).to.equal("content-mismatch");
    expect(JSON.parse((await marked("twice")) ?? "").run).to.equal("another");
    await migrate("twice");
    expect(await names("twice")).to.deep.equal([]);
  });

  it("ends where somebody removes its mark, and may then change the recipients", async () => {
    await fixture.client().send(put("unmarked"));
    const held = fixture.server.faults.pause({ operation: "GetObjectAnnotation", key: "unmarked" });
    const migrating = refusal(migrate("unmarked"));
    await held.reached;
    await fixture.plain.send(new DeleteObjectAnnotationCommand({ ...at("unmarked"), AnnotationName: MARK }));
    await add("unmarked");
    held.release();
    expect((await migrating).code).to.equal("content-mismatch");
    expect(await names("unmarked")).to.have.length(1);
  });

  it("is refused where it cannot be marked, unless that is allowed by name", async () => {
    await fixture.client().send(put("denied"));
    for (const [status, code] of [
      [403, "AccessDenied"],
      [400, "AnnotationLimitExceeded"],
    ] as const) {
      fixture.server.faults.clear();
      fixture.server.faults.add({ operation: "PutObjectAnnotation", status, code });
      expect((await refusal(migrate("denied"))).message).to.match(/x-s3ec\/moving.*allowLoss: \["recipients"\]/);
    }
    expect((await migrate("denied", { allowLoss: ["recipients"] })).changed).to.include("recipients");
  });

  it("is finished by a second call, wherever the first one was killed", async () => {
    const options = { ...at("killed"), to: { keyring: current }, settleTime: 0 };
    const dying = (most: number) => dyingClient(fixture, { keyring: TEST_KEYRING }, { most, last: "unanswered" });
    await fixture.client().send(put("killed"));
    const whole = dying(1000);
    await migrateObject(whole.client, options);
    for (const most of writesOf(whole.sent)) {
      await fixture.client().send(put("killed"));
      const { client, sent } = dying(most);
      await migrateObject(client, options).catch(() => {});
      await migrateObject(fixture.client({ keyring: either }), options);
      expect(await names("killed"), `${sent}`).to.deep.equal([]);
      const { Body } = await fixture.client({ keyring: current }).send(get("killed"));
      expect(await Body?.transformToString()).to.equal("secret");
    }
  });

  for (const annotations of ["refused", "ignored"] as const) {
    it(`is marked in no store that has no annotations (${annotations}): it would take the mark for the object`, async () => {
      await using server = await startDevServer({ buckets: [BUCKET], fsync: false, annotations });
      const encryption = { keyring: TEST_KEYRING };
      const s3 = fixture.track(new S3EncryptionClient({ ...server.clientConfig, maxAttempts: 1, encryption }));
      await s3.send(put("k"));
      await migrateObject(s3, { ...at("k"), settleTime: 0 });
      expect(await (await s3.send(get("k"))).Body?.transformToString()).to.equal("secret");
      const puts = server.requests.filter(({ operation }) => operation.startsWith("PutObject"));
      expect(puts.map(({ key }) => key)).to.deep.equal(["k", "k"]);
    });
  }
});
