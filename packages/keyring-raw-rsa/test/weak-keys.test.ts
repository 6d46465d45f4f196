import { constants, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { CBC, COMMITTING_GCM, GCM, RSA_OAEP_SHA1, RSA_OAEP_SHA256, RSA_PKCS1 } from "@s3ec/envelope";
import { keyProvider } from "@s3ec/materials";
import { BY_PROVIDER, encryptedDataKey, forReading, forWriting, refusal, refused } from "@s3ec/test-support";
import { expect } from "chai";
import { RawRsaKeyring } from "../dist/index.js";
import { DATA_KEY, PRIVATE_KEY } from "./known-wraps.js";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
const messageKey = { namespace: "test keys", name: "weak" };
const weak = new RawRsaKeyring({ privateKey, messageKey, enableWeakKeysForReading: true });

const OAEP = constants.RSA_PKCS1_OAEP_PADDING;
const bound = (binding: string) => Buffer.concat([Uint8Array.of(32), DATA_KEY, Buffer.from(binding)]);
const wrap = (data: Uint8Array, padding: number, oaepHash: string) =>
  publicEncrypt({ key: publicKey, padding, ...(padding === OAEP ? { oaepHash } : {}) }, data);

/** What a key of 1,024 bits may have wrapped, in every way that is read. */
const WRAPS = [
  { suite: CBC, wrapped: encryptedDataKey(RSA_PKCS1, wrap(DATA_KEY, constants.RSA_PKCS1_PADDING, "sha1")) },
  { suite: GCM, wrapped: encryptedDataKey(RSA_OAEP_SHA256, wrap(DATA_KEY, OAEP, "sha256")) },
  { suite: GCM, wrapped: encryptedDataKey(RSA_OAEP_SHA1, wrap(bound(GCM.storedName), OAEP, "sha1")) },
  { suite: COMMITTING_GCM, wrapped: encryptedDataKey(RSA_OAEP_SHA1, wrap(bound("115"), OAEP, "sha1")) },
  {
    suite: BY_PROVIDER,
    wrapped: {
      ...encryptedDataKey(keyProvider(messageKey.namespace), wrap(DATA_KEY, OAEP, "sha256")),
      providerInfo: Buffer.from(messageKey.name),
    },
  },
];

describe("enableWeakKeysForReading", () => {
  for (const { suite, wrapped } of WRAPS) {
    it(`reads ${wrapped.wrapAlgorithm.name} for ${suite.name} with a key of 1,024 bits`, async () => {
      const opened = await weak.onDecrypt(forReading(suite), [wrapped]);
      expect(opened?.dataKey?.export()).to.deep.equal(Buffer.from(DATA_KEY));
    });
  }

  it("reads with such a former key, and writes with the one that took its place", async () => {
    const options = { privateKey: PRIVATE_KEY, materialDescription: { key: "new" }, enableWeakKeysForReading: true };
    const keyring = new RawRsaKeyring({ ...options, decryptionKeys: [{ privateKey, materialDescription: {} }] });
    const [{ suite, wrapped } = { suite: CBC, wrapped: encryptedDataKey(RSA_PKCS1, DATA_KEY) }] = WRAPS;
    expect((await keyring.onDecrypt(forReading(suite), [wrapped]))?.dataKey?.export()).to.deep.equal(
      Buffer.from(DATA_KEY),
    );
    const { encryptedDataKeys } = await keyring.onEncrypt(forWriting());
    expect(encryptedDataKeys[0]?.ciphertext).to.have.length(256);
  });

  it("writes with no such key, in any format", async () => {
    for (const suite of [GCM, COMMITTING_GCM, BY_PROVIDER]) {
      const { message } = await refusal("unsupported-operation", () => weak.onEncrypt(forWriting(suite)));
      expect(message).to.contain("1024 bits");
    }
  });

  it("is off unless it is true, and said where it would help", () => {
    for (const enableWeakKeysForReading of [undefined, false, "yes" as unknown as boolean]) {
      const given = { privateKey, ...(enableWeakKeysForReading === undefined ? {} : { enableWeakKeysForReading }) };
      const { message } = refused("invalid-argument", () => new RawRsaKeyring(given));
      expect(message).to.contain("enableWeakKeysForReading");
    }
  });

  it("takes no shorter key, and no public key", () => {
    const short = generateKeyPairSync("rsa", { modulusLength: 1023 });
    const on = { enableWeakKeysForReading: true };
    expect(
      refused("invalid-argument", () => new RawRsaKeyring({ privateKey: short.privateKey, ...on })).message,
    ).to.match(/1024 bits or more/);
    for (const given of [{ publicKey }, { publicKey, privateKey }]) {
      refused("invalid-argument", () => new RawRsaKeyring({ ...given, ...on }));
    }
  });
});
