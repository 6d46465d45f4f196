import { PassThrough } from "node:stream";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { EncryptedDownload, S3EncryptionClient } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";

describe("what is asked of S3", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  it("asks for no version by name in a bucket that keeps versions, unless the caller does", async () => {
    const options = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    await fixture.client(options).send(put("versioned", bytesOfLength(3_000_000)));
    const client = fixture.client();
    const asked = new Set<string | undefined>();
    client.middlewareStack.add(
      (next) => async (args) => {
        const { input } = args;
        if ("VersionId" in input) asked.add(input.VersionId);
        const result = await next(args);
        return { ...result, output: { ...result.output, VersionId: "v1" } };
      },
      { step: "build", name: "versions" },
    );
    const { Body, VersionId } = await client.send(get("versioned"));
    expect((await Body?.transformToByteArray())?.length).to.equal(3_000_000);
    const params = { Bucket: BUCKET, Key: "versioned" };
    const to = new PassThrough().resume();
    await new EncryptedDownload({ client, params, to, partSize: 1_000_000 }).done();
    expect(VersionId).to.equal("v1");
    expect([...asked]).to.deep.equal([]);
    await client.send(new GetObjectCommand({ ...params, VersionId: "v0" })).catch(() => {});
    expect([...asked]).to.deep.equal(["v0"]);
  });

  it("locks an instruction file as its object, with the checksum that S3 takes no lock without", async () => {
    const config = { ...fixture.server.clientConfig, requestChecksumCalculation: "WHEN_REQUIRED" } as const;
    const instructionFileConfig = { enableInstructionFilePutObject: true };
    const encryption = { keyring: TEST_KEYRING, instructionFileConfig };
    const client = fixture.track(new S3EncryptionClient({ ...config, encryption }));
    const lock = { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: new Date("2100-01-01") } as const;
    const params = { Bucket: BUCKET, Key: "locked", Body: "x", ChecksumAlgorithm: "SHA256" } as const;
    // The server has no locks, and says so.
    await client.send(new PutObjectCommand({ ...params, ...lock })).catch(() => {});
    const file = fixture.server.requests.find(
      ({ operation, key }) => operation === "PutObject" && key === "locked.instruction",
    );
    expect(file?.headers).to.include({
      "x-amz-object-lock-mode": "COMPLIANCE",
      "x-amz-object-lock-retain-until-date": "2100-01-01T00:00:00Z",
    });
    expect(file?.headers).to.have.property("x-amz-checksum-sha256");
  });

  it("refuses a call's options before it deletes or copies anything", async () => {
    const client = fixture.client();
    await client.send(put("stays"));
    const wrong = { instructionFileSuffix: "." };
    const [Bucket, Key] = [BUCKET, "stays"];
    const copy = new CopyObjectCommand({ Bucket, Key: "stays-copied", CopySource: "bucket/stays" });
    const several = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } });
    for (const send of [
      () => client.send(new DeleteObjectCommand({ Bucket, Key }), wrong),
      () => client.send(several, wrong),
      () => client.send(copy, wrong),
    ]) {
      expect((await refusal(send())).code).to.equal("invalid-argument");
    }
    expect(await fixture.keys("stays")).to.deep.equal(["stays"]);
  });
});
