import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateBucketCommand,
  DeleteObjectAnnotationCommand,
  DeleteObjectCommand,
  GetObjectAnnotationCommand,
  ListObjectAnnotationsCommand,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  addRecipient,
  annotationsLeftAside,
  InstructionFileError,
  inspectObject,
  listRecipients,
  openResponse,
  presignGet,
  putBackAnnotations,
  type RewrapOptions,
  removeRecipient,
  rewrapObject,
  type S3EncryptionClient,
} from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { withCallOptions } from "../dist/call-options.js";
import { copyObject } from "../dist/commands/copy-object.js";
import { encryptionOf, plainClientOf } from "../dist/plain-client.js";
import { dyingClient, writesOf } from "./dying-client.js";
import { BUCKET, bytesOfLength, Fixture, get, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const MiB = 1024 ** 2;
const LIMIT = { copyLimit: 5 * MiB };
const content = bytesOfLength(5 * MiB + 1);
const [former, current] = [randomBytes(32), randomBytes(32)];
const old = new RawAesKeyring({ wrappingKey: former, materialDescription: { key: "old" } });
const renewed = new RawAesKeyring({ wrappingKey: current, materialDescription: { key: "new" } });
const either = new MultiKeyring({ children: [{ keyring: renewed }, { keyring: old }] });
const escrow = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
const partner = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
const ANNOTATED = {
  keyring: new MultiKeyring({
    generator: old,
    children: [
      { keyring: escrow, instructionFileSuffix: ".escrow" },
      { keyring: partner, instructionFileSuffix: ".partner" },
    ],
  }),
  wrapPlacement: "annotations",
} as const;
const MARK = "x-s3ec/moving";

/** S3 takes no annotations along when it copies in parts: recipients' and others' are carried over. */
describe("annotations of an object that is copied in parts", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => fixture.server.faults.clear());

  const at = (Key: string) => ({ Bucket: BUCKET, Key });
  const note = (Key: string, AnnotationName: string, AnnotationPayload: string) =>
    fixture.plain.send(new PutObjectAnnotationCommand({ ...at(Key), AnnotationName, AnnotationPayload }));
  async function store(Key: string): Promise<Readonly<Record<string, string>>> {
    await fixture.client(ANNOTATED).send(new PutObjectCommand({ ...at(Key), Body: content, Metadata: { mine: "1" } }));
    await note(Key, "theirs", "text");
    await note(Key, "sub/more", "é".repeat(1000));
    const all = await notes(Key);
    expect(Object.keys(all)).to.deep.equal(["sub/more", "theirs", "x-s3ec/escrow", "x-s3ec/partner"]);
    return all;
  }
  async function notes(Key: string, VersionId?: string): Promise<Record<string, string>> {
    const asked = { ...at(Key), ...(VersionId === undefined ? {} : { VersionId }) };
    const { Annotations = [] } = await fixture.plain.send(new ListObjectAnnotationsCommand(asked));
    const texts = Annotations.map(async ({ AnnotationName = "" }) => {
      const { AnnotationPayload } = await fixture.plain.send(
        new GetObjectAnnotationCommand({ ...asked, AnnotationName }),
      );
      return [AnnotationName, (await AnnotationPayload?.transformToString()) ?? ""];
    });
    return Object.fromEntries(await Promise.all(texts));
  }
  /** As the command, by a store whose limit a test can reach. */
  async function copy(s3: S3EncryptionClient, from: string, Key: string, more: Partial<CopyObjectCommandInput> = {}) {
    const input = { ...at(Key), CopySource: `${BUCKET}/${from}`, ...more };
    const next = async (single: CopyObjectCommandInput) => ({
      output: await plainClientOf(s3).send(new CopyObjectCommand(single)),
      response: undefined,
    });
    return (await copyObject(encryptionOf(s3, undefined), withCallOptions(input, {}), next, s3, LIMIT)).output;
  }
  const rewrap = (Key: string, s3 = fixture.client({ keyring: old }), more: Partial<RewrapOptions> = {}) =>
    rewrapObject(s3, { ...at(Key), to: { keyring: renewed }, owner: "same", settleTime: 0, ...LIMIT, ...more });
  async function expectReadable(key: string, what = ""): Promise<void> {
    for (const keyring of [either, escrow, partner]) {
      const { Body } = await fixture.client({ keyring }).send(get(key));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content), what).to.equal(true);
    }
  }
  const REPLACE = { MetadataDirective: "REPLACE", Metadata: { mine: "2" } } as const;
  async function requestsOf(work: Work): Promise<readonly string[]> {
    await store("k");
    const { client, sent } = dyingClient(fixture, { keyring: either }, { most: 1000, last: "unanswered" });
    await work(client);
    return sent;
  }
  type Work = (s3: S3EncryptionClient) => Promise<unknown>;
  const WAYS: readonly [string, string, Work][] = [
    ["wrapped anew", "k", (s3) => rewrap("k", s3)],
    ["given other metadata in place", "k", (s3) => copy(s3, "k", "k", REPLACE)],
    ["copied elsewhere", "to", (s3) => copy(s3, "k", "to")],
    ["copied elsewhere with other metadata", "to", (s3) => copy(s3, "k", "to", REPLACE)],
  ];

  for (const [what, key, work] of WAYS) {
    it(`go along when it is ${what}, and nothing is left beside it`, async () => {
      const all = await store("k");
      fixture.server.clearRequests();
      await work(fixture.client({ keyring: old }));
      expect(fixture.server.requests.some(({ operation }) => operation === "UploadPartCopy")).to.equal(true);
      expect([await notes(key), await notes("k")]).to.deep.equal([all, all]);
      expect((await fixture.keys("")).filter((each) => each.includes("s3ec"))).to.deep.equal([]);
      await expectReadable(key);
    });
  }

  for (const [what, key, work] of [WAYS[0], WAYS[2]] as typeof WAYS) {
    it(`are lost to no key and to nobody when a process is killed by which it is ${what}`, async () => {
      const sent = await requestsOf(work);
      // A request that does not arrive is the end after the one before it.
      for (const most of writesOf(sent)) {
        const all = await store("k");
        const dying = dyingClient(fixture, { keyring: either }, { most, last: "unanswered" });
        await work(dying.client).catch(() => {});
        const said = `${dying.sent}`;
        await expectReadable("k", said);
        if ((await fixture.keys("to")).includes("to")) await expectReadable("to", said);
        // What is wrapped anew already is refused for the description of its key, and finished all the same.
        await work(fixture.client({ keyring: either })).catch((error: unknown) => {
          expect(error, said).to.have.property("code", "invalid-argument");
        });
        expect(await notes(key), said).to.deep.equal(all);
        expect(
          (await fixture.keys("")).filter((each) => each.includes("s3ec")),
          said,
        ).to.deep.equal([]);
      }
    });
  }

  it("are looked for beside it only where none opens that is with it", async () => {
    const work: Work = (s3) => rewrap("k", s3);
    const most = (await requestsOf(work)).indexOf("CompleteMultipartUploadCommand") + 1;
    const asked = () => fixture.server.requests.filter(({ key }) => key === "k.s3ec-annotations").length;
    await store("k");
    await work(fixture.client({ keyring: old }));
    for (const wrapPlacement of ["metadata", "annotations"] as const) {
      for (const more of [{}, { instructionFileSuffix: ".partner" }]) {
        fixture.server.clearRequests();
        const client = fixture.client({ keyring: partner, wrapPlacement });
        await (await client.send(get("k"), more)).Body?.transformToByteArray();
        expect([asked(), wrapPlacement, more]).to.deep.equal([0, wrapPlacement, more]);
      }
    }
    const stranger = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
    fixture.server.clearRequests();
    await refusal(fixture.client({ keyring: stranger }).send(get("k")));
    expect(asked()).to.equal(1);

    await store("k");
    await work(dyingClient(fixture, { keyring: either }, { most, last: "unanswered" }).client).catch(() => {});
    expect(Object.keys(await notes("k"))).to.deep.equal([]);
    for (const wrapPlacement of ["metadata", "annotations"] as const) {
      const client = fixture.client({ keyring: partner, wrapPlacement });
      const { Body } = await client.send(get("k"), { instructionFileSuffix: ".partner" });
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
    }
    // One who has another key is told what he would be told without them.
    const refused = await refusal(fixture.client({ keyring: stranger }).send(get("k")));
    expect(refused.code).to.equal("no-matching-key");
    const presigned = await presignGet(fixture.plain, at("k"), { recipient: ".partner" });
    expect(Object.keys(presigned.annotations ?? {})).to.deep.equal(["x-s3ec/partner"]);
    const { annotations = {} } = presigned;
    const opened = await openResponse(await fetch(presigned.url), { keyring: partner, annotations });
    expect(Buffer.from(await opened.Body.transformToByteArray()).equals(content)).to.equal(true);
    expect(await putBackAnnotations(fixture.client({ keyring: either }), at("k"))).to.equal(true);
  });

  it("are told of and put back by themselves, and only to the object that they are of", async () => {
    const work: Work = (s3) => rewrap("k", s3);
    const most = (await requestsOf(work)).indexOf("CompleteMultipartUploadCommand") + 1;
    const object = at("k");
    for (const isReplaced of [false, true]) {
      const all = await store("k");
      const s3 = fixture.client({ keyring: either });
      expect([await annotationsLeftAside(s3, object), await putBackAnnotations(s3, object)]).to.deep.equal([
        undefined,
        false,
      ]);
      await work(dyingClient(fixture, { keyring: either }, { most, last: "unanswered" }).client).catch(() => {});
      expect((await annotationsLeftAside(fixture.plain, object))?.key).to.equal("k.s3ec-annotations");
      if (isReplaced) await fixture.client({ keyring: old }).send(new PutObjectCommand({ ...object, Body: "another" }));
      fixture.server.clearRequests();
      if (isReplaced) {
        expect((await refusal(putBackAnnotations(s3, object))).code).to.equal("content-mismatch");
        expect((await annotationsLeftAside(s3, object))?.key).to.equal("k.s3ec-annotations");
        expect(await notes("k")).to.deep.equal({});
        await fixture.plain.send(new DeleteObjectCommand(at("k.s3ec-annotations")));
      } else {
        expect(await putBackAnnotations(s3, object)).to.equal(true);
        expect(fixture.server.requests.some(({ operation }) => operation === "PutObject")).to.equal(false);
        expect(await notes("k")).to.deep.equal(all);
        expect(await annotationsLeftAside(s3, object)).to.equal(undefined);
      }
    }
    await fixture.plain.send(new PutObjectCommand({ ...at("k.s3ec-annotations"), Body: "somebody's own" }));
    const s3 = fixture.client({ keyring: either });
    expect([await annotationsLeftAside(s3, object), await putBackAnnotations(s3, object)]).to.deep.equal([
      undefined,
      false,
    ]);
    for (const call of [annotationsLeftAside, putBackAnnotations]) {
      expect((await refusal(call(s3, { ...object, key: "k" } as typeof object))).code).to.equal("invalid-argument");
    }
    await fixture.plain.send(new DeleteObjectCommand(at("k.s3ec-annotations")));
  });

  it("leave no mark on the version before", async () => {
    const Bucket = "versions";
    await fixture.plain.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await fixture.plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    await fixture.client(ANNOTATED).send(new PutObjectCommand({ Bucket, Key: "v", Body: content }));
    const { replacedVersionId = "" } = await rewrap("v", undefined, { Bucket });
    for (const version of [{ VersionId: replacedVersionId }, {}]) {
      const asked = new ListObjectAnnotationsCommand({ Bucket, Key: "v", ...version });
      const { Annotations = [] } = await fixture.plain.send(asked);
      const names = Annotations.map(({ AnnotationName }) => AnnotationName);
      expect(names).to.deep.equal(["x-s3ec/escrow", "x-s3ec/partner"]);
    }
  });

  it("are refused before anything is written: too large, not readable, none kept of the copy", async () => {
    await store("refused");
    const before = await notes("refused");
    fixture.server.clearRequests();
    fixture.server.faults.add({ operation: "GetObjectAnnotation", status: 403, code: "AccessDenied" });
    expect((await refusal(rewrap("refused"))).message).to.match(/allowLoss: \["annotations"\]/);
    expect((await refusal(copy(fixture.client({ keyring: old }), "refused", "no"))).code).to.equal(
      "unsupported-operation",
    );
    fixture.server.faults.clear();
    const customers = randomBytes(32);
    const withKey = {
      SSECustomerAlgorithm: "AES256",
      SSECustomerKey: customers.toString("base64"),
      SSECustomerKeyMD5: createHash("md5").update(customers).digest("base64"),
    };
    expect((await refusal(copy(fixture.client({ keyring: old }), "refused", "no", withKey))).message).to.contain(
      "EXCLUDE",
    );
    for (let index = 0; index < 17; index++) await note("refused", `n${index}`, "x".repeat(MiB));
    expect((await refusal(rewrap("refused"))).message).to.contain("bytes of annotations");
    const wrote = fixture.server.requests.filter(({ operation }) =>
      /^(?:Create|Upload|Complete|PutObject$)/.test(operation),
    );
    expect(wrote).to.deep.equal([]);
    expect(await notes("refused")).to.include(before);
    expect(await fixture.keys("no")).to.deep.equal([]);
  });

  it("end it when they were changed before the object appears", async () => {
    const changes = [
      () => note("changed", "theirs", "other"),
      () => removeRecipient(fixture.client({ keyring: old }), { ...at("changed"), recipient: "partner" }),
    ];
    for (const [index, change] of changes.entries()) {
      await store("changed");
      // A mark keeps our own calls from it: one that was removed by somebody leaves the way open.
      const held = fixture.server.faults.pause({ operation: "UploadPartCopy", partNumber: 2 });
      const moving = refusal(rewrap("changed"));
      await held.reached;
      if (index === 1) {
        expect((await refusal(change())).message).to.contain("being moved");
        await fixture.plain.send(new DeleteObjectAnnotationCommand({ ...at("changed"), AnnotationName: MARK }));
      }
      await change();
      held.release();
      expect((await moving).code).to.equal("content-mismatch");
      expect(Object.keys(await notes("changed"))).not.to.include(MARK);
      expect(await fixture.keys("changed")).to.deep.equal(["changed"]);
    }
  });

  it("are kept from changes of recipients until they are put back, and told all the same", async () => {
    const all = await store("window");
    const held = fixture.server.faults.pause({ operation: "CompleteMultipartUpload", key: "window", at: "answer" });
    const moving = rewrap("window");
    await held.reached;
    const owner = fixture.client({ keyring: renewed });
    const add = { ...at("window"), recipient: "new", to: { keyring: escrow } };
    const acts = [
      () => removeRecipient(owner, { ...at("window"), recipient: "partner" }),
      () => addRecipient(owner, add),
      () => addRecipient(owner, { ...add, in: "instruction-file" }),
      () => rewrapObject(fixture.client({ keyring: escrow }), { ...add, recipient: "escrow" }),
    ];
    for (const act of acts) expect((await refusal(act())).message).to.match(/put back.*ask again/);
    await expectReadable("window");
    const { recipients } = await listRecipients(owner, at("window"));
    expect(recipients.map(({ recipient, state }) => [recipient, state])).to.deep.equal([
      ["escrow", "of this object"],
      ["partner", "of this object"],
    ]);
    const inspected = await inspectObject(fixture.plain, at("window"));
    expect(inspected.recipients?.map(({ recipient }) => recipient)).to.deep.equal(["escrow", "partner"]);
    held.release();
    await moving;
    expect(await notes("window")).to.deep.equal(all);
  });

  it("are put back by a change of recipients where nobody has done so for two hours", async () => {
    const all = await store("late");
    const dying = fixture.server.faults.pause({ operation: "CompleteMultipartUpload", key: "late", at: "answer" });
    const moving = errorOf(rewrap("late"));
    await dying.reached;
    fixture.server.faults.add({ operation: "PutObjectAnnotation", status: 403, code: "AccessDenied" });
    dying.release();
    const error = await moving;
    expect(error).to.be.instanceOf(InstructionFileError);
    expect(error.message).to.contain("late.s3ec-annotations");
    fixture.server.faults.clear();
    await expectReadable("late");
    const file = JSON.parse((await fixture.stored("late.s3ec-annotations")).body.toString());
    const owner = fixture.client({ keyring: renewed });
    const remove = () => removeRecipient(owner, { ...at("late"), recipient: "partner" });
    expect((await refusal(remove())).message).to.contain("ask again");
    const time = new Date(Date.now() - 2.1 * 3_600_000).toISOString();
    // Names that are no recipients', and recipients among others', are nobody's.
    const recipients = { ...file.recipients, forged: "x" };
    const annotations = { ...file.annotations, "x-s3ec/evil": "{}" };
    const body = JSON.stringify({ ...file, time, recipients, annotations });
    await fixture.server.putRawObject(BUCKET, "late.s3ec-annotations", { body, metadata: {} });
    const dry = { ...at("late"), recipient: "escrow", to: { keyring: partner }, dryRun: true } as const;
    fixture.server.clearRequests();
    expect((await refusal(rewrapObject(fixture.client({ keyring: escrow }), dry))).message).to.contain("put back");
    const unremoved = removeRecipient(owner, { ...at("late"), recipient: "partner", dryRun: true });
    expect((await refusal(unremoved)).message).to.contain("put back");
    const unadded = addRecipient(owner, { ...at("late"), recipient: "new", to: { keyring: partner }, dryRun: true });
    expect((await refusal(unadded)).message).to.contain("put back");
    expect(fixture.server.requests.filter(({ operation }) => !/^(?:Get|Head|List)/.test(operation))).to.deep.equal([]);
    expect((await remove()).removed).to.deep.equal([{ in: "annotation", name: "x-s3ec/partner" }]);
    const { "x-s3ec/partner": _, ...rest } = all;
    expect(await notes("late")).to.deep.equal(rest);
    expect(await fixture.keys("late")).to.deep.equal(["late"]);
  });

  it("stay aside for a call that is under way while another one does the same", async () => {
    const all = await store("two");
    const first = fixture.server.faults.pause({ operation: "CompleteMultipartUpload", key: "two" });
    const moving = rewrap("two");
    await first.reached;
    const second = fixture.server.faults.pause({ operation: "UploadPartCopy", key: "two", partNumber: 2 });
    const again = refusal(rewrap("two"));
    await second.reached;
    // What the first one completes by now has its recipients there, and nowhere else.
    expect(await fixture.keys("two")).to.include("two.s3ec-annotations");
    first.release();
    await moving;
    second.release();
    expect((await again).code).to.equal("content-mismatch");
    expect(await notes("two")).to.deep.equal(all);
    expect(await fixture.keys("two")).to.deep.equal(["two"]);
    await expectReadable("two");
  });

  it("are not kept aside by a caller who has aborted", async () => {
    const all = await store("aborted");
    const aborting = new AbortController();
    const s3 = fixture.client({ keyring: old });
    s3.middlewareStack.add(
      (next, context) => async (args) => {
        // Read last of all, once they are aside.
        const isLast =
          context.commandName === "GetObjectAnnotationCommand" && Reflect.get(args.input, "AnnotationName") === MARK;
        if (isLast) aborting.abort();
        return await next(args);
      },
      { step: "initialize", name: "aborting" },
    );
    const error = await errorOf(rewrap("aborted", s3, { abortSignal: aborting.signal }));
    expect(error.name).to.equal("AbortError");
    expect(await fixture.keys("aborted")).to.deep.equal(["aborted"]);
    expect(await notes("aborted")).to.deep.equal(all);
    expect((await removeRecipient(s3, { ...at("aborted"), recipient: "partner" })).removed).to.have.lengthOf(1);
  });

  it("do not bring back a recipient whom somebody removed just before the object appeared", async () => {
    await store("raced");
    const owner = fixture.client({ keyring: either });
    // The removal is under way, and looks again once the copy is there.
    const removing = fixture.server.faults.pause({ operation: "DeleteObjectAnnotation", key: "raced", at: "answer" });
    const removed = refusal(removeRecipient(owner, { ...at("raced"), recipient: "partner" }));
    await removing.reached;
    await rewrap("raced");
    removing.release();
    expect((await removed).code).to.equal("content-mismatch");
    expect(Object.keys(await notes("raced"))).not.to.include("x-s3ec/partner");
  });

  it("are still there where the answer to the last request was lost", async () => {
    const all = await store("lost");
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", performed: true, times: 1 });
    await rewrap("lost");
    expect(await notes("lost")).to.deep.equal(all);
    await store("k");
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", performed: true, times: 1 });
    await copy(fixture.client({ keyring: old }), "k", "lost-elsewhere");
    expect(await notes("lost-elsewhere")).to.deep.equal(await notes("k"));
    expect(await fixture.keys("lost")).to.deep.equal(["lost", "lost-elsewhere"]);
  });

  it("of a recipient are tried as those of the object: no other content comes of them (S19)", async () => {
    await store("forged");
    fixture.server.clearRequests();
    await rewrap("forged");
    // Another object's wrapped key, for the same reader.
    await store("other");
    const stranger = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
    const forged = (await notes("other"))["x-s3ec/escrow"];
    await removeRecipient(fixture.client({ keyring: renewed }), { ...at("forged"), recipient: "escrow" });
    const body = JSON.stringify({ from: "", annotations: {}, recipients: { "x-s3ec/escrow": forged } });
    await fixture.server.putRawObject(BUCKET, "forged.s3ec-annotations", { body, metadata: {} });
    for (const keyring of [escrow, stranger]) {
      const error = await refusal(
        fixture
          .client({ keyring })
          .send(get("forged"))
          .then(({ Body }) => Body?.transformToString()),
      );
      expect(error.code).to.be.oneOf(["decryption-failed", "no-matching-key"]);
    }
  });
});
