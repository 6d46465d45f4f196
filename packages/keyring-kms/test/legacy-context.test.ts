import { randomBytes } from "node:crypto";
import { CBC } from "@s3ec/envelope";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { KmsKeyring } from "../dist/index.js";
import { BINDING, GCM, KmsFixture, legacyWrap, toDecrypt } from "./kms-fixture.js";

describe("the legacy kms wrap", () => {
  let kms: KmsFixture;
  let keyring: KmsKeyring;
  const ses = {
    kms_cmk_id: "arn:aws:kms:us-west-2:111122223333:key/named",
    "aws:ses-rule-name": "r",
    "aws:ses-message-id": "m",
  };

  before(async () => {
    kms = await KmsFixture.start();
    keyring = new KmsKeyring({ keyId: kms.keyArn, client: kms.client() });
  });
  beforeEach(() => kms.forget());
  after(async () => await kms.close());

  function seeded(encryptionContext: Record<string, string>, length = 32): ReturnType<typeof legacyWrap> {
    const ciphertextBlob = randomBytes(96);
    kms.server.kms.seedDecrypt({
      ciphertextBlob,
      encryptionContext,
      keyArn: kms.keyArn,
      plaintext: randomBytes(length),
    });
    return legacyWrap(ciphertextBlob, encryptionContext);
  }

  it("opens what SES wrote, without a caller's context, sending what is stored verbatim (H13, H25)", async () => {
    const opened = await keyring.onDecrypt(toDecrypt({}, GCM), [seeded(ses)]);
    expect(opened?.dataKey?.symmetricKeySize).to.equal(32);
    expect(kms.latest.EncryptionContext).to.deep.equal(ses);
  });

  it("pins the configured key, never the stored kms_cmk_id (S11)", async () => {
    await keyring.onDecrypt(toDecrypt({}, GCM), [seeded(ses)]);
    expect(kms.latest.KeyId).to.equal(kms.keyArn);
  });

  it("accepts a caller's context that is the stored one without kms_cmk_id", async () => {
    const { kms_cmk_id: _, ...context } = ses;
    expect(await keyring.onDecrypt(toDecrypt(context, GCM), [seeded(ses)])).to.not.equal(null);
  });

  const { kms_cmk_id: _, ...entries } = ses;
  const wrong = {
    subset: { "aws:ses-rule-name": "r" },
    superset: { ...entries, more: "1" },
    different: { ...entries, "aws:ses-rule-name": "x" },
    "with kms_cmk_id": ses,
  };
  for (const [what, context] of Object.entries(wrong)) {
    it(`refuses a caller's context that is ${what}, before any KMS call (S9, S10)`, async () => {
      await refusal("context-mismatch", keyring.onDecrypt(toDecrypt(context, GCM), [seeded(ses)]));
      expect(kms.calls).to.deep.equal([]);
    });
  }

  it("refuses a kms+context object relabelled kms, before any KMS call (S9)", async () => {
    const relabelled = seeded({ tenant: "a", [BINDING]: "AES/GCM/NoPadding" });
    for (const context of [{}, { tenant: "a" }]) {
      await refusal("malformed-envelope", keyring.onDecrypt(toDecrypt(context, GCM), [relabelled]));
    }
    expect(kms.calls).to.deep.equal([]);
  });

  it("opens with CBC content too, being bound to none, and with 16-byte data keys (1.5, H19)", async () => {
    const opened = await keyring.onDecrypt(toDecrypt({}, CBC), [seeded({ kms_cmk_id: "alias/app" }, 16)]);
    expect(opened?.dataKey?.symmetricKeySize).to.equal(16);
  });

  it("fails uniformly when KMS does not open it", async () => {
    await refusal("decryption-failed", keyring.onDecrypt(toDecrypt({}, GCM), [legacyWrap(randomBytes(96), ses)]));
  });
});
