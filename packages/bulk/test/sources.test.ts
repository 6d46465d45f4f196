import { DeleteObjectCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { listObjects, readKeys, type StoredObject } from "@s3ec/bulk";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { gathered, refusal } from "./gathered.js";

const STRANGE = ["a+b c.txt", "a%2Fb", "line\nbreak", "ä/€", "\u{1f511}", "x".repeat(1024), "a\u0001b"];

describe("listObjects", () => {
  let server: DevServer;
  let client: S3Client;
  before(async () => {
    server = await startDevServer({ buckets: ["many", "strange", "versioned"] });
    client = new S3Client(server.clientConfig);
  });
  after(async () => {
    client.destroy();
    await server.close();
  });

  it("lists every key once, over pages, and below a prefix only", async () => {
    const keys = Array.from({ length: 1205 }, (_, index) => `${index < 5 ? "other" : "p"}/${index}`);
    for (const key of keys) await server.putRawObject("many", key, { body: "x" });
    const all = await gathered(listObjects(client, { Bucket: "many" }));
    expect(all.map(({ Key }) => Key)).to.have.members(keys);
    expect(all).to.have.length(1205);
    expect(all[0]).to.include({ Size: 1 });
    expect(all[0]?.LastModified).to.be.instanceOf(Date);
    const some = await gathered(listObjects(client, { Bucket: "many", Prefix: "other/" }));
    expect(some).to.have.length(5);
  });

  it("decodes keys that only an escaped listing can hold, once", async () => {
    for (const Key of STRANGE) await client.send(new PutObjectCommand({ Bucket: "strange", Key, Body: "x" }));
    const all = await gathered(listObjects(client, { Bucket: "strange" }));
    expect(all.map(({ Key }) => Key)).to.have.members(STRANGE);
  });

  it("lists versions and delete markers, over pages", async () => {
    const Bucket = "versioned";
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    // A page ends between the versions of the last.
    const keys = Array.from({ length: 10 }, (_, index) => `a b ${index}`);
    for (const key of keys) {
      for (let index = 0; index < 110; index++) await server.putRawObject(Bucket, key, { body: "x" });
      await client.send(new DeleteObjectCommand({ Bucket, Key: key }));
    }
    const all = await gathered(listObjects(client, { Bucket, versions: true }));
    expect(new Set(all.map(({ VersionId }) => VersionId))).to.have.length(1110);
    for (const key of keys) expect(all.filter(({ Key }) => Key === key)).to.have.length(111);
    expect(all.filter(({ isLatest }) => isLatest).map(({ Key }) => Key)).to.deep.equal(keys);
    expect(all.filter(({ isDeleteMarker }) => isDeleteMarker)).to.have.deep.members(all.filter((o) => o.isLatest));
    expect(await gathered(listObjects(client, { Bucket }))).to.deep.equal([]);
  });

  it("does not follow a listing that goes round in a circle", async () => {
    for (const places of [["a"], ["a", "b"], ["a", "b", "c", "d", "e"]]) {
      let asked = 0;
      const circling = {
        send: async () => {
          const next = places[asked++ % places.length];
          return { IsTruncated: true, NextContinuationToken: next, NextKeyMarker: next };
        },
      } as unknown as S3Client;
      for (const versions of [false, true]) {
        const error = await refusal(gathered(listObjects(circling, { Bucket: "b", versions })));
        expect(error.message).to.contain("goes on where it was before");
      }
    }
  });

  it("never takes a listing that breaks off for a whole one", async () => {
    const broken = {
      send: async () => ({ IsTruncated: true, Contents: [{ Key: "a" }] }),
    } as unknown as S3Client;
    for (const versions of [false, true]) {
      const error = await refusal(gathered(listObjects(broken, { Bucket: "b", versions })));
      expect(error.message).to.contain("breaks off");
    }
  });

  it("never takes an answer without a body for a listing, of the first page or a later one", async () => {
    for (const versions of [false, true]) {
      for (const pages of [[], [{ IsTruncated: true, NextContinuationToken: "2", NextKeyMarker: "k" }]]) {
        const left: object[] = [...pages];
        const store = { send: async () => left.shift() ?? { $metadata: { httpStatusCode: 200 } } };
        const error = await refusal(gathered(listObjects(store as unknown as S3Client, { Bucket: "b", versions })));
        expect(error.message).to.contain("says neither of what it is");
      }
    }
  });

  it("takes keys of a store that escapes nothing as they stand", async () => {
    const store = { send: async () => ({ Name: "b", Contents: [{ Key: "a+b%20c" }] }) } as unknown as S3Client;
    expect(await gathered(listObjects(store, { Bucket: "b" }))).to.deep.equal([{ Key: "a+b%20c" }]);
  });

  it("refuses unknown options", async () => {
    const options = { Bucket: "b", prefix: "x" } as unknown as { Bucket: string };
    expect((await refusal(gathered(listObjects(client, options)))).code).to.equal("invalid-argument");
  });
});

describe("readKeys", () => {
  const read = (chunks: readonly (string | Uint8Array)[], encoding?: "none" | "url"): Promise<StoredObject[]> => {
    async function* text() {
      yield* chunks;
    }
    return gathered(readKeys(text(), encoding === undefined ? {} : { encoding }));
  };

  it("takes each line as it stands, whatever the pieces", async () => {
    const text = Buffer.from("a+b\n%20\n\nä€ \n last");
    const whole = [{ Key: "a+b" }, { Key: "%20" }, { Key: "ä€ " }, { Key: " last" }];
    expect(await read([text])).to.deep.equal(whole);
    expect(await read([...text].map((byte) => Uint8Array.of(byte)))).to.deep.equal(whole);
  });

  it("decodes a list that is URL-encoded, once", async () => {
    expect(await read(["a+b%2520\nx%0Ay%0D\n"], "url")).to.deep.equal([{ Key: "a b%20" }, { Key: "x\ny\r" }]);
  });

  it("refuses what is no key, rather than guess one", async () => {
    for (const [text, said] of [
      [["a\r\nb\r\n"], "carriage return"],
      [[Uint8Array.of(0x61, 0xff, 0x0a)], "no UTF-8"],
      [[Uint8Array.of(0xe2, 0x82)], "no UTF-8"],
      [["x".repeat(1025)], "longer than any key"],
      [["x".repeat(4000)], "longer than any key"],
    ] as const) {
      const error = await refusal(read(text));
      expect(error.code).to.equal("invalid-argument");
      expect(error.message).to.contain(said);
    }
    expect((await refusal(read(["%zz"], "url"))).message).to.contain("URL-encoded");
    expect((await refusal(read(["a"], "guess" as "url"))).message).to.contain("encoding must be");
  });
});
