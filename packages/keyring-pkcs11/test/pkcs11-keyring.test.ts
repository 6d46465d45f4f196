import { type KeyObject, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { AES_GCM, COMMITTING_GCM, GCM, RSA_OAEP_SHA1 } from "@s3ec/envelope";
import { COMMITTED } from "@s3ec/format-aws-message";
import { describeKeyring } from "@s3ec/keyring-conformance";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import { describeOnSoftHsm, newRsaKey } from "@s3ec/softhsm";
import { forReading, forWriting, opens, refusal, roundTrip } from "@s3ec/test-support";
import { expect } from "chai";
import { loadCryptoki } from "../dist/binding.js";
import type { Cryptoki, Handle } from "../dist/cryptoki.js";
import { Pkcs11Keyring, type Pkcs11KeyringOptions } from "../dist/index.js";

/** What only this test does with a token: harm. */
type Harm = Cryptoki & { C_CloseAllSessions(slot: Handle): void; C_Logout(session: Handle): void };

describeOnSoftHsm("Pkcs11Keyring on SoftHSM", (hsm) => {
  const opened: Pkcs11Keyring[] = [];
  const secrets: Uint8Array[] = [randomBytes(32), Buffer.from("a PIN for tests: é")];
  let aesKey: Uint8Array;
  let rsaKey: KeyObject;

  before(() => {
    aesKey = hsm().importAes("aes", "a1", secrets[0]);
    hsm().importAes("other aes", "a2");
    rsaKey = hsm().importRsa("rsa", "b1");
    hsm().importRsa("other rsa", "b2");
  });
  afterEach(async () => {
    for (const keyring of opened.splice(0)) await keyring.close();
  });

  async function open(options: Partial<Pkcs11KeyringOptions>): Promise<Pkcs11Keyring> {
    const keyring = await Pkcs11Keyring.open({ ...hsm().options, ...options });
    opened.push(keyring);
    return keyring;
  }

  describeKeyring("an AES key", {
    create: () => open({ keyLabel: "aes" }),
    createOther: () => open({ keyLabel: "other aes" }),
    secrets,
  });
  describeKeyring("an RSA key", {
    create: () => open({ keyLabel: "rsa" }),
    createOther: () => open({ keyLabel: "other rsa" }),
    secrets,
  });
  describeKeyring("an RSA key's public half, without a PIN", {
    create: async () => {
      const { module, tokenLabel } = hsm();
      // Nobody may be logged in, which would show this one the private key too.
      const keyring = await Pkcs11Keyring.open({ module, tokenLabel, keyLabel: "rsa" });
      opened.push(keyring);
      return keyring;
    },
    createReader: () => open({ keyLabel: "rsa" }),
  });

  it("writes what the raw keyrings read with a copy of the key, and reads what they write, for V2 and V3", async () => {
    const pairs: readonly [Keyring, Keyring][] = [
      [await open({ keyLabel: "aes" }), new RawAesKeyring({ wrappingKey: aesKey })],
      [await open({ keyLabel: "rsa" }), new RawRsaKeyring({ privateKey: rsaKey })],
    ];
    for (const [token, raw] of pairs) {
      for (const suite of [COMMITTING_GCM, GCM]) {
        expect(await roundTrip(token, raw, suite)).to.equal(true);
        expect(await roundTrip(raw, token, suite)).to.equal(true);
      }
    }
  });

  describe("for messages", () => {
    const aes = { namespace: "tests", name: "a key" };
    const rsa = { namespace: "tests", name: "an RSA key" };

    it("writes what the raw keyrings of that name read with a copy of the key, and reads what they write", async () => {
      const pairs: readonly [Keyring, Keyring][] = [
        [await open({ keyLabel: "aes", messageKey: aes }), new RawAesKeyring({ wrappingKey: aesKey, messageKey: aes })],
        [
          await open({ keyLabel: "rsa", messageKey: rsa }),
          new RawRsaKeyring({ privateKey: rsaKey, messageKey: rsa, oaepHash: "sha1" }),
        ],
      ];
      for (const [one, other] of [...pairs, ...pairs.map(([token, raw]) => [raw, token] as const)]) {
        for (const context of [{}, { tenant: "ä" }]) {
          const written = await one.onEncrypt(forWriting(COMMITTED, { encryptionContext: context }));
          expect(await opens(other, written)).to.equal(true);
        }
      }
    });

    it("refuses another context, and everything altered, with one error", async () => {
      const keyring = await open({ keyLabel: "aes", messageKey: aes });
      const { encryptedDataKeys } = await keyring.onEncrypt(
        forWriting(COMMITTED, { encryptionContext: { tenant: "a" } }),
      );
      const materials = forReading(COMMITTED, { encryptionContext: { tenant: "a" } });
      await refusal("decryption-failed", () => keyring.onDecrypt(forReading(COMMITTED), encryptedDataKeys));
      const [key] = encryptedDataKeys;
      if (key?.providerInfo === undefined) throw new Error("It has provider information.");
      for (const offset of [aes.name.length + 3, aes.name.length + 8]) {
        const providerInfo = Uint8Array.from(key.providerInfo);
        providerInfo[offset] = (providerInfo[offset] ?? 0) ^ 1;
        await refusal("decryption-failed", () => keyring.onDecrypt(materials, [{ ...key, providerInfo }]));
      }
      for (const ciphertext of [key.ciphertext.subarray(1), new Uint8Array(48)]) {
        await refusal("decryption-failed", () => keyring.onDecrypt(materials, [{ ...key, ciphertext }]));
      }
      const unnamed = { ...key, providerInfo: Buffer.concat([key.providerInfo, Uint8Array.of(0)]) };
      expect(await keyring.onDecrypt(materials, [unnamed])).to.equal(null);
    });

    it("needs the name of the key", async () => {
      const keyring = await open({ keyLabel: "aes" });
      const error = await refusal("invalid-configuration", () => keyring.onEncrypt(forWriting(COMMITTED)));
      expect(error.message).to.match(/messageKey/);
    });
  });

  it("declares the wrap of its key, and no legacy one", async () => {
    expect((await open({ keyLabel: "aes" })).wrapAlgorithms).to.deep.equal([AES_GCM]);
    expect((await open({ keyLabel: "rsa" })).wrapAlgorithms).to.deep.equal([RSA_OAEP_SHA1]);
  });

  it("finds its key by label, id or both, and the token by slot number too", async () => {
    const writer = await open({ keyLabel: "rsa" });
    const label = await open({ keyId: "B1" });
    const both = await open({ keyLabel: "rsa", keyId: "b1", keyType: "rsa" });
    expect(await roundTrip(writer, label)).to.equal(true);
    expect(await roundTrip(writer, both)).to.equal(true);

    const cryptoki = await loadCryptoki(hsm().module);
    const slot = cryptoki.C_GetSlotList(true).map((handle) => Number(handle.readBigUInt64LE()))[0];
    const { module, pin } = hsm().options;
    const bySlot = await Pkcs11Keyring.open({ module, pin, slot: slot ?? -1, keyLabel: "rsa" });
    opened.push(bySlot);
    expect(await roundTrip(writer, bySlot)).to.equal(true);
  });

  it("says what it does not find, or finds too often", async () => {
    hsm().importAes("twin", "c1");
    hsm().importAes("twin", "c2");
    hsm().importAes("mixed", "d1");
    hsm().importRsa("mixed", "d2");
    const keyUnavailable: readonly [Partial<Pkcs11KeyringOptions>, RegExp][] = [
      [{ keyLabel: "none" }, /no AES or RSA key with the label "none"/],
      [{ keyLabel: "aes", keyId: "b1" }, /with the label "aes" and the id b1/],
      [{ keyLabel: "aes", keyType: "rsa" }, /no RSA key/],
      [{ keyLabel: "aes", tokenLabel: "none" }, /no token with the label "none"/],
    ];
    for (const [options, words] of keyUnavailable) {
      expect((await refusal("key-unavailable", () => open(options))).message).to.match(words);
    }
    expect((await refusal("invalid-configuration", () => open({ keyLabel: "twin" }))).message).to.match(/several AES/);
    expect((await refusal("invalid-configuration", () => open({ keyLabel: "mixed" }))).message).to.match(/keyType/);
    expect((await open({ keyLabel: "mixed", keyType: "aes" })).wrapAlgorithms).to.deep.equal([AES_GCM]);
  });

  it("refuses an RSA key that is too short", async () => {
    hsm().importRsa("short", "e1", newRsaKey(1024));
    expect((await refusal("invalid-configuration", () => open({ keyLabel: "short" }))).message).to.match(/2048 bits/);
  });

  it("without a PIN writes with the public key, and says why it cannot read", async () => {
    const { module, tokenLabel } = hsm();
    const secret = await refusal("key-unavailable", () =>
      Pkcs11Keyring.open({ module, tokenLabel, keyLabel: "aes", keyType: "aes" }),
    );
    expect(secret.message).to.match(/with the pin only/);
    const writer = await Pkcs11Keyring.open({ module, tokenLabel, keyLabel: "rsa" });
    opened.push(writer);
    const written = await writer.onEncrypt(forWriting());
    const error = await refusal("no-matching-key", () => opens(writer, written));
    expect(error.message).to.match(/pin/);
    expect(await opens(await open({ keyLabel: "rsa" }), written)).to.equal(true);
  });

  it("reads with a former key what carries its description", async () => {
    const materialDescription = { key: "2024" };
    const former = await open({ keyLabel: "other rsa", materialDescription });
    const keyring = await open({
      keyLabel: "rsa",
      materialDescription: { key: "2026" },
      decryptionKeys: [{ keyLabel: "other rsa", materialDescription }],
    });
    expect(await roundTrip(former, keyring)).to.equal(true);
    expect(await roundTrip(keyring, keyring)).to.equal(true);
    await refusal("decryption-failed", () => roundTrip(keyring, former));
    await refusal("invalid-argument", () => keyring.onEncrypt(forWriting(GCM, { materialDescription })));
  });

  it("works on many objects at once, with few sessions", async () => {
    const keyrings = [await open({ keyLabel: "rsa", maxSessions: 2 }), await open({ keyLabel: "aes", maxSessions: 3 })];
    const trips = keyrings.flatMap((keyring) => Array.from({ length: 40 }, () => roundTrip(keyring, keyring)));
    expect(await Promise.all(trips)).to.deep.equal(Array(80).fill(true));
  });

  it("goes on after somebody in the process closed every session, or logged out", async () => {
    const keyrings = [await open({ keyLabel: "rsa" }), await open({ keyLabel: "aes" })];
    const harm = (await loadCryptoki(hsm().module)) as Harm;
    const [slot] = harm.C_GetSlotList(true);
    if (slot === undefined) throw new Error("There is a slot.");
    for (const keyring of keyrings) {
      const written = await keyring.onEncrypt(forWriting());
      harm.C_CloseAllSessions(slot);
      expect(await opens(keyring, written)).to.equal(true);
      const session = harm.C_OpenSession(slot, 4);
      harm.C_Logout(session);
      harm.C_CloseSession(session);
      expect(await opens(keyring, written)).to.equal(true);
    }
  });

  it("goes on after somebody in the process finalized the module", async () => {
    const keyring = await open({ keyLabel: "rsa" });
    const written = await keyring.onEncrypt(forWriting());
    (await loadCryptoki(hsm().module)).C_Finalize();
    expect(await opens(keyring, written)).to.equal(true);
  });

  it("says key-unavailable while the token is away, and works once it is back", async () => {
    const keyring = await open({ keyLabel: "aes" });
    const written = await keyring.onEncrypt(forWriting());
    hsm().unplug();
    try {
      for (let i = 0; i < 3; i++) {
        await refusal("key-unavailable", () => opens(keyring, written));
      }
    } finally {
      hsm().plugIn();
    }
    expect(await opens(keyring, written)).to.equal(true);
  });

  it("goes on writing with an RSA key while the token is away, since that takes the public key only", async () => {
    const keyring = await open({ keyLabel: "rsa" });
    hsm().unplug();
    const written = await keyring.onEncrypt(forWriting()).finally(() => hsm().plugIn());
    expect(await opens(keyring, written)).to.equal(true);
    await keyring.close();
    await refusal("key-unavailable", () => keyring.onEncrypt(forWriting()));
  });

  it("takes one wrong PIN for an answer, and tells nobody which", async () => {
    let asked = 0;
    const pin = () => {
      asked++;
      return "not the PIN at all";
    };
    const error = await refusal("key-unavailable", () => open({ keyLabel: "aes", pin }));
    expect(error.message).to.contain("CKR_PIN_INCORRECT");
    expect(inspect(error, { depth: 9, showHidden: true })).to.not.contain("not the PIN");
    expect(asked).to.equal(1);
    const keyring = await open({ keyLabel: "aes" });
    expect(inspect(keyring, { depth: 9, showHidden: true })).to.not.contain("a PIN for tests");
    expect(JSON.parse(JSON.stringify(keyring))).to.have.all.keys("wrapAlgorithms");
  });

  it("opens twice on one module, and each closes for itself", async () => {
    const [one, two] = [await open({ keyLabel: "aes" }), await open({ keyLabel: "aes" })];
    await one.close();
    expect(await roundTrip(two, two)).to.equal(true);
    await refusal("key-unavailable", () => one.onEncrypt(forWriting()));
    {
      await using three = await open({ keyLabel: "rsa" });
      expect(await roundTrip(three, three)).to.equal(true);
    }
    expect(await roundTrip(two, two)).to.equal(true);
  });
});
