import { randomBytes } from "node:crypto";
import { CopyObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { rewrapObject, type S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { dyingClient } from "./dying-client.js";
import { BUCKET, bytesOfLength, Fixture, get } from "./fixture.js";

const [former, current] = [randomBytes(32), randomBytes(32)];
const keyring = new RawAesKeyring({ wrappingKey: former });
const renewed = new RawAesKeyring({ wrappingKey: current, materialDescription: { key: "new" } });
const either = new RawAesKeyring({
  wrappingKey: former,
  decryptionKeys: [{ wrappingKey: current, materialDescription: { key: "new" } }],
});
const content = bytesOfLength(11 * 1024 ** 2);
const FILES = { wrapPlacement: "instruction-files" } as const;

/** Whatever was the last request of a process that is killed, and whether it arrived, every object can be read. */
describe("a process that is killed while it", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  async function atEachRequest(
    options: object,
    Body: string | Buffer,
    work: (client: S3EncryptionClient) => Promise<unknown>,
    keys: readonly string[],
    { from = 1, ways = ["unsent", "unanswered"] }: { from?: number; ways?: ("unsent" | "unanswered")[] } = {},
  ): Promise<number> {
    let count = 0;
    for (const last of ways) {
      for (let most = from; ; most++) {
        await fixture.client({ keyring, ...options }).send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body }));
        const dying = dyingClient(fixture, { keyring, ...options }, { most, last });
        const isDone = await work(dying.client).then(
          () => true,
          () => false,
        );
        count++;
        for (const key of await existing(keys)) {
          const { Body: read } = await fixture.client({ keyring: either, ...options }).send(get(key));
          const bytes = Buffer.from((await read?.transformToByteArray()) ?? []);
          expect(bytes.equals(Buffer.from(Body)), `${key} after ${dying.sent}, ${last}`).to.equal(true);
        }
        if (isDone) break;
      }
    }
    return count;
  }
  async function existing(keys: readonly string[]): Promise<readonly string[]> {
    const there = await fixture.keys("");
    return keys.filter((key) => there.includes(key));
  }
  const copies = (Key: string, more: object = {}) =>
    new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource: `${BUCKET}/k`, ...more });
  const REPLACE = { MetadataDirective: "REPLACE", Metadata: { mine: "2" } } as const;

  for (const [where, options] of [
    ["metadata", {}],
    ["instruction files", FILES],
  ] as const) {
    it(`replaces metadata in place (wrapped key in ${where})`, async () => {
      const tried = await atEachRequest(options, "content", (client) => client.send(copies("k", REPLACE)), ["k"]);
      expect(tried).to.be.greaterThan(5);
    });

    it(`copies with other metadata (wrapped key in ${where})`, async () => {
      await atEachRequest(options, "content", (client) => client.send(copies("to", REPLACE)), ["k", "to"]);
    });
  }

  it("wraps the data key anew", async () => {
    const options = { Bucket: BUCKET, Key: "k", to: { keyring: renewed }, settleTime: 0 } as const;
    const tried = await atEachRequest({}, "content", (client) => rewrapObject(client, options), ["k"]);
    expect(tried).to.be.greaterThan(8);
  });

  it("wraps anew the data key of what is copied in parts", async () => {
    const limit = { settleTime: 0, copyLimit: 5 * 1024 ** 2 };
    const options = { Bucket: BUCKET, Key: "k", to: { keyring: renewed }, ...limit } as const;
    // From the beginning of the upload on.
    const tried = await atEachRequest({}, content, (client) => rewrapObject(client, options), ["k"], {
      from: 8,
      ways: ["unanswered"],
    });
    expect(tried).to.be.greaterThan(7);
  });
});
