import { CopyObjectCommand, PutBucketVersioningCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { ObjectsSetting } from "./objects-setting.js";

// V2, whose whole envelope a file may hold.
const V2 = {
  commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT",
  encryptionAlgorithm: "ALG_AES_256_GCM_IV12_TAG16_NO_KDF",
};

describe("copies within S3 of what may be plain", () => {
  let at: ObjectsSetting;
  beforeEach(async () => {
    at = await ObjectsSetting.start();
    at.write("a", "secret");
  });
  afterEach(() => at.end());

  const isCopied = (Key: string): Promise<boolean> =>
    at.head(Key, "other").then(
      () => true,
      () => false,
    );

  for (const isInFile of [false, true]) {
    const how = isInFile ? "an envelope in a file" : "its envelope";
    it(`are refused of a plain version whose object is encrypted now, with ${how}; and not the other way round`, async () => {
      at.configure({ instructionFileConfig: { enableInstructionFilePutObject: isInFile }, ...V2 });
      const enabled = { Bucket: "demo", VersioningConfiguration: { Status: "Enabled" } } as const;
      await at.plain.send(new PutBucketVersioningCommand(enabled));
      await at.putPlain("v", "in the clear");
      const { VersionId: plain = "" } = await at.head("v");
      expect((await at.run("cp", "a", "s3://demo/v")).code).to.equal(0);
      const { VersionId: encrypted = "" } = await at.head("v");
      const refused = await at.run("cp", "s3://demo/v", "s3://other/v", "--version-id", plain);
      expect(refused.code).to.equal(4);
      expect(refused.stderr).to.contain("was not written by an S3 encryption client: say --plain copy");
      expect(await isCopied("v")).to.equal(false);
      expect(await at.run("cp", "s3://demo/v", "s3://other/w", "--version-id", encrypted)).to.include({
        code: 0,
        stderr: "",
      });
      await at.putPlain("v", "in the clear again");
      expect((await at.run("cp", "s3://demo/v", "s3://other/x", "--version-id", encrypted)).code).to.equal(0);
      // Beside which a file may stand yet, of the one that was there.
      expect((await at.run("cp", "s3://demo/v", "s3://other/v")).code).to.equal(isInFile ? 6 : 4);
      expect(await isCopied("v")).to.equal(false);
    });
  }

  it("take the current version of what another wrote, with its envelope in a file, when that is named", async () => {
    at.configure({ instructionFileConfig: { enableInstructionFilePutObject: true }, ...V2 });
    const enabled = { Bucket: "demo", VersioningConfiguration: { Status: "Enabled" } } as const;
    await at.plain.send(new PutBucketVersioningCommand(enabled));
    await at.run("cp", "a", "s3://demo/v");
    // Another client leaves nothing on the object.
    const onto = { Bucket: "demo", Key: "v", CopySource: "demo/v", MetadataDirective: "REPLACE" } as const;
    await at.plain.send(new CopyObjectCommand(onto));
    const { VersionId = "" } = await at.head("v");
    expect((await at.run("cp", "s3://demo/v", "s3://other/v", "--version-id", VersionId)).code).to.equal(0);
  });

  it("are refused of a plain object that S3 has encrypted with a customer's key", async () => {
    const key = Buffer.alloc(32, 9).toString("base64");
    await at.plain.send(
      new PutObjectCommand({
        ...{ Bucket: "demo", Key: "c", Body: "in the clear" },
        ...{ SSECustomerAlgorithm: "AES256", SSECustomerKey: key },
      }),
    );
    const source = ["--sse-c-copy-source", "--sse-c-copy-source-key", key];
    const refused = await at.run("cp", "s3://demo/c", "s3://other/c", ...source);
    expect(refused.code).to.equal(4);
    expect(refused.stderr).to.contain("was not written by an S3 encryption client: say --plain copy");
    expect(await isCopied("c")).to.equal(false);
    const skipped = await at.run("cp", "s3://demo/c", "s3://other/c", "--plain", "skip", ...source);
    expect(skipped.stderr).to.contain("It is not encrypted.");
    const copied = await at.run("cp", "s3://demo/c", "s3://other/c", "--plain", "copy", ...source);
    expect(copied.stdout).to.equal("copy: s3://demo/c to s3://other/c (not encrypted)\n");
    const own = ["--sse-c", "--sse-c-key", key];
    expect((await at.run("cp", "s3://demo/c", "down", "--plain", "copy", ...own)).code).to.equal(0);
    expect((await at.run("ls", "s3://demo/c", "--long", ...own)).stdout).to.match(/ 12 plain +c\n/);
  });

  it("are refused where it cannot be told, and say why", async () => {
    await at.putPlain("p", "in the clear");
    const held = at.server.faults.pause({ operation: "HeadObject", key: "p", at: "answer" });
    const copying = at.run("cp", "s3://demo/p", "s3://other/p");
    await held.reached;
    at.server.faults.add({ operation: "HeadObject", key: "p", status: 403 });
    held.release();
    const { code, stderr } = await copying;
    expect(code).to.equal(4);
    expect(stderr).to.contain(
      "Whether s3://demo/p is encrypted cannot be told, so that it was not copied: It may not be read: allow s3:GetObject",
    );
    expect(await isCopied("p")).to.equal(false);
  });

  it("ask for everything as one who pays", async () => {
    await at.putPlain("p", "in the clear");
    at.server.clearRequests();
    expect((await at.run("cp", "s3://demo/p", "s3://other/p", "--request-payer")).code).to.equal(4);
    expect((await at.run("sync", "s3://demo", "s3://other/q", "--request-payer")).code).to.equal(8);
    expect((await at.run("ls", "s3://demo", "--long", "--request-payer")).code).to.equal(0);
    const payers = at.server.requests.map(({ operation, headers }) => [operation, headers["x-amz-request-payer"]]);
    expect(payers.length).to.be.greaterThan(8);
    for (const [operation, payer] of payers) expect(payer, operation).to.equal("requester");
  });
});
