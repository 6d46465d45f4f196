import { randomBytes } from "node:crypto";
import { type AuditOptions, auditObjects, migrateObjects, rawKeyQuestion, verifyObjects } from "@s3ec/bulk";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { loadMessages, readMessage } from "@s3ec/test-vectors";
import { expect } from "chai";
import { BUCKET, BulkFixture } from "./bulk-fixture.js";
import { gathered } from "./gathered.js";

const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const asks = { keyQuestion: rawKeyQuestion({ keyring, keyKind: "aes" }) };
const LONG = 100_000;

describe("an audit of messages of the AWS Encryption SDK", () => {
  let fixture: BulkFixture;
  beforeEach(async () => {
    fixture = await BulkFixture.start();
  });
  afterEach(() => fixture.close());

  const store = (key: string, body: Uint8Array) => fixture.server.putRawObject(BUCKET, key, { body, metadata: {} });
  async function* named(...keys: string[]) {
    for (const Key of keys) yield { Key };
  }
  const audit = async (keys: string[], options: Partial<AuditOptions> = {}) =>
    (await gathered(auditObjects(fixture.plain, named(...keys), { Bucket: BUCKET, ...options }))).map(
      ({ state, needsKey }) => [state, needsKey],
    );

  it("knows each by its first bytes, and takes none for free of the key", async () => {
    const messages = loadMessages().filter(({ expect: refused }) => refused === undefined);
    expect(messages).to.have.length.above(10);
    const keys = messages.map((_, index) => `m/${index}`);
    for (const [index, each] of messages.entries()) await store(keys[index] ?? "", readMessage(each));
    const found = await audit(keys, asks);
    expect(found).to.deep.equal(keys.map(() => ["message", "unknown"]));
  });

  it("looks into what is longer than an instruction file where a key is asked about, or when told to", async () => {
    const [message] = loadMessages();
    if (message === undefined) throw new Error("no message");
    await store("long", Buffer.concat([readMessage(message), Buffer.alloc(LONG)]));
    await store("plain", Buffer.alloc(LONG));
    const keys = ["long", "plain"];
    fixture.server.clearRequests();
    expect(await audit(keys)).to.deep.equal([
      ["plain", undefined],
      ["plain", undefined],
    ]);
    const ranges = () =>
      fixture.server.requests
        .filter(({ operation, key }) => operation === "GetObject" && keys.includes(key ?? ""))
        .map(({ headers }) => headers.range);
    expect(ranges()).to.deep.equal([]);
    expect(await audit(keys, { messages: true })).to.deep.equal([
      ["message", undefined],
      ["plain", undefined],
    ]);
    expect(ranges()).to.deep.equal(["bytes=0-2", "bytes=0-2"]);
    // "Nothing needs it" is never said of what was not looked at.
    for (const messages of [undefined, false]) {
      const options = messages === undefined ? asks : { ...asks, messages };
      expect(await audit(keys, options)).to.deep.equal([
        ["message", "unknown"],
        ["plain", "no"],
      ]);
    }
    fixture.server.faults.add({ operation: "GetObject", key: "plain", status: 403 });
    expect(await audit(["plain"], asks)).to.deep.equal([["unknown", "unknown"]]);
  });

  it("has no run take one for what is not encrypted", async () => {
    const [message] = loadMessages();
    if (message === undefined) throw new Error("no message");
    await store("long", Buffer.concat([readMessage(message), Buffer.alloc(LONG)]));
    await store("plain", Buffer.alloc(LONG));
    const keys = ["long", "plain"];
    const migrated = await gathered(migrateObjects(fixture.client(), named(...keys), { Bucket: BUCKET }));
    expect(migrated.map(({ outcome, code }) => [outcome, code])).to.deep.equal([
      ["refused", "not-encrypted"],
      ["skipped", undefined],
    ]);
    expect(migrated[0]?.problem).to.contain("begins like a message");
    const verified = await gathered(verifyObjects(fixture.client(), named(...keys), { Bucket: BUCKET }));
    expect(verified.map(({ state }) => state)).to.deep.equal(["failed", "plain"]);
  });
});
