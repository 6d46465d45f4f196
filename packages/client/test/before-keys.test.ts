import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3EncryptionClient } from "@s3ec/client";
import { S3Format } from "@s3ec/format-s3";
import { DefaultMaterialsManager, type MaterialsManager, type ObjectFormat } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, put, refusal, TEST_KEYRING } from "./fixture.js";

describe("what is wrong with a call is said before a key is used:", () => {
  let fixture: Fixture;
  let client: S3EncryptionClient;
  let times = 0;
  const content = bytesOfLength(10_000);
  before(async () => {
    fixture = await Fixture.start();
    const manager = new DefaultMaterialsManager(TEST_KEYRING);
    const materialsManager: MaterialsManager = {
      wrapAlgorithms: manager.wrapAlgorithms,
      getEncryptionMaterials: (request) => {
        times++;
        return manager.getEncryptionMaterials(request);
      },
      getDecryptionMaterials: (request) => {
        times++;
        return manager.getDecryptionMaterials(request);
      },
    };
    const formats = [new S3Format({ enableLegacyUnauthenticatedModes: true })];
    client = fixture.client({ materialsManager, formats });
    await client.send(put("object", content));
  });
  after(() => fixture.close());
  beforeEach(() => {
    times = 0;
    fixture.server.clearRequests();
  });

  for (const [what, Metadata] of Object.entries({
    "without a value": { a: undefined },
    "with a number": { a: 5 },
    "that is null": null,
    "that is a Map": new Map([["a", "b"]]),
  })) {
    it(`metadata ${what}`, async () => {
      const input = { Bucket: BUCKET, Key: "new", Body: "secret", Metadata };
      const refused = await refusal(client.send(Reflect.construct(PutObjectCommand, [input])));
      expect(refused.code).to.equal("invalid-argument");
      expect([times, fixture.server.requests.length]).to.deep.equal([0, 0]);
    });
  }

  for (const Command of [PutObjectCommand, GetObjectCommand, DeleteObjectCommand, CopyObjectCommand]) {
    for (const [name, input] of Object.entries({
      "no Key": { Bucket: BUCKET },
      "an empty Key": { Bucket: BUCKET, Key: "" },
      "no Bucket": { Key: "object" },
    })) {
      it(`${Command.name} with ${name}`, async () => {
        const given = { ...input, Body: "secret", CopySource: `${BUCKET}/object` };
        const refused = await refusal(client.send(Reflect.construct(Command, [given])));
        expect(refused.code).to.equal("invalid-argument");
        expect(refused.message).to.contain(name.includes("Key") ? "name a Key" : "name a Bucket");
        expect([times, fixture.server.requests.length]).to.deep.equal([0, 0]);
      });
    }
  }

  for (const [what, options] of Object.entries({
    "a Map": new Map([["encryptionContext", { tenant: "a" }]]),
    "a promise": Promise.resolve({ encryptionContext: { tenant: "a" } }),
  })) {
    it(`options that are ${what}, which would bind nothing`, async () => {
      const refused = await refusal(Reflect.apply(client.send, client, [put("new"), options]));
      expect(refused.code).to.equal("invalid-argument");
      expect([times, fixture.server.requests.length]).to.deep.equal([0, 0]);
    });
  }

  it("an answer of S3's to a range that is not one", async () => {
    client.middlewareStack.add((next) => (args) => next({ ...args, input: { ...args.input, Range: undefined } }), {
      step: "initialize",
      priority: "low",
      name: "ignoreRanges",
    });
    try {
      const range = new GetObjectCommand({ Bucket: BUCKET, Key: "object", Range: "bytes=1-2" });
      expect((await refusal(client.send(range))).code).to.equal("content-mismatch");
      expect(times).to.equal(0);
    } finally {
      client.middlewareStack.remove("ignoreRanges");
    }
  });
});

describe("a range among formats", () => {
  it("is not as wide as the first of them says, which the object need not be of", async () => {
    const fixture = await Fixture.start();
    try {
      const content = bytesOfLength(10_000);
      await fixture.client().send(put("object", content));
      const s3 = new S3Format({ enableLegacyUnauthenticatedModes: true });
      const narrow: ObjectFormat = {
        name: "narrow",
        provesAll: true,
        assertMayWrite: () => {},
        recognise: () => "no",
        rangeToFetch: () => "bytes=0-0",
        open: (object) => s3.open(object),
        seal: (object) => s3.seal(object),
        plaintextLength: () => undefined,
        inspect: (object) => s3.inspect(object),
      };
      for (const formats of [
        [narrow, s3],
        [s3, narrow],
      ]) {
        const range = new GetObjectCommand({ Bucket: BUCKET, Key: "object", Range: "bytes=5000-6000" });
        const { Body } = await fixture.client({ formats }).send(range);
        const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
        expect(bytes.equals(content.subarray(5000, 6001))).to.equal(true);
      }
    } finally {
      await fixture.close();
    }
  });
});
