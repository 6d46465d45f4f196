import { randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { EncryptedUpload, type S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";
import { ToyFormat } from "./toy-format.js";
import { errorOf, retryingClient } from "./transfers.js";

/** As a client of ours must have it that is not one of AWS, the pin on the content is what counts here. */
describe("metadata", () => {
  let fixture: Fixture;
  let client: S3EncryptionClient;
  before(async () => {
    fixture = await Fixture.start();
    client = fixture.client();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const read = async (key: string, reader = client) => (await reader.send(get(key))).Body?.transformToString();
  const replaced = (from: string, Key: string, more: Partial<CopyObjectCommandInput> = {}): CopyObjectCommand =>
    new CopyObjectCommand({
      Bucket: BUCKET,
      Key,
      CopySource: `${BUCKET}/${from}`,
      MetadataDirective: "REPLACE",
      Metadata: { mine: "2" },
      ...more,
    });
  const mine = async (key: string): Promise<object> =>
    Object.fromEntries(Object.entries(await fixture.metadata(key)).filter(([name]) => !name.startsWith("x-amz-")));
  const stored = (key: string, more: object = {}) =>
    client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: "content", Metadata: { mine: "1", old: "1" }, ...more }),
    );

  describe("that a get gave", () => {
    for (const policy of ["REQUIRE_ENCRYPT_REQUIRE_DECRYPT", "FORBID_ENCRYPT_ALLOW_DECRYPT"] as const) {
      it(`may be given back to a put, an upload and a copy (${policy})`, async () => {
        const s3 = fixture.client({ commitmentPolicy: policy });
        await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "back", Body: "one", Metadata: { owner: "me" } }));
        const { Metadata = {}, Body } = await s3.send(get("back"));
        expect(Object.keys(Metadata).length).to.be.greaterThan(3);
        const before = await fixture.metadata("back");
        const text = `${await Body?.transformToString()}, two`;
        await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "back", Body: text, Metadata }));
        expect([await read("back", s3), await mine("back")]).to.deep.equal(["one, two", { owner: "me" }]);
        // The envelope is the new object's, not the one that was given back.
        expect(Object.values(await fixture.metadata("back"))).not.to.include.members(Object.values(before));
        const params = { Bucket: BUCKET, Key: "uploaded", Body: text, Metadata };
        await new EncryptedUpload({ client: s3, params }).done();
        expect([await read("uploaded", s3), await mine("uploaded")]).to.deep.equal(["one, two", { owner: "me" }]);
        await s3.send(replaced("back", "back-copy", { Metadata: { ...Metadata, more: "1" } }));
        expect([await read("back-copy", s3), await mine("back-copy")]).to.deep.equal([
          "one, two",
          { owner: "me", more: "1" },
        ]);
      });
    }

    it("is refused where another name of those that no caller may use is in it", async () => {
      for (const name of ["x-amz-meta-owner", "X-Amz-Key-V4"]) {
        const error = await refusal(
          client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: "x", Metadata: { [name]: "1" } })),
        );
        expect(error.message).to.include(`"${name}"`);
      }
    });
  });

  describe("is replaced by a copy that keeps the envelope", () => {
    it("to another key, with the headers of the copy alone", async () => {
      await stored("from", { ContentType: "text/plain", CacheControl: "no-store" });
      const { CopyObjectResult } = await client.send(replaced("from", "to", { ContentType: "text/html" }));
      expect(await read("to")).to.equal("content");
      expect(await mine("to")).to.deep.equal({ mine: "2" });
      const head = await fixture.plain.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "to" }));
      expect([head.ContentType, head.CacheControl, head.ETag]).to.deep.equal([
        "text/html",
        undefined,
        CopyObjectResult?.ETag,
      ]);
      expect(await mine("from")).to.deep.equal({ mine: "1", old: "1" });
    });

    it("onto itself, in format V2 too, and of what every format puts into metadata", async () => {
      const options: Partial<S3EncryptionOptions>[] = [
        {},
        { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" },
        { instructionFileConfig: { enableInstructionFilePutObject: true } },
      ];
      for (const [index, option] of options.entries()) {
        const s3 = fixture.client(option);
        const key = `own-${index}`;
        await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: "content", Metadata: { mine: "1" } }));
        await s3.send(replaced(key, key));
        expect([await read(key, s3), await mine(key)]).to.deep.equal(["content", { mine: "2" }]);
      }
    });

    it("of a message, whose metadata is all the caller's", async () => {
      const messageKey = { namespace: "n", name: "k" };
      const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32), messageKey });
      const s3 = fixture.client({ keyring, formats: [new AwsMessageFormat(), new S3Format()] });
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "message", Body: "content", Metadata: { mine: "1" } }));
      await s3.send(replaced("message", "message"));
      await s3.send(replaced("message", "message-copy"));
      expect([await read("message", s3), await read("message-copy", s3)]).to.deep.equal(["content", "content"]);
      expect(await mine("message-copy")).to.deep.equal({ mine: "2" });
    });

    it("of a format that this client was not given", async () => {
      await stored("unknown");
      const s3 = fixture.client({ formats: [new AwsMessageFormat()] });
      await s3.send(replaced("unknown", "unknown-copy"));
      expect(await read("unknown-copy")).to.equal("content");
    });

    it("with another key of the customer's", async () => {
      const key = (byte: number) => Buffer.alloc(32, byte).toString("base64");
      const before = { SSECustomerAlgorithm: "AES256", SSECustomerKey: key(1) };
      const after = { SSECustomerAlgorithm: "AES256", SSECustomerKey: key(2) };
      await stored("ssec", before);
      const source = { CopySourceSSECustomerAlgorithm: "AES256", CopySourceSSECustomerKey: key(1) };
      fixture.server.faults.add({ operation: "CopyObject", performed: true, times: 1 });
      await client.send(replaced("ssec", "ssec", { ...source, ...after }));
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "ssec", ...after }));
      expect(await Body?.transformToString()).to.equal("content");
    });
  });

  describe("is not replaced", () => {
    it("by an old envelope over a newer object: between the look and the copy, and while S3 copies", async () => {
      for (const at of ["request", "commit"] as const) {
        await stored("newer");
        const pause = fixture.server.faults.pause({ operation: "CopyObject", key: "newer", at });
        const copying = refusal(client.send(replaced("newer", "newer")));
        await pause.reached;
        await client.send(put("newer", "new"));
        pause.release();
        expect((await copying).code).to.equal("content-mismatch");
        expect([await read("newer"), await mine("newer")]).to.deep.equal(["new", {}]);
      }
    });

    it("where the object was deleted meanwhile", async () => {
      await stored("gone");
      const pause = fixture.server.faults.pause({ operation: "CopyObject", key: "gone" });
      const copying = errorOf(client.send(replaced("gone", "gone")));
      await pause.reached;
      await fixture.plain.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "gone" }));
      pause.release();
      await copying;
      expect(await fixture.keys("gone")).to.deep.equal([]);
    });

    it("where the caller's own condition does not hold, which ours must not switch off", async () => {
      await stored("conditional");
      const past = new Date(0);
      for (const condition of [
        { CopySourceIfMatch: '"another"' },
        { CopySourceIfUnmodifiedSince: past },
        { CopySourceIfNoneMatch: (await fixture.plain.send(get("conditional"))).ETag },
        { IfMatch: '"another"' },
        { IfNoneMatch: "*" },
      ]) {
        await errorOf(client.send(replaced("conditional", "conditional", condition)));
        expect(await mine("conditional")).to.deep.equal({ mine: "1", old: "1" });
      }
      const { ETag } = await fixture.plain.send(get("conditional"));
      const holding = { CopySourceIfMatch: ETag, CopySourceIfUnmodifiedSince: new Date(), IfMatch: ETag };
      await client.send(replaced("conditional", "conditional", holding));
      expect(await mine("conditional")).to.deep.equal({ mine: "2" });
    });

    it("by what is not the caller's, or more than fits beside the envelope", async () => {
      await stored("limits");
      const cases = [{ "x-amz-mine": "1" }, { mine: "1".repeat(2000) }, { mine: "é" }];
      for (const Metadata of cases) {
        expect((await refusal(client.send(replaced("limits", "limits", { Metadata })))).code).to.equal(
          "invalid-argument",
        );
      }
      expect(await mine("limits")).to.deep.equal({ mine: "1", old: "1" });
    });

    it("where the envelope cannot be said again", async () => {
      const { body, metadata } = await (async () => {
        await stored("told");
        return fixture.stored("told");
      })();
      const headers = { "x-amz-missing-meta": "1" };
      await fixture.server.putRawObject(BUCKET, "missing", { body, metadata, headers });
      const error = await refusal(client.send(replaced("missing", "missing")));
      expect([error.code, error.message]).to.satisfy(
        ([code, message]: string[]) => code === "unsupported-operation" && /MissingMeta/.test(message ?? ""),
      );
      class Silent extends ToyFormat {
        override recognise(): "by-metadata" {
          return "by-metadata";
        }
      }
      const s3 = fixture.client({ formats: [new Silent() as never, new S3Format()] });
      const silent = await refusal(s3.send(replaced("told", "told")));
      expect(silent.message).to.match(/"box".*metadataNames/);
    });
  });

  it("replaced is a success although the answer was lost, also by a client that tries again", async () => {
    for (const s3 of [client, retryingClient(fixture)]) {
      await stored("lost");
      fixture.server.faults.add({ operation: "CopyObject", key: "lost", performed: true, times: 1 });
      const { CopyObjectResult } = await s3.send(replaced("lost", "lost"));
      expect(CopyObjectResult?.ETag).to.equal((await fixture.plain.send(get("lost"))).ETag);
      expect([await read("lost"), await mine("lost")]).to.deep.equal(["content", { mine: "2" }]);
    }
  });
});
