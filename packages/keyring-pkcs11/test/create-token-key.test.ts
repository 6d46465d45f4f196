import { describeOnSoftHsm } from "@s3ec/softhsm";
import { refusal, roundTrip } from "@s3ec/test-support";
import { expect } from "chai";
import { createTokenKey, type NewTokenKey, Pkcs11Keyring } from "../dist/index.js";

describeOnSoftHsm("createTokenKey on SoftHSM", (hsm) => {
  const create = (options: Partial<NewTokenKey>): Promise<void> =>
    createTokenKey({ ...hsm().options, keyType: "aes", ...options });

  for (const [keyType, names] of [
    ["aes", { keyLabel: "made aes" }],
    ["rsa", { keyLabel: "made rsa", keyId: "c1", bits: 2048 }],
  ] as const) {
    it(`makes an ${keyType.toUpperCase()} key that the keyring writes and reads with`, async () => {
      await create({ keyType, ...names });
      await using keyring = await Pkcs11Keyring.open({ ...hsm().options, keyLabel: names.keyLabel, keyType });
      expect(await roundTrip(keyring, keyring)).to.equal(true);
    });
  }

  it("makes no second key of a name, whatever its kind", async () => {
    await create({ keyLabel: "once", keyId: "d1" });
    for (const names of [{ keyLabel: "once" }, { keyId: "d1" }]) {
      for (const keyType of ["aes", "rsa"] as const) {
        const { message } = await refusal("invalid-argument", create({ ...names, keyType }));
        expect(message).to.match(/^The token has an object with the (?:label "once"|id d1) already/);
      }
    }
    await using keyring = await Pkcs11Keyring.open({ ...hsm().options, keyLabel: "once" });
    expect(await roundTrip(keyring, keyring)).to.equal(true);
  });

  it("refuses a PIN that the token does not take, and makes nothing then", async () => {
    await refusal("key-unavailable", create({ keyLabel: "never", pin: () => "wrong" }));
    const open = Pkcs11Keyring.open({ ...hsm().options, keyLabel: "never" });
    expect((await refusal("key-unavailable", open)).message).to.match(/shows no AES or RSA key with the label "never"/);
  });

  for (const [what, options] of [
    ["no name", {}],
    ["no token", { keyLabel: "x", tokenLabel: undefined }],
    ["another kind", { keyLabel: "x", keyType: "ec" }],
    ["weak RSA", { keyLabel: "x", keyType: "rsa", bits: 1024 }],
    ["an unknown option", { keyLabel: "x", label: "y" }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await refusal("invalid-argument", create(options as object));
    });
  }
});
