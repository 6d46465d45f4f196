import { createCipheriv, createDecipheriv } from "node:crypto";
import { COMMITTING_GCM, GCM } from "@s3ec/envelope";
import { BY_PROVIDER, bytes, forReading, forWriting, opens, refusal, refused } from "@s3ec/test-support";
import { expect } from "chai";
import { defineKeyring, type KeyringDefinition, S3EncryptionError } from "../dist/index.js";

const KEY = bytes(0x40, 32);
const IV = bytes(1, 12);

const DEFINITION: KeyringDefinition = {
  name: "acme:vault/v1",
  wrap: (dataKey, binding) => {
    const cipher = createCipheriv("aes-256-gcm", KEY, IV).setAAD(Buffer.from(binding));
    return Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  },
  unwrap: (wrapped, binding) => {
    const decipher = createDecipheriv("aes-256-gcm", KEY, IV, { authTagLength: 16 });
    decipher.setAAD(Buffer.from(binding)).setAuthTag(wrapped.subarray(-16));
    return Buffer.concat([decipher.update(wrapped.subarray(0, -16)), decipher.final()]);
  },
};

describe("defineKeyring", () => {
  const keyring = defineKeyring(DEFINITION);

  for (const suite of [COMMITTING_GCM, GCM, BY_PROVIDER]) {
    it(`makes a keyring for ${suite.name} that binds its wrap to the suite`, async () => {
      const written = await keyring.onEncrypt(forWriting(suite));
      expect(await opens(keyring, written)).to.equal(true);
      const other = forReading(suite, { algorithmBinding: "other" });
      await refusal("decryption-failed", () => keyring.onDecrypt(other, written.encryptedDataKeys));
    });
  }

  it("stores the name of the wrap, and the caller's material description", async () => {
    const materialDescription = { tenant: "a" };
    const { encryptedDataKeys } = await keyring.onEncrypt(forWriting(GCM, { materialDescription }));
    expect(encryptedDataKeys[0]?.wrapAlgorithm.v2Name).to.equal(DEFINITION.name);
    expect({ ...encryptedDataKeys[0]?.description }).to.deep.equal(materialDescription);
    const plain = await keyring.onEncrypt(forWriting(GCM));
    expect({ ...plain.encryptedDataKeys[0]?.description }).to.deep.equal({});
    expect(keyring.wrapAlgorithms.map(({ name }) => name)).to.deep.equal([DEFINITION.name]);
  });

  it("tells a store that is down from a wrap that does not open", async () => {
    const down = (): never => {
      throw new S3EncryptionError("key-unavailable", "The vault is down.");
    };
    const { encryptedDataKeys } = await keyring.onEncrypt(forWriting());
    await refusal("key-unavailable", () =>
      defineKeyring({ ...DEFINITION, unwrap: down }).onDecrypt(forReading(), encryptedDataKeys),
    );
    await refusal("key-unavailable", () => defineKeyring({ ...DEFINITION, wrap: down }).onEncrypt(forWriting()));
  });

  it("leaves another key's wraps to other keyrings, where it is told that they are", async () => {
    const { encryptedDataKeys } = await keyring.onEncrypt(forWriting());
    const other = defineKeyring({ ...DEFINITION, unwrap: () => null });
    expect(await other.onDecrypt(forReading(), encryptedDataKeys)).to.equal(null);
    const named = defineKeyring({ ...DEFINITION, name: "acme:vault/v2" });
    expect(await named.onDecrypt(forReading(), encryptedDataKeys)).to.equal(null);
  });

  it("refuses what is no definition: a function missing, misspelt or one too many, an official name", () => {
    const { unwrap, ...half } = DEFINITION;
    for (const given of [half, { ...half, unwarp: unwrap }, { ...DEFINITION, onEncrypt: unwrap }, { unwrap }]) {
      refused("invalid-argument", () => Reflect.apply(defineKeyring, undefined, [given]));
    }
    refused("invalid-argument", () => defineKeyring({ ...DEFINITION, name: "AES/GCM" }));
    const { name: _, ...nameless } = DEFINITION;
    const { message } = refused("invalid-argument", () => Reflect.apply(defineKeyring, undefined, [nameless]));
    expect(message).to.contain("name must be 3 to 64");
  });

  for (const [what, wrapped] of Object.entries({ text: "x", nothing: undefined, "no bytes": new Uint8Array(0) })) {
    it(`stores no wrap that is ${what}, and says whose it would be`, async () => {
      const careless = defineKeyring({ ...DEFINITION, wrap: () => wrapped as Uint8Array });
      const { message } = await refusal("invalid-configuration", () => careless.onEncrypt(forWriting()));
      expect(message).to.contain(DEFINITION.name).and.contain("as bytes");
    });
  }
});
