import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes } from "node:crypto";
import { CBC, RSA_OAEP_SHA256, RSA_PKCS1 } from "@s3ec/envelope";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { EncryptedDataKey, Keyring, StringMap } from "@s3ec/materials";
import { bytes, encryptedDataKey, forReading, refusal, replacingCrypto } from "@s3ec/test-support";
import { expect } from "chai";
import { MultiKeyring } from "../dist/index.js";

const pair = (modulusLength = 2048) => generateKeyPairSync("rsa", { modulusLength });
const [a, b, longer] = [pair(), pair(), pair(3072)];
const DATA_KEY = Buffer.from(bytes(1, 32));

function pkcs1({ publicKey }: typeof a, description: StringMap = {}): EncryptedDataKey {
  const ciphertext = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, DATA_KEY);
  return encryptedDataKey(RSA_PKCS1, ciphertext, description);
}

const rsa = ({ privateKey }: typeof a, materialDescription: StringMap = {}) =>
  new RawRsaKeyring({ privateKey, materialDescription });

function multi(...children: Keyring[]): MultiKeyring {
  return new MultiKeyring({
    children: children.map((keyring, index) => ({ keyring, instructionFileSuffix: `.${index}` })),
  });
}

const opened = async (keyring: Keyring, ...keys: EncryptedDataKey[]) =>
  (await keyring.onDecrypt(forReading(CBC), keys))?.dataKey?.export();

/** Both orders, since the first key that is tried seems to open everything. */
const orders = <T>(first: T, second: T): [T, T][] => [
  [first, second],
  [second, first],
];

describe("a PKCS#1 wrap under one of several RSA keys", () => {
  it("is opened by the keyring whose description it carries, wherever that stands", async () => {
    for (const keyrings of orders(rsa(a, { key: "a" }), rsa(b, { key: "b" }))) {
      expect(await opened(multi(...keyrings), pkcs1(a, { key: "a" }))).to.deep.equal(DATA_KEY);
      expect(await opened(multi(...keyrings), pkcs1(b, { key: "b" }))).to.deep.equal(DATA_KEY);
      const nested = multi(new RawAesKeyring({ wrappingKey: randomBytes(32) }), multi(...keyrings));
      expect(await opened(nested, pkcs1(b, { key: "b" }))).to.deep.equal(DATA_KEY);
    }
  });

  it("is opened by a former key whose description it carries, none among them", async () => {
    const { privateKey } = b;
    for (const materialDescription of [{ key: "old" }, {}]) {
      const own = { privateKey: longer.privateKey, materialDescription: { key: "new" } };
      const rotated = new RawRsaKeyring({ ...own, decryptionKeys: [{ privateKey, materialDescription }] });
      for (const keyrings of orders(rsa(a), rotated)) {
        expect(await opened(multi(...keyrings), pkcs1(b, materialDescription))).to.deep.equal(DATA_KEY);
      }
    }
  });

  it("is opened by the only one that can have wrapped it: by its length, or with a private key at hand", async () => {
    const writer = new RawRsaKeyring({ publicKey: a.publicKey });
    for (const other of [rsa(longer), writer, new RawAesKeyring({ wrappingKey: randomBytes(32) })]) {
      for (const keyrings of orders<Keyring>(other, rsa(b))) {
        expect(await opened(multi(...keyrings), pkcs1(b, { of: "somebody" }))).to.deep.equal(DATA_KEY);
      }
    }
  });

  it("is refused by name where no description tells, or two do, before any key is used", async () => {
    const same = { key: "same" };
    const refused: [MultiKeyring, EncryptedDataKey][] = [
      [multi(rsa(a), rsa(b)), pkcs1(b)],
      [multi(rsa(a), rsa(b)), pkcs1(a, { key: "a" })],
      [multi(rsa(a, { key: "a" }), rsa(b)), pkcs1(b)],
      [multi(rsa(a, same), rsa(b, same)), pkcs1(b, same)],
      [multi(rsa(a), multi(rsa(b))), pkcs1(b)],
    ];
    let operations = 0;
    const original = privateDecrypt;
    const counting = (...given: Parameters<typeof privateDecrypt>) => {
      operations++;
      return original(...given);
    };
    await replacingCrypto({ privateDecrypt: counting }, async () => {
      for (const [keyring, wrapped] of refused) {
        const { message } = await refusal("invalid-configuration", () => opened(keyring, wrapped));
        expect(message).to.contain("(RSA)").and.contain("materialDescription");
      }
    });
    expect(operations).to.equal(0);
  });

  it("leaves wraps alone that tell a wrong key: those are tried one after the other", async () => {
    const ciphertext = publicEncrypt(
      { key: b.publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      DATA_KEY,
    );
    const wrapped = encryptedDataKey(RSA_OAEP_SHA256, ciphertext);
    for (const keyrings of orders(rsa(a), rsa(b))) {
      expect(await opened(multi(...keyrings), wrapped)).to.deep.equal(DATA_KEY);
    }
  });
});
