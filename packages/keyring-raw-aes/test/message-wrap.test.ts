import { createCipheriv, createDecipheriv } from "node:crypto";
import { AES_GCM, COMMITTING_GCM, KMS_CONTEXT } from "@s3ec/envelope";
import { COMMITTED, MESSAGE_SUITES, type MessageSuite } from "@s3ec/format-aws-message";
import {
  type EncryptedDataKey,
  importDataKey,
  keyProvider,
  type MessageKeyName,
  serializeEncryptionContext,
} from "@s3ec/materials";
import { bytes, encryptedDataKey, forReading, forWriting, opens, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { RawAesKeyring, type RawAesKeyringOptions } from "../dist/index.js";
import { DATA_KEY, WRAPPING_KEY } from "./known-wraps.js";
import { recordDeciphered } from "./recording.js";

const NAME: MessageKeyName = { namespace: "test keys", name: "schlüssel" };
const CONTEXT = { tenant: "a", é: "漢" };
const IV = bytes(0x70, 12);

/** The wrap as the AWS Encryption SDK documents it, put together here from its parts. */
function wrapOf(options: {
  wrappingKey?: Uint8Array;
  name?: string;
  namespace?: string;
  context?: Record<string, string>;
  aad?: Uint8Array;
  dataKey?: Uint8Array;
  tagBits?: number;
  ivLength?: number;
  more?: Uint8Array;
}): EncryptedDataKey {
  const { wrappingKey = WRAPPING_KEY, name = NAME.name, namespace = NAME.namespace, context = CONTEXT } = options;
  const cipher = createCipheriv(gcmOf(wrappingKey), wrappingKey, IV);
  cipher.setAAD(options.aad ?? serializeEncryptionContext(context));
  const sealed = [cipher.update(options.dataKey ?? DATA_KEY), cipher.final(), cipher.getAuthTag()];
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(options.tagBits ?? 128);
  lengths.writeUInt32BE(options.ivLength ?? 12, 4);
  return {
    ...encryptedDataKey(keyProvider(namespace), Buffer.concat(sealed)),
    providerInfo: Buffer.concat([Buffer.from(name), lengths, IV, options.more ?? Buffer.alloc(0)]),
  };
}

function gcmOf({ length }: Uint8Array): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" {
  return length === 16 ? "aes-128-gcm" : length === 24 ? "aes-192-gcm" : "aes-256-gcm";
}

const keyringWith = (more: Partial<RawAesKeyringOptions> = {}): RawAesKeyring =>
  new RawAesKeyring({ wrappingKey: WRAPPING_KEY, messageKey: NAME, ...more });
const reading = (suite: MessageSuite = COMMITTED, context: Record<string, string> = CONTEXT) =>
  forReading(suite, { encryptionContext: context });
const read = (key: EncryptedDataKey, keyring = keyringWith()) => keyring.onDecrypt(reading(), [key]);

