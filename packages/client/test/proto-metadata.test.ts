import { HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { migrateObject, rewrapObject } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { withCallOptions } from "../dist/call-options.js";
import { copyObject } from "../dist/commands/copy-object.js";
import { encryptionOf } from "../dist/plain-client.js";
import { BUCKET, bytesOfLength, Fixture, get } from "./fixture.js";

const old = new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 1), materialDescription: { key: "old" } });
const current = new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 2), materialDescription: { key: "new" } });
const MiB = 1024 ** 2;

/** What the SDK itself leaves out of an answer: it assigns by name. */
describe("user metadata that is called __proto__", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  const at = { Bucket: BUCKET, Key: "k" };
  const content = bytesOfLength(5 * MiB + 1);
  const Metadata = Object.fromEntries([
    ["__proto__", "mine"],
    ["other", "too"],
  ]);
  const stored = async (Key = "k"): Promise<(string | null)[]> => {
    const url = await getSignedUrl(fixture.plain, new HeadObjectCommand({ ...at, Key }));
    const { headers } = await fetch(url, { method: "HEAD" });
    return ["__proto__", "other", "x-amz-m"].map((name) => headers.get(`x-amz-meta-${name}`));
  };
  beforeEach(async () => {
    await fixture.client({ keyring: old }).send(new PutObjectCommand({ ...at, Body: content, Metadata }));
    expect(await stored()).to.deep.equal(["mine", "too", '{"key":"old"}']);
  });
  afterEach(async () => {
    expect(await stored()).to.deep.equal(["mine", "too", '{"key":"new"}']);
    const { Body } = await fixture.client({ keyring: current }).send(get("k"));
    expect(content.equals((await Body?.transformToByteArray()) ?? new Uint8Array())).to.equal(true);
  });

  for (const copyLimit of [5 * MiB, 6 * MiB]) {
    it(`is kept by a re-wrap by a copy ${copyLimit < content.length ? "in parts" : "in one request"}`, async () => {
      const options = { ...at, to: { keyring: current }, settleTime: 0, copyLimit };
      await rewrapObject(fixture.client({ keyring: old }), options);
    });
  }

  it("is kept by a copy in parts to another key", async () => {
    const s3 = fixture.client({ keyring: old });
    const input = withCallOptions({ Bucket: BUCKET, Key: "to", CopySource: `${BUCKET}/k` }, {});
    const next = () => Promise.reject(new Error("It is copied in parts."));
    await copyObject(encryptionOf(s3, undefined), input, next, s3, { copyLimit: 5 * MiB });
    expect(await stored("to")).to.deep.equal(["mine", "too", '{"key":"old"}']);
    await rewrapObject(s3, { ...at, to: { keyring: current }, settleTime: 0 });
  });

  it("is kept by a migration", async () => {
    await migrateObject(fixture.client({ keyring: old }), { ...at, to: { keyring: current }, settleTime: 0 });
  });
});
