import { EncryptCommand } from "@aws-sdk/client-kms";
import { AES_GCM } from "@s3ec/envelope";
import type { EncryptedDataKey, ReencryptedDataKey } from "@s3ec/materials";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { KmsDiscoveryKeyring } from "../dist/kms-discovery-keyring.js";
import { KmsKeyring } from "../dist/kms-keyring.js";
import { BINDING, boundWrap, GCM, KmsFixture, legacyWrap, toDecrypt, toEncrypt, wrapOf } from "./kms-fixture.js";

describe("KmsKeyring.reencrypt", () => {
  let kms: KmsFixture;
  let old: KmsKeyring;
  let next: KmsKeyring;
  let nextArn: string;

  before(async () => {
    kms = await KmsFixture.start();
    nextArn = kms.server.kms.createKey({ alias: "alias/next" }).arn;
    old = new KmsKeyring({ keyId: "alias/app", client: kms.client(), grantTokens: ["a"] });
    next = new KmsKeyring({ keyId: nextArn, client: kms.client(), grantTokens: ["a", "b"] });
  });
  beforeEach(() => kms.forget());
  after(async () => await kms.close());

  const again = (
    encryptedDataKey: EncryptedDataKey,
    [reading, writing]: readonly [Record<string, string>, Record<string, string>],
    { from = old as KmsKeyring | KmsDiscoveryKeyring, to = next } = {},
  ): Promise<ReencryptedDataKey | undefined> =>
    to.reencrypt({ encryptedDataKey, from, reading: toDecrypt(reading), writing: toEncrypt(writing) });

  it("sends both keys and both contexts, from the call, and asks for no plaintext (S10, S11)", async () => {
    const { wrap, materials } = await wrapOf(old, { tenant: "a" });
    kms.forget();
    const done = await again(wrap, [{ tenant: "a" }, { tenant: "b" }]);
    expect(kms.calls).to.deep.equal(["ReEncrypt"]);
    expect(kms.latest).to.deep.include({
      SourceKeyId: "alias/app",
      SourceEncryptionContext: { tenant: "a", [BINDING]: "115" },
      DestinationKeyId: nextArn,
      DestinationEncryptionContext: { tenant: "b", [BINDING]: "115" },
      GrantTokens: ["a", "b"],
    });
    expect(done?.isSameKey).to.equal(false);
    const made = done?.encryptedDataKey ?? wrap;
    expect(made.description).to.deep.equal({ tenant: "b", [BINDING]: "115" });
    const opened = await next.onDecrypt(toDecrypt({ tenant: "b" }), [made]);
    expect(opened?.dataKey?.export()).to.deep.equal(materials.dataKey?.export()).and.not.equal(undefined);
  });

  it("sends nothing where the object says another context than the call, or more", async () => {
    const { wrap } = await wrapOf(old, { tenant: "victim" });
    kms.forget();
    for (const context of [{}, { tenant: "a" }, { tenant: "victim", more: "x" }]) {
      await refusal("context-mismatch", again(wrap, [context as Record<string, string>, {}]));
    }
    const relabelled = { ...wrap, description: boundWrap(wrap.ciphertext, { tenant: "victim" }).description };
    await refusal("decryption-failed", again(relabelled, [{ tenant: "victim" }, {}]));
    await refusal("invalid-argument", again(wrap, [{ tenant: "victim" }, { [BINDING]: "x" }]));
    expect(kms.calls).to.deep.equal([]);
  });

  it("opens nothing that another key has wrapped (S11)", async () => {
    const other = kms.server.kms.createKey({});
    const foreign = new KmsKeyring({ keyId: other.arn, client: kms.client() });
    const { wrap } = await wrapOf(foreign, {});
    await refusal("no-matching-key", again(wrap, [{}, {}]));
  });

  it("names the former keys, too, one after the other, as to decrypt", async () => {
    const former = kms.server.kms.createKey({});
    const { wrap } = await wrapOf(new KmsKeyring({ keyId: former.arn, client: kms.client() }), {});
    const repointed = new KmsKeyring({ keyId: "alias/app", formerKeyIds: [former.arn], client: kms.client() });
    kms.forget();
    const done = await again(wrap, [{}, {}], { from: repointed, to: repointed });
    expect(kms.calls).to.deep.equal(["ReEncrypt", "ReEncrypt"]);
    expect(kms.latest).to.deep.include({ SourceKeyId: former.arn, DestinationKeyId: "alias/app" });
    expect([done?.isSameKey, done?.encryptedDataKey.wrappingKey]).to.deep.equal([false, kms.keyArn]);
  });

  it("makes kms+context of a legacy kms wrap, whose context but for the key's name the call must say", async () => {
    const EncryptionContext = { kms_cmk_id: "alias/app", "aws:ses-rule": "r" };
    const command = new EncryptCommand({ KeyId: kms.keyArn, Plaintext: Buffer.alloc(32, 7), EncryptionContext });
    const { CiphertextBlob = new Uint8Array(0) } = await kms.client().send(command);
    const wrap = legacyWrap(CiphertextBlob, EncryptionContext);
    await refusal("context-mismatch", again(wrap, [{}, {}]));
    await refusal("context-mismatch", again(wrap, [{ kms_cmk_id: "other", "aws:ses-rule": "r" }, {}]));
    const done = await next.reencrypt({
      encryptedDataKey: wrap,
      from: old,
      reading: toDecrypt({ "aws:ses-rule": "r" }, GCM),
      writing: toEncrypt({}, GCM),
    });
    const made = done?.encryptedDataKey ?? wrap;
    expect([made.wrapAlgorithm.name, made.description]).to.deep.equal([
      "kms+context",
      { [BINDING]: "AES/GCM/NoPadding" },
    ]);
    const opened = await next.onDecrypt(toDecrypt({}, GCM), [made]);
    expect(opened?.dataKey?.export()).to.deep.equal(Buffer.alloc(32, 7));
  });

  it("tells that both keys are one, whatever they are called", async () => {
    const { wrap } = await wrapOf(old, {});
    const same = new KmsKeyring({ keyId: kms.keyArn, client: kms.client() });
    expect((await again(wrap, [{}, {}], { to: same }))?.isSameKey).to.equal(true);
  });

  it("takes no answer that leaves open whether both keys are one", async () => {
    const { wrap } = await wrapOf(old, {});
    const client = kms.client();
    client.middlewareStack.add(
      (send) => async (args) => {
        const result = await send(args);
        Reflect.deleteProperty(result.output, "SourceKeyId");
        return result;
      },
      { step: "initialize", name: "forgetful" },
    );
    const to = new KmsKeyring({ keyId: nextArn, client });
    await refusal("key-unavailable", again(wrap, [{}, {}], { to }));
  });

  it("leaves to others what is no wrap of KMS, no key of its own Region, and no named key", async () => {
    const { wrap } = await wrapOf(old, {});
    kms.forget();
    expect(await again({ ...wrap, wrapAlgorithm: AES_GCM }, [{}, {}])).to.equal(undefined);
    const elsewhere = new KmsKeyring({ keyId: nextArn, client: kms.client({ region: "eu-west-1" }) });
    expect(await again(wrap, [{}, {}], { to: elsewhere })).to.equal(undefined);
    const discovery = new KmsDiscoveryKeyring({ client: kms.client() } as never);
    expect(await again(wrap, [{}, {}], { from: discovery })).to.equal(undefined);
    expect(kms.calls).to.deep.equal([]);
  });

  it("names the permissions where KMS refuses", async () => {
    const { wrap } = await wrapOf(old, {});
    kms.server.faults.add({ service: "kms", operation: "ReEncrypt", status: 400, code: "AccessDeniedException" });
    const { message } = await refusal("key-unavailable", again(wrap, [{}, {}]));
    expect(message).to.contain("kms:ReEncryptFrom and kms:ReEncryptTo");
    kms.forget();
    await refusal("decryption-failed", again({ ...wrap, ciphertext: new Uint8Array(7000) }, [{}, {}]));
  });
});
