import { KMSClient } from "@aws-sdk/client-kms";
import { CopyObjectCommand, DeleteObjectCommand } from "@aws-sdk/client-s3";
import { hasNoCipherFor } from "@s3ec/test-support";
import { loadKeys, loadVectors, type ReadableVector, readBody } from "@s3ec/test-vectors";
import { expect } from "chai";
import { BUCKET, Fixture, get, saysWhichCipher } from "./fixture.js";
import { callOptionsFor, keyringFor, optionsFor } from "./vector-reader.js";

const keys = loadKeys();
const inFiles = loadVectors().filter(
  (vector): vector is ReadableVector => vector.expect === undefined && vector.instructionFiles !== undefined,
);

/** A copy takes along what the object's kind has, whoever wrote it; a deletion leaves none of it. */
describe("objects of the official clients with instruction files", () => {
  let fixture: Fixture;
  let kms: KMSClient;
  before(async () => {
    fixture = await Fixture.start();
    kms = new KMSClient({ ...fixture.server.clientConfig, maxAttempts: 1 });
  });
  after(async () => {
    kms.destroy();
    await fixture.close();
  });

  it("are there", () => {
    expect(inFiles.length).to.be.greaterThan(20);
  });

  for (const vector of inFiles) {
    it(`can be copied and deleted: ${vector.id}`, async (): Promise<void> => {
      const { metadata, instructionFiles = {} } = vector;
      await fixture.server.putRawObject(BUCKET, vector.id, { body: readBody(vector), metadata });
      for (const [suffix, file] of Object.entries(instructionFiles)) {
        const body = Buffer.from(file.text, "utf8");
        await fixture.server.putRawObject(BUCKET, `${vector.id}${suffix}`, { body, metadata: file.metadata });
      }
      if (vector.kms !== undefined) {
        const { ciphertextBlob, encryptionContext, keyArn, plaintextDataKey } = vector.kms;
        fixture.server.kms.seedDecrypt({
          ciphertextBlob: Buffer.from(ciphertextBlob, "base64"),
          plaintext: Buffer.from(plaintextDataKey, "base64"),
          encryptionContext,
          keyArn,
        });
      }
      const key = keys[vector.material];
      if (key === undefined) throw new Error(`No key ${vector.material}`);
      const keyring = keyringFor(key, vector.requires, kms);
      const client = fixture.client({ keyring, ...optionsFor(vector.switches) });
      const call = callOptionsFor(vector);
      if (hasNoCipherFor(vector)) return saysWhichCipher(client.send(get(vector.id), call));
      const read = async (Key: string) => (await client.send(get(Key), call)).Body?.transformToByteArray();
      const copied = `copied/${vector.id}`;
      // Whoever copies need not be able to read.
      const copying = new CopyObjectCommand({ Bucket: BUCKET, Key: copied, CopySource: `${BUCKET}/${vector.id}` });
      await fixture.client().send(copying, { instructionFileSuffix: Object.keys(instructionFiles)[0] ?? "" });
      expect(Buffer.from((await read(copied)) ?? []).equals(Buffer.from((await read(vector.id)) ?? []))).to.equal(true);
      const deleting = new DeleteObjectCommand({ Bucket: BUCKET, Key: copied });
      await fixture.client().send(deleting, { instructionFileSuffix: Object.keys(instructionFiles)[0] ?? "" });
      expect(await fixture.keys(copied)).to.deep.equal([]);
    });
  }
});
