import { constants, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  type DecryptCommandInput,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import { expect } from "chai";
import { type Fixture, refusal, sendRaw, startFixture } from "./fixture.js";

const context = { tenant: "a", "aws:x-amz-cek-alg": "115", é漢: "😀" };

describe("KMS", () => {
  let fixture: Fixture;
  let kms: KMSClient;
  before(async () => {
    fixture = await startFixture();
    kms = fixture.kms;
  });
  after(async () => fixture[Symbol.asyncDispose]());

  const createKey = async (input: CreateKeyCommandInput = {}) => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand(input));
    return { KeyId: KeyMetadata?.KeyId ?? "", arn: KeyMetadata?.Arn ?? "" };
  };
  const decrypt = async (input: DecryptCommandInput): Promise<string> => {
    const { Plaintext } = await kms.send(new DecryptCommand(input));
    return Buffer.from(Plaintext ?? "").toString();
  };
  const encrypt = (KeyId: string, text = "secret", EncryptionContext: Record<string, string> = context) =>
    kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from(text), EncryptionContext }));

  describe("symmetric keys", () => {
    it("describe themselves, by id, ARN, alias and ARN of an alias", async () => {
      const { KeyId, arn } = await createKey({ Description: "mine" });
      await kms.send(new CreateAliasCommand({ AliasName: "alias/described", TargetKeyId: KeyId }));
      const aliasArn = arn.replace(/key\/.*/, "alias/described");
      for (const name of [KeyId, arn, "alias/described", aliasArn]) {
        const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: name }));
        expect(KeyMetadata).to.include({
          Arn: arn,
          KeyId,
          Description: "mine",
          Enabled: true,
          KeyState: "Enabled",
          KeySpec: "SYMMETRIC_DEFAULT",
          MultiRegion: false,
        });
      }
      const { Keys } = await kms.send(new ListKeysCommand());
      expect(Keys).to.deep.include({ KeyId, KeyArn: arn });
      expect(await refusal(kms.send(new DescribeKeyCommand({ KeyId: "none" })))).to.equal("NotFoundException 400");
      expect(await refusal(kms.send(new DescribeKeyCommand({ KeyId: "alias/none" })))).to.equal(
        "NotFoundException 400",
      );
    });

    it("encrypt and decrypt under a context, in whatever order it is given", async () => {
      const { KeyId, arn } = await createKey();
      const { CiphertextBlob, KeyId: usedKey } = await encrypt(KeyId);
      expect(usedKey).to.equal(arn);
      const EncryptionContext = Object.fromEntries(Object.entries(context).reverse());
      expect(await decrypt({ CiphertextBlob, EncryptionContext })).to.equal("secret");
      expect(await decrypt({ KeyId, CiphertextBlob, EncryptionContext })).to.equal("secret");
    });

    it("refuse another context, another key and an altered blob", async () => {
      const { KeyId } = await createKey();
      const other = await createKey();
      const { CiphertextBlob } = await encrypt(KeyId);
      const refused = (input: object) => refusal(decrypt({ CiphertextBlob, EncryptionContext: context, ...input }));
      for (const EncryptionContext of [{}, { ...context, more: "" }, { ...context, tenant: "b" }])
        expect(await refused({ EncryptionContext })).to.equal("InvalidCiphertextException 400");
      expect(await refused({ KeyId: other.KeyId })).to.equal("IncorrectKeyException 400");
      const blob = Buffer.from(CiphertextBlob ?? "");
      for (const at of [0, 1, 10, blob.length - 20, blob.length - 1]) {
        const altered = Buffer.from(blob);
        altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
        expect(await refused({ CiphertextBlob: altered })).to.equal("InvalidCiphertextException 400");
      }
      for (const CiphertextBlob of [blob.subarray(0, -1), blob.subarray(0, 20), Buffer.from("x")])
        expect(await refused({ CiphertextBlob })).to.equal("InvalidCiphertextException 400");
    });

    it("do not mix up where the texts of a context begin and end", async () => {
      const { KeyId } = await createKey();
      const { CiphertextBlob } = await encrypt(KeyId, "x", { ab: "c" });
      expect(await refusal(decrypt({ CiphertextBlob, EncryptionContext: { a: "bc" } }))).to.equal(
        "InvalidCiphertextException 400",
      );
    });

    it("generate data keys, with and without the plaintext", async () => {
      const { KeyId, arn } = await createKey();
      const generate = (more: object) =>
        kms.send(new GenerateDataKeyCommand({ KeyId, EncryptionContext: context, ...more }));
      for (const [request, length] of [
        [{ KeySpec: "AES_256" }, 32],
        [{ KeySpec: "AES_128" }, 16],
        [{ NumberOfBytes: 7 }, 7],
      ] as const) {
        const { Plaintext, CiphertextBlob, KeyId: usedKey } = await generate(request);
        expect(Plaintext).to.have.length(length);
        expect(usedKey).to.equal(arn);
        const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));
        expect(opened.Plaintext).to.deep.equal(Plaintext);
      }
      const hidden = await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: "AES_256" }));
      expect(Reflect.get(hidden, "Plaintext")).to.equal(undefined);
      expect((await kms.send(new DecryptCommand(hidden))).Plaintext).to.have.length(32);
      for (const request of [
        {},
        { KeySpec: "AES_256", NumberOfBytes: 32 },
        { NumberOfBytes: 1025 },
        { KeySpec: "DES" },
      ])
        expect(await refusal(generate(request))).to.equal("ValidationException 400");
    });

    it("take 4,096 bytes and no more, and not none", async () => {
      const { KeyId } = await createKey();
      const { CiphertextBlob } = await encrypt(KeyId, "x".repeat(4096));
      expect((await decrypt({ CiphertextBlob, EncryptionContext: context })).length).to.equal(4096);
      for (const text of ["x".repeat(4097), ""])
        expect(await refusal(encrypt(KeyId, text))).to.equal("ValidationException 400");
    });

    it("encrypt again under another key and context", async () => {
      const [from, to] = [await createKey(), await createKey()];
      const { CiphertextBlob } = await encrypt(from.KeyId);
      const again = (SourceEncryptionContext: Record<string, string>, more = {}) =>
        kms.send(
          new ReEncryptCommand({
            CiphertextBlob,
            SourceEncryptionContext,
            DestinationKeyId: to.KeyId,
            DestinationEncryptionContext: { new: "context" },
            ...more,
          }),
        );
      const output = await again(context);
      expect(output).to.include({ SourceKeyId: from.arn, KeyId: to.arn });
      const moved = { CiphertextBlob: output.CiphertextBlob, KeyId: to.KeyId, EncryptionContext: { new: "context" } };
      expect(await decrypt(moved)).to.equal("secret");
      expect(await refusal(again({}))).to.equal("InvalidCiphertextException 400");
      expect(await refusal(again(context, { SourceKeyId: to.KeyId }))).to.equal("IncorrectKeyException 400");
    });
  });

  it("aliases are created, listed, moved and deleted", async () => {
    const [one, two] = [await createKey(), await createKey()];
    const AliasName = "alias/moving/one";
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: one.KeyId }));
    const again = kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: two.KeyId }));
    expect(await refusal(again)).to.equal("AlreadyExistsException 400");
    const { CiphertextBlob } = await encrypt(AliasName);
    const { Aliases } = await kms.send(new ListAliasesCommand({ KeyId: one.KeyId }));
    expect(Aliases?.map((alias) => [alias.AliasName, alias.TargetKeyId])).to.deep.equal([[AliasName, one.KeyId]]);
    await kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: two.KeyId }));
    const input = { CiphertextBlob, EncryptionContext: context };
    expect(await refusal(decrypt({ ...input, KeyId: AliasName }))).to.equal("IncorrectKeyException 400");
    expect(await decrypt(input)).to.equal("secret");
    await kms.send(new DeleteAliasCommand({ AliasName }));
    expect(await refusal(encrypt(AliasName))).to.equal("NotFoundException 400");
    expect(await refusal(kms.send(new DeleteAliasCommand({ AliasName })))).to.equal("NotFoundException 400");
    for (const name of ["alias/aws/s3", "no-alias", "alias/a b"]) {
      const call = kms.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: one.KeyId }));
      expect(await refusal(call)).to.equal("ValidationException 400");
    }
  });

  it("disabled keys and keys that wait for deletion do nothing", async () => {
    const { KeyId } = await createKey();
    const { CiphertextBlob } = await encrypt(KeyId);
    const input = { CiphertextBlob, EncryptionContext: context };
    await kms.send(new DisableKeyCommand({ KeyId }));
    const generate = () => kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" }));
    for (const call of [encrypt(KeyId), decrypt(input), generate()])
      expect(await refusal(call)).to.equal("DisabledException 400");
    await kms.send(new EnableKeyCommand({ KeyId }));
    expect(await decrypt(input)).to.equal("secret");
    const scheduled = await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    expect(scheduled.DeletionDate?.getTime()).to.be.closeTo(Date.now() + 7 * 86_400_000, 60_000);
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).to.include({ KeyState: "PendingDeletion", Enabled: false });
    for (const call of [encrypt(KeyId), decrypt(input), generate(), kms.send(new EnableKeyCommand({ KeyId }))])
      expect(await refusal(call)).to.equal("KMSInvalidStateException 400");
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    await kms.send(new EnableKeyCommand({ KeyId }));
    expect(await decrypt(input)).to.equal("secret");
    const tooSoon = kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 6 }));
    expect(await refusal(tooSoon)).to.equal("ValidationException 400");
    const notScheduled = kms.send(new CancelKeyDeletionCommand({ KeyId }));
    expect(await refusal(notScheduled)).to.equal("KMSInvalidStateException 400");
  });

  describe("RSA keys", () => {
    let KeyId: string;
    before(async () => {
      ({ KeyId } = await createKey({ KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" }));
    });

    for (const [EncryptionAlgorithm, oaepHash, most] of [
      ["RSAES_OAEP_SHA_1", "sha1", 214],
      ["RSAES_OAEP_SHA_256", "sha256", 190],
    ] as const)
      it(`decrypt what was encrypted with ${EncryptionAlgorithm}, here or with the public key`, async () => {
        const { PublicKey = Buffer.alloc(0), KeySpec } = await kms.send(new GetPublicKeyCommand({ KeyId }));
        expect(KeySpec).to.equal("RSA_2048");
        const key = createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" });
        const padding = constants.RSA_PKCS1_OAEP_PADDING;
        const offline = publicEncrypt({ key, oaepHash, padding }, Buffer.from("offline"));
        expect(await decrypt({ KeyId, EncryptionAlgorithm, CiphertextBlob: offline })).to.equal("offline");
        const put = (length: number) =>
          kms.send(new EncryptCommand({ KeyId, EncryptionAlgorithm, Plaintext: Buffer.alloc(length, "x") }));
        const { CiphertextBlob } = await put(most);
        expect(await decrypt({ KeyId, EncryptionAlgorithm, CiphertextBlob })).to.equal("x".repeat(most));
        expect(await refusal(put(most + 1))).to.equal("ValidationException 400");
      });

    it("need their own algorithm and no context, and make no data keys", async () => {
      const EncryptionAlgorithm = "RSAES_OAEP_SHA_256";
      const Plaintext = Buffer.from("x");
      const call = (more: object) => refusal(kms.send(new EncryptCommand({ KeyId, Plaintext, ...more })));
      expect(await call({})).to.equal("InvalidKeyUsageException 400");
      expect(await call({ EncryptionAlgorithm, EncryptionContext: context })).to.equal("ValidationException 400");
      const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionAlgorithm }));
      const input = { KeyId, EncryptionAlgorithm, CiphertextBlob } as const;
      expect(await refusal(decrypt({ ...input, EncryptionContext: context }))).to.equal("ValidationException 400");
      const other = { ...input, EncryptionAlgorithm: "RSAES_OAEP_SHA_1" } as const;
      expect(await refusal(decrypt(other))).to.equal("InvalidCiphertextException 400");
      const dataKey = kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" }));
      expect(await refusal(dataKey)).to.equal("InvalidKeyUsageException 400");
      const symmetric = await createKey();
      const wrong = new EncryptCommand({ KeyId: symmetric.KeyId, Plaintext, EncryptionAlgorithm });
      expect(await refusal(kms.send(wrong))).to.equal("InvalidKeyUsageException 400");
      const publicKey = kms.send(new GetPublicKeyCommand({ KeyId: symmetric.KeyId }));
      expect(await refusal(publicKey)).to.equal("UnsupportedOperationException 400");
    });
  });

  it("replicas of a multi-Region key decrypt for each other", async () => {
    const { KeyId, arn } = await createKey({ MultiRegion: true });
    expect(KeyId).to.match(/^mrk-[0-9a-f]{32}$/);
    const { ReplicaKeyMetadata } = await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: "eu-west-1" }));
    expect(ReplicaKeyMetadata?.Arn).to.equal(arn.replace("us-west-2", "eu-west-1"));
    const european = new KMSClient({ ...fixture.server.clientConfig, region: "eu-west-1", maxAttempts: 1 });
    const { CiphertextBlob } = await encrypt(KeyId);
    const output = await european.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext: context }));
    expect(output.KeyId).to.equal(ReplicaKeyMetadata?.Arn);
    const single = await createKey();
    expect(await refusal(european.send(new DescribeKeyCommand({ KeyId: single.KeyId })))).to.equal(
      "NotFoundException 400",
    );
    const replicate = kms.send(new ReplicateKeyCommand({ KeyId: single.KeyId, ReplicaRegion: "eu-west-1" }));
    expect(await refusal(replicate)).to.equal("UnsupportedOperationException 400");
    european.destroy();
  });

  describe("seeding", () => {
    const keyArn = "arn:aws:kms:us-east-1:658956600833:key/b3537ef1-d8dc-4780-9f5a-55776cbb2f7f";
    const ciphertextBlob = randomBytes(184);

    it("replays ciphertexts of another KMS under exactly their key and context", async () => {
      const { server } = fixture;
      const seed = { ciphertextBlob, encryptionContext: context, keyArn, plaintext: Buffer.from("replayed") };
      server.kms.seedDecrypt(seed);
      server.kms.seedDecrypt(seed);
      const input = { CiphertextBlob: ciphertextBlob, EncryptionContext: context };
      expect(await decrypt({ ...input, KeyId: keyArn })).to.equal("replayed");
      expect(await decrypt(input)).to.equal("replayed");
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: keyArn }));
      expect(KeyMetadata).to.include({ Arn: keyArn, AWSAccountId: "658956600833" });
      expect(await refusal(decrypt({ ...input, EncryptionContext: {} }))).to.equal("InvalidCiphertextException 400");
      const { arn } = server.kms.createKey();
      expect(await refusal(decrypt({ ...input, KeyId: arn }))).to.equal("IncorrectKeyException 400");
    });

    it("creates keys and aliases of any account and region", async () => {
      const { server } = fixture;
      const alias = "arn:aws:kms:eu-north-1:123456789012:alias/theirs";
      server.kms.seedDecrypt({
        ciphertextBlob: Buffer.of(1),
        encryptionContext: {},
        keyArn: alias,
        plaintext: Buffer.from("a"),
      });
      expect(await decrypt({ CiphertextBlob: Buffer.of(1), KeyId: alias })).to.equal("a");
      const arn = "arn:aws:kms:ap-south-1:123456789012:key/mrk-0123";
      expect(server.kms.createKey({ arn, alias: "alias/ours" })).to.deep.equal({ arn, keyId: "mrk-0123" });
      expect((await encrypt(arn)).KeyId).to.equal(arn);
      expect(server.kms.createKey({ keyId: "by-id" }).arn).to.match(/^arn:aws:kms:us-west-2:\d{12}:key\/by-id$/);
      expect(() => server.kms.createKey({ keyId: "by-id" })).to.throw(/already exists/);
      expect(() => server.kms.createKey({ arn: "arn:aws:s3:::bucket" })).to.throw(/not the ARN of a KMS key/);
    });
  });

  it("refuses what it does not implement, and requests that are not signed for it", async () => {
    const { KeyId } = await createKey();
    const sign = new SignCommand({ KeyId, Message: Buffer.from("x"), SigningAlgorithm: "RSASSA_PSS_SHA_256" });
    expect(await refusal(kms.send(sign))).to.equal("UnknownOperationException 400");
    for (const input of [{ KeyUsage: "SIGN_VERIFY" }, { Origin: "EXTERNAL" }] as const)
      expect(await refusal(createKey(input))).to.equal("UnsupportedOperationException 400");
    const post = async (body: string, signing: object = {}, headers: object = {}): Promise<string> =>
      (
        await sendRaw(fixture.server, {
          method: "POST",
          path: "/",
          body,
          headers: { "x-amz-target": "TrentService.ListKeys", ...headers },
          signing: { service: "kms", ...signing },
        })
      ).text;
    expect(await post("{}")).to.include('"Keys"');
    expect(await post("{")).to.include("ValidationException");
    expect(await post("[]")).to.include("ValidationException");
    expect(await post("{}", { secret: "wrong" })).to.include("InvalidSignatureException");
    expect(await post("{}", { accessKeyId: "nobody" })).to.include("UnrecognizedClientException");
    expect(await post("{}", { service: "s3" })).to.include("IncompleteSignature");
    expect(await post("{}", {}, { "x-amz-target": "TrentService.constructor" })).to.include(
      "UnknownOperationException",
    );
  });
});
