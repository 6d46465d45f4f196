import {
  CreateKeyCommand,
  DecryptCommand,
  type DecryptCommandInput,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  ReEncryptCommand,
  type ReEncryptCommandInput,
} from "@aws-sdk/client-kms";
import { expect } from "chai";
import { type Fixture, refusal, startFixture } from "./fixture.js";

const wouldSucceed = "DryRunOperationException 412";
const context = { tenant: "a" };

describe("a dry run of KMS", () => {
  let fixture: Fixture;
  let KeyId: string;
  let other: string;
  let CiphertextBlob: Uint8Array | undefined;
  before(async () => {
    fixture = await startFixture();
    const { kms } = fixture;
    const create = async () => (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? "";
    [KeyId, other] = [await create(), await create()];
    const input = { KeyId, Plaintext: Buffer.from("x"), EncryptionContext: context };
    ({ CiphertextBlob } = await kms.send(new EncryptCommand(input)));
  });
  after(async () => fixture[Symbol.asyncDispose]());

  const decrypt = (input: Partial<DecryptCommandInput>) =>
    refusal(
      fixture.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context, DryRun: true, ...input })),
    );
  const reEncrypt = (input: Partial<ReEncryptCommandInput>) =>
    refusal(
      fixture.kms.send(
        new ReEncryptCommand({
          CiphertextBlob,
          SourceEncryptionContext: context,
          DestinationKeyId: other,
          DryRun: true,
          ...input,
        }),
      ),
    );

  it("says that a request would succeed, by an error of its own, and does nothing", async () => {
    const { kms } = fixture;
    const generate = { KeyId, KeySpec: "AES_256", DryRun: true } as const;
    for (const call of [
      kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from("x"), DryRun: true })),
      kms.send(new GenerateDataKeyCommand(generate)),
      kms.send(new GenerateDataKeyWithoutPlaintextCommand(generate)),
    ])
      expect(await refusal(call)).to.equal(wouldSucceed);
    expect(await decrypt({})).to.equal(wouldSucceed);
    expect(await decrypt({ KeyId })).to.equal(wouldSucceed);
    expect(await reEncrypt({})).to.equal(wouldSucceed);
    expect(await reEncrypt({ SourceKeyId: KeyId })).to.equal(wouldSucceed);
  });

  it("is refused as the request itself would be: another key, another context, an unknown or a disabled key", async () => {
    expect(await decrypt({ KeyId: other })).to.equal("IncorrectKeyException 400");
    expect(await reEncrypt({ SourceKeyId: other })).to.equal("IncorrectKeyException 400");
    expect(await decrypt({ KeyId, EncryptionContext: {} })).to.equal("InvalidCiphertextException 400");
    expect(await decrypt({ KeyId, CiphertextBlob: Buffer.alloc(100) })).to.equal("InvalidCiphertextException 400");
    expect(await reEncrypt({ SourceEncryptionContext: {} })).to.equal("InvalidCiphertextException 400");
    expect(await decrypt({ KeyId: "none" })).to.equal("NotFoundException 400");
    expect(await reEncrypt({ DestinationKeyId: "none" })).to.equal("NotFoundException 400");
    const { kms } = fixture;
    const disabled = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? "";
    await kms.send(new DisableKeyCommand({ KeyId: disabled }));
    expect(await decrypt({ KeyId: disabled })).to.equal("DisabledException 400");
    expect(await reEncrypt({ DestinationKeyId: disabled })).to.equal("DisabledException 400");
  });

  it("looks at the permission alone when it is told to ignore the ciphertext, which needs the key's name", async () => {
    const DryRunModifiers: DecryptCommandInput["DryRunModifiers"] = ["IGNORE_CIPHERTEXT"];
    const modified = { DryRunModifiers, CiphertextBlob: undefined };
    expect(await decrypt({ ...modified, KeyId: other })).to.equal(wouldSucceed);
    expect(await reEncrypt({ ...modified, SourceKeyId: KeyId })).to.equal(wouldSucceed);
    expect(await decrypt(modified)).to.equal("ValidationException 400");
    expect(await decrypt({ ...modified, KeyId: other, DryRun: false })).to.equal("ValidationException 400");
    expect(await decrypt({ ...modified, KeyId: "none" })).to.equal("NotFoundException 400");
  });
});