describe("messages", () => {
  const keyring = keyringWith();

  it("get a wrap whose provider information is name, tag bits, IV length and IV", async () => {
    const written = await keyring.onEncrypt(forWriting(COMMITTED, { encryptionContext: CONTEXT }));
    const [wrap] = written.encryptedDataKeys;
    expect(wrap?.wrapAlgorithm).to.deep.equal(keyProvider("test keys"));
    expect({ ...wrap?.description }).to.deep.equal({});
    const info = Buffer.from(wrap?.providerInfo ?? []);
    const name = Buffer.from(NAME.name);
    expect(info.subarray(0, -12)).to.deep.equal(Buffer.concat([name, Buffer.from("000000800000000c", "hex")]));
    expect(wrap?.ciphertext).to.have.length(48);
    expect(await opens(keyring, written)).to.equal(true);
  });

  it("never get the same IV twice", async () => {
    const written = await Promise.all(Array.from({ length: 20 }, () => keyring.onEncrypt(forWriting(COMMITTED))));
    const infos = written.map(({ encryptedDataKeys: [key] }) => Buffer.from(key?.providerInfo ?? []).toString("hex"));
    expect(new Set(infos).size).to.equal(20);
  });

  for (const length of [16, 24, 32]) {
    it(`are read and written under a wrapping key of ${length} bytes, with data keys as long as the suite's`, async () => {
      const own = keyringWith({ wrappingKey: bytes(0x80, length) });
      for (const suite of MESSAGE_SUITES) {
        const dataKey = bytes(1, suite.keyLength);
        const known = wrapOf({ wrappingKey: bytes(0x80, length), dataKey });
        const opened = await own.onDecrypt(reading(suite), [known]);
        expect(opened?.dataKey?.export()).to.deep.equal(Buffer.from(dataKey));
        const given = { encryptionContext: CONTEXT, dataKey: importDataKey(Uint8Array.from(dataKey)) };
        const { encryptedDataKeys } = await own.onEncrypt(forWriting(suite, given));
        const again = await own.onDecrypt(reading(suite), encryptedDataKeys);
        expect(again?.dataKey?.export()).to.deep.equal(Buffer.from(dataKey));
      }
    });
  }

  it("with an empty context authenticate no bytes, and not a count of zero", async () => {
    const opened = await keyring.onDecrypt(reading(COMMITTED, {}), [wrapOf({ context: {} })]);
    expect(opened?.dataKey?.export()).to.deep.equal(Buffer.from(DATA_KEY));
  });

  it("are read where the context was authenticated in the order of localeCompare, and written in that of bytes", async () => {
    const context = { b: "1", C: "2", "aws-crypto-public-key": "3" };
    const entry = (name: string, value: string) =>
      Buffer.from(`\0${String.fromCharCode(name.length)}${name}\0\x01${value}`);
    const inOrder = (...entries: Buffer[]) => Buffer.concat([Buffer.from([0, entries.length]), ...entries]);
    const [b, c, key] = [entry("b", "1"), entry("C", "2"), entry("aws-crypto-public-key", "3")];
    for (const aad of [inOrder(c, key, b), inOrder(key, b, c)]) {
      const opened = await keyring.onDecrypt(reading(COMMITTED, context), [wrapOf({ aad })]);
      expect(opened?.dataKey?.export()).to.deep.equal(Buffer.from(DATA_KEY));
      const changed = { ...context, C: "3" };
      await refusal("decryption-failed", () => keyring.onDecrypt(reading(COMMITTED, changed), [wrapOf({ aad })]));
    }
    const reversed = wrapOf({ aad: inOrder(b, c, key) });
    await refusal("decryption-failed", () => keyring.onDecrypt(reading(COMMITTED, context), [reversed]));
    const { encryptedDataKeys, dataKey } = await keyring.onEncrypt(
      forWriting(COMMITTED, { encryptionContext: context }),
    );
    const [{ ciphertext, providerInfo } = wrapOf({})] = encryptedDataKeys;
    const decipher = createDecipheriv("aes-256-gcm", WRAPPING_KEY, providerInfo?.subarray(-12) ?? IV);
    decipher.setAAD(inOrder(c, key, b)).setAuthTag(ciphertext.subarray(-16));
    expect(Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()])).to.deep.equal(
      dataKey?.export(),
    );
  });

  it("bind the encryption context", async () => {
    for (const context of [{}, { tenant: "a" }, { ...CONTEXT, tenant: "b" }, { ...CONTEXT, more: "" }]) {
      await refusal("decryption-failed", () => keyring.onDecrypt(reading(COMMITTED, context), [wrapOf({})]));
    }
  });

  it("answer null to wraps of another namespace, name or format, and find their own among them", async () => {
    const foreign = [
      wrapOf({ namespace: "Test keys" }),
      wrapOf({ namespace: "aws-kms" }),
      wrapOf({ name: "schlüsse" }),
      wrapOf({ name: "schlüssel2" }),
      wrapOf({ name: "Schlüssel" }),
      wrapOf({ more: Uint8Array.of(0) }),
      { ...wrapOf({}), providerInfo: Buffer.from(NAME.name) },
      encryptedDataKey(keyProvider(NAME.namespace), DATA_KEY),
      encryptedDataKey(AES_GCM, bytes(0, 60)),
      encryptedDataKey(KMS_CONTEXT, bytes(0, 60)),
    ];
    for (const each of foreign) expect(await read(each)).to.equal(null);
    expect(await keyring.onDecrypt(reading(), [])).to.equal(null);
    expect(await keyring.onDecrypt(reading(), [...foreign, wrapOf({}), ...foreign])).to.have.property("dataKey");
    const broken = { ...wrapOf({}), ciphertext: bytes(0, 48) };
    expect(await keyring.onDecrypt(reading(), [broken, wrapOf({})])).to.have.property("dataKey");
    await refusal("decryption-failed", () => keyring.onDecrypt(reading(), [broken, ...foreign]));
  });

  it("refuse other lengths than they say, without using the key", async () => {
    const deciphered = await recordDeciphered(async () => {
      const { ciphertext } = wrapOf({});
      for (const key of [
        wrapOf({ tagBits: 96 }),
        wrapOf({ tagBits: 16 }),
        wrapOf({ ivLength: 16 }),
        wrapOf({ ivLength: 0xffffffff }),
        wrapOf({ dataKey: bytes(1, 16) }),
        wrapOf({ dataKey: bytes(1, 33) }),
        { ...wrapOf({}), ciphertext: ciphertext.subarray(1) },
        { ...wrapOf({}), ciphertext: new Uint8Array(0) },
      ]) {
        const error = await refusal("decryption-failed", () => read(key));
        expect(error.cause).to.equal(undefined);
      }
    });
    expect(deciphered).to.deep.equal([]);
  });

  it("refuse a change of any bit of wrapped key or IV in the same words", async () => {
    const { ciphertext, providerInfo = new Uint8Array(0), ...rest } = wrapOf({});
    const flip = (given: Uint8Array, bit: number) =>
      given.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    const messages = new Set<string>();
    for (let bit = 0; bit < ciphertext.length * 8; bit++) {
      const altered = { ...rest, providerInfo, ciphertext: flip(ciphertext, bit) };
      messages.add((await refusal("decryption-failed", () => read(altered))).message);
    }
    for (let bit = Buffer.byteLength(NAME.name) * 8; bit < providerInfo.length * 8; bit++) {
      const altered = { ...rest, ciphertext, providerInfo: flip(providerInfo, bit) };
      messages.add((await refusal("decryption-failed", () => read(altered))).message);
    }
    expect(messages.size).to.equal(1);
  });

  it("need a messageKey to be written, and are not read without one", async () => {
    const unnamed = new RawAesKeyring({ wrappingKey: WRAPPING_KEY });
    const error = await refusal("invalid-configuration", () => unnamed.onEncrypt(forWriting(COMMITTED)));
    expect(error.message).to.contain("messageKey");
    expect(await read(wrapOf({}), unnamed)).to.equal(null);
    expect(unnamed.wrapAlgorithms.map(({ name }) => name)).to.not.include(NAME.namespace);
  });

  it("leave objects of S3 clients as they are", async () => {
    const { encryptedDataKeys } = await keyring.onEncrypt(forWriting(COMMITTING_GCM));
    const [key] = encryptedDataKeys;
    expect(key).to.have.property("wrapAlgorithm", AES_GCM);
    expect(key).to.not.have.property("providerInfo");
    const plain = new RawAesKeyring({ wrappingKey: WRAPPING_KEY });
    expect(await plain.onDecrypt(forReading(COMMITTING_GCM), encryptedDataKeys)).to.have.property("dataKey");
    expect(await keyring.onDecrypt(forReading(COMMITTING_GCM), [wrapOf({ context: {} })])).to.equal(null);
  });

  it("are read with former keys by their names, which may be all that these have", async () => {
    const old = { wrappingKey: bytes(0x40, 32), messageKey: { namespace: "old keys", name: NAME.name } };
    const older = { wrappingKey: bytes(0x50, 24), messageKey: { ...NAME, name: "older" }, materialDescription: {} };
    const rotated = keyringWith({ materialDescription: { key: "new" }, decryptionKeys: [old, older] });
    expect(rotated.wrapAlgorithms.slice(-2).map(({ name }) => name)).to.deep.equal([NAME.namespace, "old keys"]);
    for (const { wrappingKey, messageKey } of [old, older]) {
      expect(await read(wrapOf({ wrappingKey, ...messageKey }), rotated)).to.have.property("dataKey");
      // Another key's name selects that key alone.
      await refusal("decryption-failed", () => read(wrapOf(messageKey), rotated));
    }
    const { encryptedDataKeys } = await rotated.onEncrypt(forWriting(COMMITTED, { encryptionContext: CONTEXT }));
    expect(await keyring.onDecrypt(reading(), encryptedDataKeys)).to.have.property("dataKey");
  });

  it("refuse keys that share a name, or have nothing to be found by", async () => {
    const wrappingKey = bytes(0x40, 32);
    for (const decryptionKeys of [
      [{ wrappingKey, messageKey: NAME }],
      [
        { wrappingKey, messageKey: { ...NAME, name: "b" } },
        { wrappingKey, messageKey: { ...NAME, name: "b" } },
      ],
      [{ wrappingKey }],
    ]) {
      await refusal("invalid-configuration", () => keyringWith({ decryptionKeys }));
    }
  });

  it("refuse names that messages cannot hold, or that are another's", async () => {
    for (const messageKey of [
      { ...NAME, namespace: "" },
      { ...NAME, name: "" },
      { ...NAME, name: "x".repeat(1025) },
      { ...NAME, name: "\ud800" },
      { ...NAME, namespace: "aws-kms" },
      { ...NAME, namespace: "aws-kms-hierarchy" },
      { ...NAME, namespace: "AES/GCM" },
      { ...NAME, namespace: "*" },
      { namespace: "a" } as unknown as MessageKeyName,
    ]) {
      await refusal("invalid-argument", () => keyringWith({ messageKey }));
    }
  });
});
