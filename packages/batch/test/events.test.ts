import { randomBytes } from "node:crypto";
import { PutBucketVersioningCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type BatchHandler, createBatchHandler } from "@s3ec/batch";
import { S3EncryptionClient } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { eventOf } from "./invocation.js";

const Bucket = "amzn-s3-demo-bucket";
const KEY = "a b+c/ü %2B,\n.txt";

describe("events of S3 Batch Operations", () => {
  let server: DevServer;
  let s3: S3Client;
  let encrypting: S3EncryptionClient;
  let audit: BatchHandler;
  before(async () => {
    server = await startDevServer({ buckets: [Bucket] });
    s3 = new S3Client(server.clientConfig);
    const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    encrypting = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
    audit = createBatchHandler({ env: { S3EC_OPERATION: "audit" }, s3: server.clientConfig });
  });
  after(async () => {
    s3.destroy();
    encrypting.destroy();
    await server.close();
  });

  it("are answered in schema 1.0 as AWS documents it", async () => {
    await encrypting.send(new PutObjectCommand({ Bucket, Key: "customerImage1.jpg", Body: "x" }));
    const answer = await audit({
      invocationSchemaVersion: "1.0",
      invocationId: "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo",
      job: { id: "f3cc4f60-61f6-4a2b-8a21-d07600c373ce" },
      tasks: [
        {
          taskId: "dGFza2lkZ29lc2hlcmUK",
          s3Key: "customerImage1.jpg",
          s3VersionId: null,
          s3BucketArn: `arn:aws:s3:::${Bucket}`,
        },
      ],
    });
    const [result, ...others] = answer.results;
    expect(others).to.deep.equal([]);
    expect({ ...answer, results: [{ ...result, resultString: "" }] }).to.deep.equal({
      invocationSchemaVersion: "1.0",
      treatMissingKeysAs: "PermanentFailure",
      invocationId: "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo",
      results: [{ taskId: "dGFza2lkZ29lc2hlcmUK", resultCode: "Succeeded", resultString: "" }],
    });
    expect(JSON.parse(result?.resultString ?? "")).to.include({ state: "encrypted", format: "V3" });
    const older = {
      taskId: "1",
      s3Key: "customerImage1.jpg",
      s3BucketArn: `arn:aws:s3:us-east-1:0123456788:${Bucket}`,
    };
    const event = { invocationSchemaVersion: "1.0", invocationId: "1", job: { id: "1" }, tasks: [older] };
    expect((await audit(event)).results[0]?.resultString).to.equal(result?.resultString);
  });

  it("hold several tasks, whose keys are decoded once and whose versions are named", async () => {
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const { VersionId = "" } = await encrypting.send(new PutObjectCommand({ Bucket, Key: KEY, Body: "first" }));
    await s3.send(new PutObjectCommand({ Bucket, Key: KEY, Body: "second, in the clear" }));
    const answer = await audit(eventOf(Bucket, [KEY, { Key: KEY, VersionId }, "not there", `${KEY}x`]));
    expect(answer.invocationSchemaVersion).to.equal("2.0");
    expect(answer.results.map(({ taskId }) => taskId)).to.deep.equal([KEY, KEY, "not there", `${KEY}x`]);
    const states = answer.results.map(({ resultString }) => JSON.parse(resultString).state);
    expect(states).to.deep.equal(["plain", "encrypted", "nothing", "nothing"]);
    const asked = new Set(server.requests.filter(({ operation }) => operation === "HeadObject").map(({ key }) => key));
    expect(asked).to.include(KEY);
  });

  it("with a key that is none fail for that task alone", async () => {
    const event = {
      invocationSchemaVersion: "2.0",
      invocationId: "1",
      job: { id: "1" },
      tasks: [
        { taskId: "bad", s3Bucket: Bucket, s3Key: "100%", s3VersionId: null },
        { taskId: "none", s3Bucket: Bucket, s3Key: "", s3VersionId: null },
        { taskId: "nowhere", s3Key: "a" },
        { taskId: "good", s3Bucket: Bucket, s3Key: "not+there", s3VersionId: "" },
      ],
    };
    const { results } = await audit(event);
    expect(results.map(({ resultCode }) => resultCode)).to.deep.equal([
      "PermanentFailure",
      "PermanentFailure",
      "PermanentFailure",
      "Succeeded",
    ]);
    expect(results[0]?.resultString).to.contain('no URL-encoded key: "100%"');
  });

  it("of no such job are refused", async () => {
    for (const event of [undefined, {}, { Records: [] }, { ...eventOf(Bucket, []), invocationSchemaVersion: "3.0" }]) {
      const error = await audit(event).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(String(error)).to.contain("This is no invocation by S3 Batch Operations");
    }
  });

  it("say what is wrong with a job, task by task, and what the environment says no job says otherwise", async () => {
    const said = async (userArguments: Record<string, string>) =>
      (await audit(eventOf(Bucket, ["a"], userArguments))).results[0];
    expect(await said({ operation: "migrate" })).to.include({
      resultCode: "PermanentFailure",
      resultString:
        'invalid-argument: The function\'s S3EC_OPERATION is "audit", so that no job\'s user argument operation can be "migrate".',
    });
    expect((await said({ operaton: "audit" }))?.resultString).to.contain("operation");
    expect((await said({ askKms: "yes" }))?.resultString).to.contain("askKms must be true or false");
    expect((await said({ context: "tenant=a" }))?.resultString).to.contain('{"tenant":"a"}');
    expect((await said({ before: "yesterday" }))?.resultString).to.contain("a date in UTC");
    const open = createBatchHandler({ env: {}, s3: server.clientConfig });
    const { results } = await open(eventOf(Bucket, ["a"]));
    expect(results[0]?.resultString).to.contain("operation must be one of audit, verify, rewrap, migrate");
    expect((await open(eventOf(Bucket, ["a"], { operation: "verify" }))).results[0]?.resultString).to.contain(
      "Set S3EC_CONFIG",
    );
  });

  it("are answered in at most 1,024 characters on one line", async () => {
    const materialDescription = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`name${n}`, "ü".repeat(60)]));
    const send = (Key: string) =>
      encrypting.send(new PutObjectCommand({ Bucket, Key, Body: "x" }), {
        materialDescription: Object.fromEntries(Object.entries(materialDescription).slice(0, 4)),
      });
    await send("described");
    const { results } = await audit(eventOf(Bucket, ["described", "a\u2028b".repeat(200)]));
    for (const { resultString } of results) {
      expect(resultString.length).to.be.at.most(1024);
      expect(resultString).to.not.match(/[\r\n\u2028]/);
      JSON.parse(resultString);
    }
  });
});
