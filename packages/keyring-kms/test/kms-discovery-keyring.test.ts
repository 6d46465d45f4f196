import { randomBytes } from "node:crypto";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { KmsDiscoveryKeyring, KmsKeyring } from "../dist/index.js";
import { BINDING, boundWrap, COMMITTING_GCM, KmsFixture, toDecrypt, toEncrypt, wrapOf } from "./kms-fixture.js";

describe("KmsDiscoveryKeyring", () => {
  let kms: KmsFixture;

  before(async () => {
    kms = await KmsFixture.start();
  });
  beforeEach(() => kms.forget());
  after(async () => await kms.close());

  const foreign = "arn:aws-cn:kms:us-west-2:999988887777:key/foreign";
  async function wrapsOfTwoAccounts(): Promise<ReturnType<typeof boundWrap>[]> {
    const { wrap } = await wrapOf(new KmsKeyring({ keyId: kms.keyArn, client: kms.client() }));
    const ciphertextBlob = randomBytes(80);
    const encryptionContext = { [BINDING]: "115" };
    kms.server.kms.seedDecrypt({ ciphertextBlob, encryptionContext, keyArn: foreign, plaintext: randomBytes(32) });
    return [wrap, boundWrap(ciphertextBlob, encryptionContext)];
  }

  it("lets KMS find the key, of any account, and still checks the context first", async () => {
    const keyring = new KmsDiscoveryKeyring({ client: kms.client() });
    for (const wrap of await wrapsOfTwoAccounts()) {
      expect((await keyring.onDecrypt(toDecrypt(), [wrap]))?.dataKey?.symmetricKeySize).to.equal(32);
      expect(kms.latest).to.not.have.property("KeyId");
      kms.forget();
      await refusal("context-mismatch", keyring.onDecrypt(toDecrypt({ a: "b" }), [wrap]));
      expect(kms.calls).to.deep.equal([]);
    }
  });

  it("accepts only the accounts and the partition of its filter, by the ARN that KMS answers", async () => {
    const [ours, theirs] = await wrapsOfTwoAccounts();
    const filters = [
      { partition: "aws", accountIds: ["111122223333"], opens: [ours], refuses: [theirs] },
      { partition: "aws-cn", accountIds: ["111111111111", "999988887777"], opens: [theirs], refuses: [ours] },
      { partition: "aws", accountIds: ["111122223333", "999988887777"], opens: [ours], refuses: [theirs] },
      { partition: "aws-cn", accountIds: ["111122223333"], opens: [], refuses: [ours, theirs] },
    ];
    for (const { opens, refuses, ...discoveryFilter } of filters) {
      const keyring = new KmsDiscoveryKeyring({ client: kms.client(), discoveryFilter });
      for (const wrap of opens) expect(await keyring.onDecrypt(toDecrypt(), wrap ? [wrap] : [])).to.not.equal(null);
      for (const wrap of refuses) {
        await refusal("decryption-failed", keyring.onDecrypt(toDecrypt(), wrap ? [wrap] : []));
      }
    }
  });

  it("zeroes a data key that its filter refuses", async () => {
    const Plaintext = Buffer.alloc(32, 7);
    const client = kms.client();
    client.middlewareStack.add(
      () => async () => ({ response: {}, output: { $metadata: {}, Plaintext, KeyId: foreign } }),
      {
        step: "initialize",
        name: "answer",
      },
    );
    const discoveryFilter = { partition: "aws", accountIds: ["111122223333"] };
    const keyring = new KmsDiscoveryKeyring({ client, discoveryFilter });
    const wrap = boundWrap(randomBytes(80), { [BINDING]: "115" });
    await refusal("decryption-failed", keyring.onDecrypt(toDecrypt(), [wrap]));
    expect(Plaintext.equals(Buffer.alloc(32))).to.equal(true);
  });

  it("never writes", async () => {
    const keyring = new KmsDiscoveryKeyring({ client: kms.client() });
    await refusal("unsupported-operation", keyring.onEncrypt(toEncrypt({}, COMMITTING_GCM)));
    expect(kms.calls).to.deep.equal([]);
  });

  it("refuses a filter that would let everything or nothing through", () => {
    const client = kms.client();
    const filters = [
      { partition: "aws", accountIds: [] },
      { partition: "", accountIds: ["111122223333"] },
      { partition: "aws", accountIds: ["1111"] },
      // As plain JavaScript may pass them.
      { partition: "aws", accounts: ["111122223333"] },
      { partition: "aws", accountIds: "111122223333" },
      { accountIds: ["111122223333"] },
    ];
    for (const discoveryFilter of filters) {
      expect(() => Reflect.construct(KmsDiscoveryKeyring, [{ client, discoveryFilter }]))
        .to.throw()
        .with.property("code", "invalid-argument");
    }
  });
});
