import { randomBytes } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { rewrapObject, type S3EncryptionOptions } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import type { Keyring } from "@s3ec/materials";
import { hasNoCipherFor } from "@s3ec/test-support";
import { loadKeys, loadVectors, type ReadableVector, readBody } from "@s3ec/test-vectors";
import { expect } from "chai";
import { BUCKET, Fixture, get, refusal, saysWhichCipher } from "./fixture.js";
import { callOptionsFor, keyringFor, optionsFor } from "./vector-reader.js";

const keys = loadKeys();
/** One of each kind: sizes make no difference to a wrap. */
const readable = loadVectors()
  .filter((vector): vector is ReadableVector => vector.expect === undefined)
  .filter(({ id }, index, all) => all.findIndex((other) => kindOf(other.id) === kindOf(id)) === index);

function kindOf(id: string): string {
  return id.replace(/-\d+$/, "");
}

/** What .NET's first client calls its files: they cannot say how a key is wrapped. */
const UNWRITABLE = "INSTRUCTION_SUFFIX";

/** Each is moved to a key of its own kind of today, and from there into KMS; nothing but its wrap is another then. */
describe("objects of the official clients, re-wrapped", () => {
  let fixture: Fixture;
  let kms: KMSClient;
  let inKms: Keyring;
  before(async () => {
    fixture = await Fixture.start();
    kms = new KMSClient({ ...fixture.server.clientConfig, maxAttempts: 1 });
    inKms = new KmsKeyring({ keyId: fixture.server.kms.createKey({}).arn, client: kms });
  });
  after(async () => {
    kms.destroy();
    await fixture.close();
  });

  for (const vector of readable) {
    it(vector.id, async (): Promise<void> => {
      const { metadata, instructionFiles = {}, id: Key } = vector;
      await fixture.server.putRawObject(BUCKET, Key, { body: readBody(vector), metadata });
      for (const [suffix, file] of Object.entries(instructionFiles)) {
        const body = Buffer.from(file.text, "utf8");
        await fixture.server.putRawObject(BUCKET, `${Key}${suffix}`, { body, metadata: file.metadata });
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
      const { enableLegacyWrappingAlgorithms: _, ...modern } = optionsFor(vector.switches);
      const call = callOptionsFor(vector);
      const { instructionFileSuffix } = call;
      const place = instructionFileSuffix === undefined ? {} : { instructionFileSuffix };
      const clientOf = (keyring: Keyring, options: Partial<S3EncryptionOptions>) =>
        fixture.client({ keyring, ...options });
      const read = async (client: ReturnType<typeof clientOf>, options: object) =>
        Buffer.from((await (await client.send(get(Key), options)).Body?.transformToByteArray()) ?? []);
      const first = clientOf(keyringFor(key, vector.requires, kms), optionsFor(vector.switches));
      if (hasNoCipherFor(vector)) return saysWhichCipher(read(first, call));
      const plaintext = await read(first, call);
      const wrappingKey = randomBytes(32);
      const aes = new RawAesKeyring({ wrappingKey, materialDescription: { key: "new" } });
      const shared = { Bucket: BUCKET, Key, owner: "same", settleTime: 0, ...place } as const;
      const moving = rewrapObject(first, {
        ...shared,
        ...(call.encryptionContext === undefined ? {} : { encryptionContext: call.encryptionContext }),
        to: { keyring: aes, encryptionContext: {} },
      });
      if (Object.hasOwn(instructionFiles, UNWRITABLE)) {
        expect((await refusal(moving)).message).to.match(/migrateObject|no instruction file/);
        return;
      }
      await moving;
      const second = clientOf(aes, modern);
      expect(
        (await read(second, { ...place, preferInstructionFile: call.preferInstructionFile })).equals(plaintext),
      ).to.equal(true);
      const encryptionContext = { moved: "again" };
      await rewrapObject(second, { ...shared, to: { keyring: inKms, encryptionContext } });
      const third = clientOf(inKms, modern);
      const options = { ...place, encryptionContext, preferInstructionFile: call.preferInstructionFile };
      expect((await read(third, options)).equals(plaintext)).to.equal(true);
    });
  }
});
