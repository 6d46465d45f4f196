import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { Pkcs11Keyring, type Pkcs11KeyringOptions } from "../dist/index.js";

const RIGHT = { module: "/nowhere/pkcs11.so", tokenLabel: "token", keyLabel: "key" };

describe("Pkcs11Keyring.open", () => {
  const wrong: readonly [string, object][] = [
    ["no module", { module: undefined }],
    ["an empty module", { module: "" }],
    ["no token", { tokenLabel: undefined }],
    ["a slot and a token label", { slot: 0 }],
    ["a slot that is no number", { tokenLabel: undefined, slot: "0" }],
    ["a negative slot", { tokenLabel: undefined, slot: -1 }],
    ["no key", { keyLabel: undefined }],
    ["an empty label", { keyLabel: "" }],
    ["an id that is not hex", { keyId: "1g" }],
    ["half a byte of an id", { keyId: "1" }],
    ["another type of key", { keyType: "ec" }],
    ["no sessions", { maxSessions: 0 }],
    ["half a session", { maxSessions: 1.5 }],
    ["the PIN itself", { pin: "1234" }],
    ["two places of a PIN", { pin: { file: "a", env: "b" } }],
    ["a former key without a name", { decryptionKeys: [{ materialDescription: { key: "old" } }] }],
    ["a description that is none", { materialDescription: { key: 1 } }],
  ];
  for (const [what, options] of wrong) {
    it(`refuses ${what}`, async () => {
      const given = { ...RIGHT, ...options } as Pkcs11KeyringOptions;
      const error = await refusal("invalid-argument", () => Pkcs11Keyring.open(given));
      expect(error.message).to.not.contain("1234");
    });
  }

  it("refuses former keys that it could not tell apart", async () => {
    const decryptionKeys = [{ keyLabel: "old", materialDescription: {} }];
    await refusal("invalid-configuration", () => Pkcs11Keyring.open({ ...RIGHT, decryptionKeys }));
  });
});
