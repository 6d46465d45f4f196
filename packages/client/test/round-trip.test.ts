import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, chunksOf, Fixture, refusal } from "./fixture.js";

const SIZES = [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 1024 * 1024];

const POLICIES = [
  { format: "V3", commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT", growth: 16 },
  { format: "V2", commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT", growth: 16 },
] as const;

const PLACEMENTS = [
  { placement: "metadata", instructionFileConfig: {} },
  { placement: "an instruction file", instructionFileConfig: { enableInstructionFilePutObject: true } },
] as const;

type Body = NonNullable<PutObjectCommandInput["Body"]>;
const BODIES: Record<string, (bytes: Buffer) => { Body: Body; ContentLength?: number }> = {
  Buffer: (bytes) => ({ Body: bytes }),
  Uint8Array: (bytes) => ({ Body: new Uint8Array(bytes) }),
  Blob: (bytes) => ({ Body: new Blob([bytes]) }),
  "Node stream of known length": (bytes) => ({
    Body: Readable.from(chunksOf(bytes, 10_000), { objectMode: false }),
    ContentLength: bytes.length,
  }),
  "Node stream of unknown length": (bytes) => ({ Body: Readable.from(chunksOf(bytes, 10_000), { objectMode: false }) }),
  "web stream": (bytes) => ({ Body: new Blob([bytes]).stream() }),
};

describe("round trips", () => {
  let fixture: Fixture;
  let kms: KMSClient;
  const keyrings: Record<string, Keyring> = {};

  before(async () => {
    fixture = await Fixture.start();
    kms = new KMSClient({ ...fixture.server.clientConfig, maxAttempts: 1 });
    const { arn } = fixture.server.kms.createKey({ alias: "alias/app" });
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    keyrings["raw AES"] = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    keyrings["raw RSA"] = new RawRsaKeyring({ privateKey });
    keyrings.KMS = new KmsKeyring({ keyId: arn, client: kms });
  });

  after(async () => {
    kms.destroy();
    await fixture.close();
  });

  for (const { format, commitmentPolicy, growth } of POLICIES) {
    for (const { placement, instructionFileConfig } of PLACEMENTS) {
      for (const name of ["raw AES", "raw RSA", "KMS"]) {
        it(`${name}, ${format}, in ${placement}: every size, buffered and streamed`, async () => {
          const keyring = keyrings[name];
          if (keyring === undefined) throw new Error(name);
          const options = { keyring, commitmentPolicy, instructionFileConfig };
          const client = fixture.client(options);
          const delayed = fixture.client({ ...options, enableDelayedAuthenticationMode: true });
          const spooling = fixture.client({ ...options, bufferSize: 0 });
          const call = name === "KMS" ? { encryptionContext: { tenant: "é漢", app: "a b" } } : {};
          for (const size of SIZES) {
            const plaintext = bytesOfLength(size);
            const target = { Bucket: BUCKET, Key: `${format}/${placement}/${name}/${size}` };
            await client.send(new PutObjectCommand({ ...target, Body: plaintext }), call);
            const { body } = await fixture.stored(target.Key);
            expect(body.length).to.equal(size + growth);
            if (size >= 16) expect(body.includes(plaintext.subarray(0, 16))).to.equal(false);
            for (const reader of [client, delayed, spooling]) {
              const { Body, ContentLength } = await reader.send(new GetObjectCommand(target), call);
              const read = (await Body?.transformToByteArray()) ?? new Uint8Array(1);
              expect(ContentLength).to.equal(size);
              expect(digest(read)).to.equal(digest(plaintext));
            }
          }
        });
      }
    }
  }

  for (const [kind, bodyOf] of Object.entries(BODIES)) {
    it(`takes a ${kind} as body`, async () => {
      const client = fixture.client();
      for (const size of SIZES) {
        const plaintext = bytesOfLength(size);
        const target = { Bucket: BUCKET, Key: `bodies/${kind}/${size}` };
        await client.send(new PutObjectCommand({ ...target, ...bodyOf(plaintext) }));
        const { Body } = await client.send(new GetObjectCommand(target));
        expect(digest((await Body?.transformToByteArray()) ?? [1])).to.equal(digest(plaintext));
      }
    });
  }

  it("takes strings and no body at all", async () => {
    const client = fixture.client();
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "text", Body: "Grüße" }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "text" }));
    expect(await Body?.transformToString()).to.equal("Grüße");
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "nothing" }));
    const nothing = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "nothing" }));
    expect(await nothing.Body?.transformToString()).to.equal("");
  });

  it("reads byte by byte from a slow consumer", async () => {
    const plaintext = bytesOfLength(100_000);
    const client = fixture.client({ enableDelayedAuthenticationMode: true });
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "slow", Body: plaintext }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "slow" }));
    if (!(Body instanceof Readable)) throw new Error("Not a Node stream");
    const read: Buffer[] = [];
    await new Promise<void>((resolve, reject) => {
      Body.on("readable", () => {
        for (let byte: Buffer | null = Body.read(1); byte !== null; byte = Body.read(1)) read.push(byte);
      });
      Body.on("end", resolve);
      Body.on("error", reject);
    });
    expect(digest(Buffer.concat(read))).to.equal(digest(plaintext));
  });

  describe("a generator with a child", () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const target = { Bucket: BUCKET, Key: "hierarchy/object" };
    const encryptionContext = { tenant: "a" };

    it("puts the generator's wrapped key into the metadata, the child's into a file, and each opens the object alone", async () => {
      const generator = keyrings.KMS;
      if (generator === undefined) throw new Error("KMS");
      const escrow = new RawRsaKeyring({ publicKey, materialDescription: { purpose: "escrow" } });
      const keyring = new MultiKeyring({
        generator,
        children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }],
      });
      const client = fixture.client({ keyring });
      await client.send(new PutObjectCommand({ ...target, Body: "for both" }), { encryptionContext });

      expect(await fixture.keys(target.Key)).to.have.members([target.Key, `${target.Key}.escrow`]);
      expect(Object.keys(await fixture.metadata(target.Key))).to.include.members([
        "x-amz-c",
        "x-amz-d",
        "x-amz-i",
        "x-amz-3",
      ]);

      const app = fixture.client({ keyring: generator });
      const { Body } = await app.send(new GetObjectCommand(target), { encryptionContext });
      expect(await Body?.transformToString()).to.equal("for both");

      fixture.server.clearRequests();
      const owner = fixture.client({ keyring: new RawRsaKeyring({ privateKey }) });
      const escrowed = await owner.send(new GetObjectCommand(target), { instructionFileSuffix: ".escrow" });
      expect(await escrowed.Body?.transformToString()).to.equal("for both");
      expect(fixture.server.requests.filter(({ service }) => service === "kms")).to.have.length(0);
    });

    it("deletes and copies the instruction files with the object", async () => {
      const generator = keyrings["raw AES"];
      if (generator === undefined) throw new Error("raw AES");
      const child = { keyring: new RawRsaKeyring({ publicKey }), instructionFileSuffix: ".escrow" };
      const client = fixture.client({ keyring: new MultiKeyring({ generator, children: [child] }) });
      const { CopyObjectCommand, DeleteObjectCommand, DeleteObjectsCommand } = await import("@aws-sdk/client-s3");
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "moved/a", Body: "content" }));
      await client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: "moved/b", CopySource: `${BUCKET}/moved/a` }));
      expect(await fixture.keys("moved/b")).to.deep.equal(["moved/b", "moved/b.escrow"]);
      await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "moved/a" }));
      expect(await fixture.keys("moved/a")).to.deep.equal([]);
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "moved/b" }));
      expect(await Body?.transformToString()).to.equal("content");
      const output = await client.send(
        new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects: [{ Key: "moved/b" }] } }),
      );
      expect(output.Deleted?.map(({ Key }) => Key)).to.deep.equal(["moved/b"]);
      expect(await fixture.keys("moved/")).to.deep.equal([]);
    });
  });

  it("refuses the wrong encryption context before KMS is called", async () => {
    const keyring = keyrings.KMS;
    if (keyring === undefined) throw new Error("KMS");
    const client = fixture.client({ keyring });
    const target = { Bucket: BUCKET, Key: "context" };
    await client.send(new PutObjectCommand({ ...target, Body: "x" }), { encryptionContext: { tenant: "a", app: "b" } });
    fixture.server.clearRequests();
    const wrong = [{}, { tenant: "a" }, { tenant: "b", app: "b" }, { tenant: "a", app: "b", more: "c" }];
    for (const encryptionContext of wrong) {
      const error = await refusal(client.send(new GetObjectCommand(target), { encryptionContext }));
      expect(error.code).to.equal("context-mismatch");
      expect(error.message).to.contain("Provided encryption context does not match information retrieved from S3");
    }
    expect(fixture.server.requests.filter(({ service }) => service === "kms")).to.have.length(0);
  });
});

function digest(bytes: Uint8Array | readonly number[]): string {
  return createHash("sha256").update(Uint8Array.from(bytes)).digest("hex");
}
