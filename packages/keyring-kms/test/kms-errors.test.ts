import type { KMSClient } from "@aws-sdk/client-kms";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { KmsKeyring } from "../dist/index.js";
import { KmsFixture, toDecrypt, toEncrypt, wrapOf } from "./kms-fixture.js";

describe("KMS errors", () => {
  let kms: KmsFixture;

  before(async () => {
    kms = await KmsFixture.start();
  });
  beforeEach(() => kms.forget());
  after(async () => await kms.close());

  const keyring = (client: KMSClient): KmsKeyring => new KmsKeyring({ keyId: kms.keyArn, client });

  it("names the permission of each call that is denied, and keeps the SDK's error as cause", async () => {
    const subject = keyring(kms.client());
    const { materials, wrap } = await wrapOf(subject);
    kms.server.faults.add({ service: "kms", status: 400, code: "AccessDeniedException" });
    const denied = {
      "kms:GenerateDataKey": subject.onEncrypt(toEncrypt()),
      "kms:Encrypt": subject.onEncrypt(materials),
      "kms:Decrypt": subject.onDecrypt(toDecrypt(), [wrap]),
    };
    for (const [permission, call] of Object.entries(denied)) {
      const error = await refusal("key-unavailable", call);
      expect(error.message).to.contain(`permission ${permission} on the key ${kms.keyArn}, in its policy`);
      expect(error.cause).to.have.property("name", "AccessDeniedException");
      expect(Object.keys(error)).to.not.include("cause");
    }
  });

  const answers = {
    NotFoundException: /does not find the key arn:\S+: check keyId .* region/,
    DisabledException: /disabled/,
    KMSInvalidStateException: /pending deletion/,
    KeyUnavailableException: /try kms:GenerateDataKey again/,
    InvalidKeyUsageException: /symmetric encryption key/,
    InvalidGrantTokenException: /grantTokens/,
    ValidationException: /check keyId/,
    UnrecognizedClientException: /credentials/,
    ExpiredTokenException: /expired/,
    ThrottlingException: /could not be reached or could not answer/,
  };
  for (const [code, message] of Object.entries(answers)) {
    it(`explains ${code}`, async () => {
      kms.server.faults.add({ service: "kms", status: 400, code });
      const error = await refusal("key-unavailable", keyring(kms.client()).onEncrypt(toEncrypt()));
      expect(error.message).to.match(message);
      expect(error.cause).to.have.property("name", code);
    });
  }

  it("says that a key of the server really is disabled or missing", async () => {
    const missing = new KmsKeyring({ keyId: "alias/none", client: kms.client() });
    expect((await refusal("key-unavailable", missing.onEncrypt(toEncrypt()))).message).to.contain(
      "does not find the key alias/none:",
    );
    const rsa = kms.server.kms.createKey({ spec: "RSA_2048" });
    const asymmetric = new KmsKeyring({ keyId: rsa.arn, client: kms.client() });
    expect((await refusal("key-unavailable", asymmetric.onEncrypt(toEncrypt()))).message).to.contain("symmetric");
  });

  it("is key-unavailable, not a decryption failure, when KMS answers 500 or hangs up", async () => {
    const subject = keyring(kms.client());
    const { wrap } = await wrapOf(subject);
    for (const fault of [{ status: 500 }, { cutAfterBytes: 0 }]) {
      const remove = kms.server.faults.add({ service: "kms", ...fault });
      const error = await refusal("key-unavailable", subject.onDecrypt(toDecrypt(), [wrap]));
      expect(error.message).to.contain("kms:Decrypt");
      remove();
    }
  });

  it("is key-unavailable when nothing listens, and when no credentials are configured", async () => {
    const gone = keyring(kms.client({ endpoint: "http://127.0.0.1:1" }));
    expect((await refusal("key-unavailable", gone.onEncrypt(toEncrypt()))).message).to.contain("could not be reached");
    const credentials = async (): Promise<never> => {
      throw Object.assign(new Error("Could not load credentials from any providers"), {
        name: "CredentialsProviderError",
      });
    };
    const anonymous = keyring(kms.client({ credentials }));
    expect((await refusal("key-unavailable", anonymous.onEncrypt(toEncrypt()))).message).to.contain(
      "No AWS credentials",
    );
  });

  it("says that the region is missing", async () => {
    const region = async (): Promise<never> => {
      throw new Error("Region is missing");
    };
    const error = await refusal("key-unavailable", keyring(kms.client({ region })).onEncrypt(toEncrypt()));
    expect(error.message).to.contain("region of KMS is missing");
  });

  it("leaves retries and timeouts to the client", async () => {
    kms.server.faults.add({ service: "kms", status: 500, times: 1 });
    await wrapOf(keyring(kms.client({ maxAttempts: 2 })));
    expect(kms.calls).to.deep.equal(["GenerateDataKey", "GenerateDataKey"]);
  });

  it("refuses answers without the key that was asked for, and zeroes what came", async () => {
    const short = Buffer.alloc(16, 7);
    const answering = (answer: object): KMSClient => {
      const client = kms.client();
      client.middlewareStack.add(() => async () => ({ response: {}, output: { $metadata: {}, ...answer } }), {
        step: "initialize",
        name: "answer",
      });
      return client;
    };
    const { materials, wrap } = await wrapOf(keyring(kms.client()));
    const blob = Buffer.from("blob");
    const answers = [
      keyring(answering({ Plaintext: short, CiphertextBlob: blob })).onEncrypt(toEncrypt()),
      keyring(answering({ Plaintext: Buffer.alloc(32) })).onEncrypt(toEncrypt()),
      keyring(answering({})).onEncrypt(materials),
      keyring(answering({ KeyId: kms.keyArn })).onDecrypt(toDecrypt(), [wrap]),
    ];
    for (const answer of answers) await refusal("key-unavailable", answer);
    expect(short.equals(Buffer.alloc(16))).to.equal(true);
  });

  it("zeroes the bytes that KMS answered, used or refused", async () => {
    const { wrap } = await wrapOf(keyring(kms.client()));
    for (const length of [32, 31]) {
      const Plaintext = Buffer.alloc(length, 7);
      const client = kms.client();
      client.middlewareStack.add(
        () => async () => ({ response: {}, output: { $metadata: {}, Plaintext, KeyId: kms.keyArn } }),
        { step: "initialize", name: "answer" },
      );
      await keyring(client)
        .onDecrypt(toDecrypt(), [wrap])
        .catch(() => null);
      expect(Plaintext.equals(Buffer.alloc(length))).to.equal(true);
    }
  });
});
