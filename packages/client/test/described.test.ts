import { randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  GetObjectAnnotationCommand,
  ListObjectAnnotationsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  EncryptedUpload,
  InstructionFileError,
  listRecipients,
  migrateObject,
  rewrapObject,
  S3EncryptionClient,
  type S3EncryptionOptions,
} from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const old = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: "old" } });
const current = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: "new" } });

describe("objects that are described in an annotation", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const writer = (options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient =>
    fixture.client({ keyring: old, describeInAnnotation: true, ...options });
  const names = async (Key: string): Promise<(string | undefined)[]> => {
    const { Annotations = [] } = await fixture.plain.send(new ListObjectAnnotationsCommand({ Bucket: BUCKET, Key }));
    return Annotations.map(({ AnnotationName }) => AnnotationName);
  };
  const about = async (Key: string): Promise<Record<string, string>> => {
    const asked = { Bucket: BUCKET, Key, AnnotationName: "x-s3ec/about" };
    const { AnnotationPayload } = await fixture.plain.send(new GetObjectAnnotationCommand(asked));
    return JSON.parse((await AnnotationPayload?.transformToString()) ?? "");
  };

  it("say format, wrap and key, and hold no wrapped key", async () => {
    await writer().send(put("a"));
    const { "s3ec-added": added, "s3ec-by": by, ...said } = await about("a");
    expect(said).to.deep.equal({
      "s3ec-format": "V3",
      "s3ec-wrap": "AES/GCM",
      "s3ec-description": '{"key":"old"}',
    });
    expect(Date.parse(added ?? "")).to.be.closeTo(Date.now(), 60_000);
    expect(by).to.match(/^s3ec\//);
    await writer({ commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" }).send(put("v2"));
    expect(await about("v2")).to.include({ "s3ec-format": "V2" });
    await new EncryptedUpload({
      client: writer(),
      params: { Bucket: BUCKET, Key: "parts", Body: randomBytes(6e6) },
    }).done();
    expect(await about("parts")).to.include({ "s3ec-format": "V3" });
    expect(await (await writer().send(get("a"))).Body?.transformToString()).to.equal("secret");
  });

  it("are described once they are stored, and only where the store has shown that it knows annotations", async () => {
    for (const annotations of ["ignored", "refused"] as const) {
      await using other = await startDevServer({ buckets: [BUCKET], annotations });
      const encryption = { keyring: old, describeInAnnotation: true };
      const client = new S3EncryptionClient({ ...other.clientConfig, maxAttempts: 1, encryption });
      const error = await errorOf(client.send(put("a")));
      expect(error).to.be.instanceOf(InstructionFileError);
      expect(String(error)).to.contain("The object is stored, but what describes it");
      expect(await (await client.send(get("a"))).Body?.transformToString()).to.equal("secret");
      expect(other.requests.map(({ operation }) => operation)).to.not.include("PutObjectAnnotation");
      client.destroy();
    }
    fixture.server.clearRequests();
    await writer().send(put("order"));
    const order = fixture.server.requests.map(({ operation }) => operation);
    expect(order.indexOf("PutObjectAnnotation")).to.be.above(order.indexOf("PutObject"));
    expect(order.indexOf("PutObjectAnnotation")).to.be.above(order.indexOf("ListObjectAnnotations"));
  });

  it("are none whose recipient is called about", async () => {
    await writer().send(put("recipients"));
    const { recipients } = await listRecipients(fixture.client({ keyring: old }), {
      Bucket: BUCKET,
      Key: "recipients",
    });
    expect(JSON.stringify(recipients)).to.not.contain("about");
  });

  it("say the new wrap after a re-wrap, and after a migration", async () => {
    await writer().send(put("moved"));
    const shared = { Bucket: BUCKET, Key: "moved", to: { keyring: current }, settleTime: 0 };
    await rewrapObject(writer(), shared);
    expect(await about("moved")).to.include({ "s3ec-description": '{"key":"new"}' });
    await writer({ commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" }).send(put("anew"));
    await migrateObject(writer({ commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" }), { ...shared, Key: "anew" });
    expect(await about("anew")).to.include({ "s3ec-format": "V3", "s3ec-description": '{"key":"new"}' });
  });

  it("name after a re-wrap whose wraps are in files beside them still", async () => {
    const escrow = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    const keyring = new MultiKeyring({
      generator: old,
      children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }],
    });
    await writer({ keyring }).send(put("escrowed"));
    const shared = { Bucket: BUCKET, Key: "escrowed", settleTime: 0 };
    for (const [from, to] of [
      [old, current],
      [current, old],
    ] as const) {
      await rewrapObject(writer({ keyring: from }), { ...shared, to: { keyring: to } });
      const key = to === old ? "old" : "new";
      expect(await about("escrowed")).to.include({
        "s3ec-description": `{"key":"${key}"}`,
        "s3ec-recipients": '["escrow"]',
      });
    }
    const read = { instructionFileSuffix: ".escrow" };
    const { Body } = await fixture.client({ keyring: escrow }).send(get("escrowed"), read);
    expect(await Body?.transformToString()).to.equal("secret");
  });

  it("are re-wrapped although what described them cannot be read, which is told", async () => {
    await writer().send(put("unread"));
    fixture.server.faults.add({ operation: "GetObjectAnnotation", status: 403 });
    const shared = { Bucket: BUCKET, Key: "unread", to: { keyring: current }, settleTime: 0 };
    const error = await errorOf(rewrapObject(writer(), shared));
    expect(String(error)).to.contain("s3:GetObjectAnnotation");
    fixture.server.faults.clear();
    expect(await about("unread")).to.include({ "s3ec-description": '{"key":"old"}' });
  });

  it("lose a description that would be another's: a migration without the option carries none over", async () => {
    await writer({ commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" }).send(put("gone"));
    const client = fixture.client({ keyring: old, commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" });
    await migrateObject(client, { Bucket: BUCKET, Key: "gone", to: { keyring: current }, settleTime: 0 });
    expect(await names("gone")).to.deep.equal([]);
  });

  it("are re-wrapped although the description cannot be put, which is told", async () => {
    await writer().send(put("half"));
    fixture.server.faults.add({ operation: "PutObjectAnnotation", status: 403 });
    const rewrapping = rewrapObject(writer(), { Bucket: BUCKET, Key: "half", to: { keyring: current }, settleTime: 0 });
    const error = await errorOf(rewrapping);
    expect(String(error)).to.contain("The object is re-wrapped, but what describes it");
    expect(await (await fixture.client({ keyring: current }).send(get("half"))).Body?.transformToString()).to.equal(
      "secret",
    );
  });

  it("are refused before anything is stored where S3 keeps no annotations", async () => {
    const key = { SSECustomerAlgorithm: "AES256", SSECustomerKey: randomBytes(32).toString("base64") };
    fixture.server.clearRequests();
    const command = new PutObjectCommand({ Bucket: BUCKET, Key: "ssec", Body: "x", ...key });
    const error = await refusal(writer().send(command));
    expect([error.code, error.message.includes("leave out describeInAnnotation")]).to.deep.equal([
      "unsupported-operation",
      true,
    ]);
    expect(fixture.server.requests).to.deep.equal([]);
  });

  it("take it along when they are copied", async () => {
    await writer().send(put("source"));
    const CopySource = `${BUCKET}/source`;
    await writer().send(new CopyObjectCommand({ Bucket: BUCKET, Key: "copy", CopySource }));
    expect(await names("copy")).to.deep.equal(["x-s3ec/about"]);
  });
});
