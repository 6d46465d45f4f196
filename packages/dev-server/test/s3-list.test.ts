import { ListObjectsV2Command, PutObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, type Fixture, refusal, sendRaw, startFixture } from "./fixture.js";

// In UTF-8, U+FF5E comes before U+1F600; as JavaScript strings they are the other way round.
const keys = ["A", "a", "a b&<", "a/1", "a/2", "a/b/3", "b", "b/1", "é", "～", "😀"];

describe("ListObjectsV2", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await startFixture();
    for (const Key of [...keys].reverse()) await fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  });
  after(async () => fixture[Symbol.asyncDispose]());

  const list = async (more: object = {}) => {
    const output = await fixture.s3.send(new ListObjectsV2Command({ Bucket, ...more }));
    return {
      keys: output.Contents?.map(({ Key }) => Key) ?? [],
      prefixes: output.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [],
      output,
    };
  };

  it("lists in the byte order of UTF-8, with what is known of each", async () => {
    const { keys: listed, output } = await list();
    expect(listed).to.deep.equal(keys);
    expect(output).to.include({ KeyCount: keys.length, IsTruncated: false, MaxKeys: 1000, Name: Bucket });
    expect(output.Contents?.at(-1)).to.deep.include({
      Size: 4,
      StorageClass: "STANDARD",
      ChecksumAlgorithm: ["CRC32"],
    });
  });

  it("lists under a prefix, and rolls up what lies behind a delimiter", async () => {
    expect((await list({ Prefix: "a/" })).keys).to.deep.equal(["a/1", "a/2", "a/b/3"]);
    expect(await list({ Delimiter: "/" })).to.deep.include({
      keys: ["A", "a", "a b&<", "b", "é", "～", "😀"],
      prefixes: ["a/", "b/"],
    });
    expect(await list({ Prefix: "a/", Delimiter: "/" })).to.deep.include({ keys: ["a/1", "a/2"], prefixes: ["a/b/"] });
    expect((await list({ Prefix: "none" })).keys).to.deep.equal([]);
  });

  for (const MaxKeys of [1, 2, 3, 100])
    it(`gives everything once in pages of ${MaxKeys}`, async () => {
      const found: (string | undefined)[] = [];
      const pages = paginateListObjectsV2({ client: fixture.s3, pageSize: MaxKeys }, { Bucket, Delimiter: "/" });
      for await (const { Contents = [], CommonPrefixes = [], KeyCount } of pages) {
        expect(KeyCount).to.be.at.most(MaxKeys);
        found.push(...Contents.map(({ Key }) => Key), ...CommonPrefixes.map(({ Prefix }) => Prefix));
      }
      expect(found).to.have.members(["A", "a", "a b&<", "a/", "b", "b/", "é", "～", "😀"]);
    });

  it("starts after a key", async () => {
    expect((await list({ StartAfter: "b" })).keys).to.deep.equal(["b/1", "é", "～", "😀"]);
    expect((await list({ StartAfter: "a/1", Prefix: "a/" })).keys).to.deep.equal(["a/2", "a/b/3"]);
  });

  it("escapes keys when asked to", async () => {
    const { keys: listed, output } = await list({ EncodingType: "url", Prefix: "a b" });
    expect(listed).to.deep.equal(["a%20b%26%3C"]);
    expect(output.Prefix).to.equal("a%20b");
  });

  it("refuses what it does not understand", async () => {
    expect(await refusal(list({ ContinuationToken: "!" }))).to.equal("InvalidArgument 400");
    const get = async (query: string): Promise<number> =>
      (await sendRaw(fixture.server, { method: "GET", path: `/${Bucket}?${query}` })).status;
    expect(await get("list-type=2&max-keys=x")).to.equal(400);
    expect(await get("list-type=2&encoding-type=x")).to.equal(400);
    expect(await get("list-type=1")).to.equal(501);
  });
});
