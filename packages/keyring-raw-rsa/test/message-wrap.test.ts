import { constants, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { COMMITTING_GCM, RSA_OAEP_SHA1 } from "@s3ec/envelope";
import { COMMITTED, MESSAGE_SUITES, type MessageSuite } from "@s3ec/format-aws-message";
import { type EncryptedDataKey, importDataKey, keyProvider, type MessageKeyName } from "@s3ec/materials";
import { bytes, encryptedDataKey, forReading, forWriting, opens, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { type OaepHash, RawRsaKeyring, type RawRsaKeyringOptions } from "../dist/index.js";
import { DATA_KEY, PRIVATE_KEY } from "./known-wraps.js";
import { PUBLIC_KEY } from "./raw-rsa.js";
import { recordPrivateOperations } from "./recording.js";

const NAME: MessageKeyName = { namespace: "test keys", name: "schlüssel" };
const OTHER = generateKeyPairSync("rsa", { modulusLength: 2048 });

function wrapOf(options: {
  key?: typeof PUBLIC_KEY;
  name?: string;
  namespace?: string;
  dataKey?: Uint8Array;
  oaepHash?: string;
  padding?: number;
}): EncryptedDataKey {
  const { key = PUBLIC_KEY, namespace = NAME.namespace, name = NAME.name, oaepHash = "sha256" } = options;
  const padding = options.padding ?? constants.RSA_PKCS1_OAEP_PADDING;
  const hash = padding === constants.RSA_PKCS1_OAEP_PADDING ? { oaepHash } : {};
  const ciphertext = publicEncrypt({ key, padding, ...hash }, options.dataKey ?? DATA_KEY);
  return { ...encryptedDataKey(keyProvider(namespace), ciphertext), providerInfo: Buffer.from(name) };
}

const keyringWith = (more: Partial<RawRsaKeyringOptions> = {}): RawRsaKeyring =>
  new RawRsaKeyring({ privateKey: PRIVATE_KEY, messageKey: NAME, ...more });
const read = (key: EncryptedDataKey, keyring = keyringWith(), suite: MessageSuite = COMMITTED) =>
  keyring.onDecrypt(forReading(suite), [key]);

describe("messages", () => {
  const keyring = keyringWith();

  it("get an OAEP wrap of the bare data key whose provider information is the key's name", async () => {
    const written = await keyring.onEncrypt(forWriting(COMMITTED));
    const [wrap] = written.encryptedDataKeys;
    expect(wrap?.wrapAlgorithm).to.deep.equal(keyProvider("test keys"));
    expect(Buffer.from(wrap?.providerInfo ?? []).toString()).to.equal(NAME.name);
    expect({ ...wrap?.description }).to.deep.equal({});
    expect(await opens(keyring, written)).to.equal(true);
  });

  for (const oaepHash of ["sha1", "sha256", "sha384", "sha512"] as const) {
    it(`are read and written with ${oaepHash}, and with no other digest then`, async () => {
      const own = keyringWith({ oaepHash });
      expect((await read(wrapOf({ oaepHash }), own))?.dataKey?.export()).to.deep.equal(DATA_KEY);
      const { encryptedDataKeys } = await own.onEncrypt(forWriting(COMMITTED));
      for (const other of ["sha1", "sha256", "sha384", "sha512"] as const) {
        const reading = () => keyringWith({ oaepHash: other }).onDecrypt(forReading(COMMITTED), encryptedDataKeys);
        if (other === oaepHash) expect(await reading()).to.have.property("dataKey");
        else await refusal("decryption-failed", reading);
      }
    });
  }

  it("have sha256 by default, and no digest that the AWS Encryption SDK lacks", async () => {
    expect(await read(wrapOf({ oaepHash: "sha256" }), keyringWith())).to.have.property("dataKey");
    for (const oaepHash of ["md5", "sha224", "SHA256", "", null]) {
      await refusal("invalid-argument", () => keyringWith({ oaepHash: oaepHash as OaepHash }));
    }
  });

  it("have data keys as long as the suite's", async () => {
    for (const suite of MESSAGE_SUITES) {
      for (const length of [15, 16, 24, 32, 33]) {
        const reading = () => read(wrapOf({ dataKey: bytes(1, length) }), keyring, suite);
        if (suite.keyLength === length) expect((await reading())?.dataKey?.symmetricKeySize).to.equal(length);
        else await refusal("decryption-failed", reading);
      }
    }
  });

  it("are written with the public key alone, and then not read", async () => {
    const writer = new RawRsaKeyring({ publicKey: PUBLIC_KEY, messageKey: NAME });
    const dataKey = importDataKey(Buffer.from(DATA_KEY));
    const { encryptedDataKeys } = await writer.onEncrypt(forWriting(COMMITTED, { dataKey }));
    const opened = await keyring.onDecrypt(forReading(COMMITTED), encryptedDataKeys);
    expect(opened?.dataKey?.export()).to.deep.equal(DATA_KEY);
    await refusal("no-matching-key", () => writer.onDecrypt(forReading(COMMITTED), encryptedDataKeys));
    expect(await read(wrapOf({ name: "other" }), writer)).to.equal(null);
  });

  it("answer null to wraps of another namespace, name or format, and find their own among them", async () => {
    const foreign = [
      wrapOf({ namespace: "Test keys" }),
      wrapOf({ namespace: "aws-kms" }),
      wrapOf({ name: "schlüsse" }),
      wrapOf({ name: "schlüssel2" }),
      encryptedDataKey(keyProvider(NAME.namespace), DATA_KEY),
      encryptedDataKey(RSA_OAEP_SHA1, wrapOf({}).ciphertext),
    ];
    const operations = await recordPrivateOperations(async () => {
      for (const each of foreign) expect(await read(each)).to.equal(null);
    });
    expect(operations).to.deep.equal([]);
    expect(await keyring.onDecrypt(forReading(COMMITTED), [...foreign, wrapOf({})])).to.have.property("dataKey");
    const broken = wrapOf({ key: OTHER.publicKey });
    expect(await keyring.onDecrypt(forReading(COMMITTED), [broken, wrapOf({})])).to.have.property("dataKey");
    await refusal("decryption-failed", () => keyring.onDecrypt(forReading(COMMITTED), [broken, ...foreign]));
  });

  it("refuse other keys, paddings, lengths and altered bytes in the same words and without a cause", async () => {
    const { ciphertext, ...rest } = wrapOf({});
    const altered = [
      wrapOf({ key: OTHER.publicKey }),
      wrapOf({ padding: constants.RSA_PKCS1_PADDING }),
      wrapOf({ dataKey: bytes(1, 31) }),
      wrapOf({ dataKey: new Uint8Array(0) }),
      { ...rest, ciphertext: ciphertext.subarray(1) },
      { ...rest, ciphertext: Buffer.concat([ciphertext, Buffer.alloc(1)]) },
      { ...rest, ciphertext: new Uint8Array(0) },
      { ...rest, ciphertext: Buffer.alloc(256, 0xff) },
      ...[0, 1, 100, 255].map((at) => ({ ...rest, ciphertext: ciphertext.map((b, i) => (i === at ? b ^ 1 : b)) })),
    ];
    const messages = new Set<string>();
    for (const each of altered) {
      const error = await refusal("decryption-failed", () => read(each));
      expect(error.cause).to.equal(undefined);
      messages.add(error.message);
    }
    expect(messages.size).to.equal(1);
  });

  it("zero a key of the wrong length that was deciphered", async () => {
    const operations = await recordPrivateOperations(async () => {
      await refusal("decryption-failed", () => read(wrapOf({ dataKey: bytes(1, 24) })));
    });
    expect(operations).to.deep.equal([Buffer.alloc(24)]);
  });

  it("need a messageKey to be written, and are not read without one", async () => {
    const unnamed = new RawRsaKeyring({ privateKey: PRIVATE_KEY });
    const error = await refusal("invalid-configuration", () => unnamed.onEncrypt(forWriting(COMMITTED)));
    expect(error.message).to.contain("messageKey");
    expect(await read(wrapOf({}), unnamed)).to.equal(null);
    expect(unnamed.wrapAlgorithms.map(({ name }) => name)).to.not.include(NAME.namespace);
  });

  it("leave objects of S3 clients as they are", async () => {
    const { encryptedDataKeys } = await keyringWith({ oaepHash: "sha512" }).onEncrypt(forWriting(COMMITTING_GCM));
    expect(encryptedDataKeys[0]).to.have.property("wrapAlgorithm", RSA_OAEP_SHA1);
    expect(encryptedDataKeys[0]).to.not.have.property("providerInfo");
    const plain = new RawRsaKeyring({ privateKey: PRIVATE_KEY });
    expect(await plain.onDecrypt(forReading(COMMITTING_GCM), encryptedDataKeys)).to.have.property("dataKey");
    expect(await keyring.onDecrypt(forReading(COMMITTING_GCM), [wrapOf({})])).to.equal(null);
  });

  it("are read with former keys by their names, which may be all that these have", async () => {
    const messageKey = { namespace: "old keys", name: NAME.name };
    const rotated = keyringWith({ decryptionKeys: [{ privateKey: OTHER.privateKey, messageKey }] });
    expect(rotated.wrapAlgorithms.slice(-2).map(({ name }) => name)).to.deep.equal([NAME.namespace, "old keys"]);
    expect(await read(wrapOf({ key: OTHER.publicKey, ...messageKey }), rotated)).to.have.property("dataKey");
    expect(await read(wrapOf({}), rotated)).to.have.property("dataKey");
    await refusal("decryption-failed", () => read(wrapOf(messageKey), rotated));
  });

  it("refuse keys that share a name, or have nothing to be found by", async () => {
    const { privateKey } = OTHER;
    for (const decryptionKeys of [[{ privateKey, messageKey: NAME }], [{ privateKey }]]) {
      await refusal("invalid-configuration", () => keyringWith({ decryptionKeys }));
    }
    await refusal("invalid-argument", () => keyringWith({ messageKey: { ...NAME, namespace: "aws-kms" } }));
  });
});
