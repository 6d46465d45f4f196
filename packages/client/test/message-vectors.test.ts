import { createHash, createPrivateKey, createSecretKey } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { type OaepHash, RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import { hasNoCipherFor } from "@s3ec/test-support";
import {
  loadMessageKeyrings,
  loadMessages,
  type MessageFailure,
  type MessageKeyring,
  type MessageVector,
  readMessage,
} from "@s3ec/test-vectors";
import { assert } from "chai";
import { BUCKET, Fixture, refusal, saysWhichCipher } from "./fixture.js";
import { CountingKeyring } from "./vector-reader.js";

const KEYRINGS = loadMessageKeyrings();
const POLICIES = {
  strict: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
  lenient: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
} as const;

/** The codes that each kind of damage may end in; which of them, what came before the damage decides. */
const CODES: Readonly<Record<MessageFailure, readonly string[]>> = {
  malformed: ["malformed-envelope", "not-encrypted", "decryption-failed", "no-matching-key"],
  truncated: ["decryption-failed", "not-encrypted"],
  "trailing-bytes": ["decryption-failed"],
  unwrap: ["decryption-failed", "no-matching-key", "context-mismatch"],
  commitment: ["decryption-failed"],
  "header-tag": ["decryption-failed", "context-mismatch"],
  "body-tag": ["decryption-failed", "content-too-large"],
  signature: ["decryption-failed"],
};

describe("messages of the AWS Encryption SDKs", () => {
  let fixture: Fixture;
  let kms: KMSClient;

  before(async () => {
    fixture = await Fixture.start();
    kms = new KMSClient({ ...fixture.server.clientConfig, maxAttempts: 1 });
    for (const vector of loadMessages()) {
      if (vector.kms !== undefined) {
        const { ciphertextBlob, encryptionContext, keyArn, plaintextDataKey } = vector.kms;
        fixture.server.kms.seedDecrypt({
          ciphertextBlob: Buffer.from(ciphertextBlob, "base64"),
          encryptionContext,
          keyArn,
          plaintext: Buffer.from(plaintextDataKey, "base64"),
        });
      }
      await fixture.server.putRawObject(BUCKET, vector.id, { body: readMessage(vector) });
    }
  });
  after(async () => {
    kms.destroy();
    await fixture.close();
  });

  function keyringOf(key: MessageKeyring): Keyring {
    switch (key.type) {
      case "aes":
        return new RawAesKeyring({
          wrappingKey: createSecretKey(Buffer.from(key.base64, "base64")),
          messageKey: { namespace: key.namespace, name: key.name },
        });
      case "rsa":
        return new RawRsaKeyring({
          privateKey: createPrivateKey(key.privateKey),
          messageKey: { namespace: key.namespace, name: key.name },
          // PKCS#1 v1.5 is not offered for messages: such a wrap is refused like any other that does not open.
          ...(key.padding === "pkcs1" ? {} : { oaepHash: key.padding.replace("oaep-", "") as OaepHash }),
        });
      case "kms":
        return new KmsKeyring({ keyId: key.keyId, client: kms });
    }
  }

  function readers(vector: MessageVector): readonly CountingKeyring[] {
    return vector.keyrings.map((name) => {
      const key = KEYRINGS[name];
      if (key === undefined) throw new Error(`There is no keyring named ${name}.`);
      return new CountingKeyring(keyringOf(key));
    });
  }

  async function read(
    vector: MessageVector,
    keyring: Keyring,
    options: Partial<S3EncryptionOptions> = {},
  ): Promise<Buffer> {
    const s3 = fixture.client({ keyring, formats: [new S3Format(), new AwsMessageFormat()], ...options });
    const { encryptionContext } = vector;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: vector.id }), { encryptionContext });
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  let opened = 0;
  let refused = 0;
  for (const vector of loadMessages()) {
    if (vector.expect === "refuse") {
      it(`are refused: ${vector.id}`, async () => {
        for (const keyring of readers(vector)) {
          for (const bufferSize of [1024 * 1024, 0]) {
            const outcome = read(vector, keyring, { commitmentPolicy: POLICIES.lenient, bufferSize });
            assert.include(CODES[vector.failure], (await refusal(outcome)).code);
          }
        }
        refused++;
      });
      continue;
    }
    if (vector.requires !== undefined) {
      it(`are refused, whose wrap is not offered (${vector.requires}): ${vector.id}`, async () => {
        for (const keyring of readers(vector)) {
          assert.equal((await refusal(read(vector, keyring))).code, "decryption-failed");
          refused++;
        }
      });
      continue;
    }
    it(`are read: ${vector.id}`, async () => {
      const { length, sha256 } = vector.plaintext;
      const needsPolicy = vector.switches.includes("allow-non-committing");
      for (const keyring of readers(vector)) {
        if (hasNoCipherFor(vector)) {
          await saysWhichCipher(read(vector, keyring, { commitmentPolicy: POLICIES.lenient }));
          continue;
        }
        for (const bufferSize of [1024 * 1024, 0]) {
          const commitmentPolicy = needsPolicy ? POLICIES.lenient : POLICIES.strict;
          const bytes = await read(vector, keyring, { commitmentPolicy, bufferSize });
          assert.lengthOf(bytes, length);
          assert.equal(createHash("sha256").update(bytes).digest("hex"), sha256);
        }
        keyring.unwraps = 0;
        fixture.server.clearRequests();
        if (needsPolicy) assert.equal((await refusal(read(vector, keyring))).code, "commitment-policy");
        const other = { ...vector, encryptionContext: { ...vector.encryptionContext, other: "x" } };
        const mismatch = refusal(read(other, keyring, { commitmentPolicy: POLICIES.lenient }));
        assert.equal((await mismatch).code, "context-mismatch");
        assert.equal(keyring.unwraps, 0);
        assert.isEmpty(fixture.server.requests.filter(({ service }) => service === "kms"));
      }
      opened++;
    });
  }

  it("are all there", () => {
    assert.equal(opened + refused, loadMessages().length);
  });
});
