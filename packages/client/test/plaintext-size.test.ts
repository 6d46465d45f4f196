import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedUpload, plaintextSize, withPlaintextSizes } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, Fixture, refusal } from "./fixture.js";

describe("plaintextSize", () => {
  const table: readonly (readonly [string, Record<string, string>, number | undefined, number | undefined])[] = [
    ["V3", { "x-amz-c": "115" }, 116, 100],
    ["V3 in another letter case (H35)", { "X-Amz-C": "115" }, 116, 100],
    ["V2, GCM", { "x-amz-cek-alg": "AES/GCM/NoPadding" }, 16, 0],
    ["V2, GCM, whatever length its writer left", gcm("5"), 116, 100],
    ["GCM shorter than its tag", { "x-amz-cek-alg": "AES/GCM/NoPadding" }, 15, undefined],
    ["CBC", { "x-amz-cek-alg": "AES/CBC/PKCS5Padding" }, 112, undefined],
    ["CBC with its length left", cbc("100"), 112, 100],
    ["CBC of whole blocks with its length left", cbc("96"), 112, 96],
    ["CBC with a length left that cannot be", cbc("95"), 112, undefined],
    ["CBC with a longer length left", cbc("112"), 112, undefined],
    ["CBC with something else left", cbc("ten"), 112, undefined],
    ["no envelope in the metadata", { a: "b" }, 112, undefined],
    ["no length", { "x-amz-c": "115" }, undefined, undefined],
  ];
  for (const [name, Metadata, ContentLength, expected] of table) {
    it(`is ${expected} for ${name}`, () => expect(plaintextSize({ Metadata, ContentLength })).to.equal(expected));
  }

  function gcm(length: string): Record<string, string> {
    return { "x-amz-cek-alg": "AES/GCM/NoPadding", "x-amz-unencrypted-content-length": length };
  }
  function cbc(length: string): Record<string, string> {
    return { "x-amz-cek-alg": "AES/CBC/PKCS5Padding", "x-amz-unencrypted-content-length": length };
  }

  describe("of what is stored", () => {
    let fixture: Fixture;
    before(async () => {
      fixture = await Fixture.start();
    });
    after(() => fixture.close());

    it("tells HeadObject and a listing apart from ciphertext sizes", async () => {
      const client = fixture.client();
      for (const size of [0, 1, 1000]) {
        const Key = `size ${size}`;
        await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Buffer.alloc(size) }));
      }
      const filed = { Bucket: BUCKET, Key: "size in file", Body: Buffer.alloc(77) };
      await new EncryptedUpload({ client, params: filed, instructionFileSuffix: ".escrow" }).done();
      await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "size of a clear one", Body: "abc" }));
      const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "size 1000" }));
      expect(plaintextSize(head)).to.equal(1000);
      const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: "size" }));
      const gone = { Key: "size of one that is gone", Size: 3 };
      const listing = { Bucket: BUCKET, Contents: [...(Contents ?? []), gone] };
      const sizes = new Map<string | undefined, number | undefined>();
      for await (const { Key, PlaintextSize } of withPlaintextSizes(client, listing, { queueSize: 2 })) {
        sizes.set(Key, PlaintextSize);
      }
      expect(Object.fromEntries(sizes)).to.deep.equal({
        "size 0": 0,
        "size 1": 1,
        "size 1000": 1000,
        "size in file": 77,
        "size in file.escrow": undefined,
        "size of a clear one": undefined,
        "size of one that is gone": undefined,
      });
    });

    it("takes S3's own answers to a listing, with escaped keys too", async () => {
      const client = fixture.client();
      const keys = ["answer/a b+c", "answer/ü%20"];
      for (const Key of keys) await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Key }));
      const listed = { Bucket: BUCKET, Prefix: "answer/" };
      const sizes = async (listing: Parameters<typeof withPlaintextSizes>[1]): Promise<unknown[]> => {
        const found: unknown[] = [];
        for await (const { Key, PlaintextSize } of withPlaintextSizes(client, listing))
          found.push([Key, PlaintextSize]);
        return found;
      };
      const expected = keys.map((key) => [key, Buffer.byteLength(key)]);
      expect(await sizes(await client.send(new ListObjectsV2Command(listed)))).to.deep.equal(expected);
      const escaped = await client.send(new ListObjectsV2Command({ ...listed, EncodingType: "url" }));
      expect(escaped.Contents?.map(({ Key }) => Key)).to.not.deep.equal(keys);
      const found = [
        [escaped.Contents?.[0]?.Key, 12],
        [escaped.Contents?.[1]?.Key, 12],
      ];
      expect(await sizes(escaped)).to.deep.equal(found);
      const asS3 = { ...escaped, Contents: [{ Key: "answer%2Fa+b%2Bc" }] };
      expect(await sizes(asS3)).to.deep.equal([["answer%2Fa+b%2Bc", 12]]);
      expect((await refusal(sizes({ Contents: [] }))).code).to.equal("invalid-argument");
    });

    it("keeps what S3 says of each entry", async () => {
      const page = await fixture.plain.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: "size 1000" }));
      for await (const entry of withPlaintextSizes(fixture.plain, page)) {
        // Types of both, without a cast.
        const { Size, PlaintextSize }: { Size?: number | undefined; PlaintextSize: number | undefined } = entry;
        expect([Size, PlaintextSize]).to.deep.equal([1016, 1000]);
      }
    });
  });
});
