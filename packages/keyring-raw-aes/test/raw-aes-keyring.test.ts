import { inspect } from "node:util";
import { AES_ECB, AES_GCM, AES_WRAP, CBC, COMMITTING_GCM, GCM, KMS_CONTEXT, RSA_OAEP_SHA1 } from "@s3ec/envelope";
import { createDataKey, defineWrapAlgorithm, importDataKey } from "@s3ec/materials";
import { bytes, encryptedDataKey, forReading, forWriting, refusal, roundTrip } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { RawAesKeyring } from "../dist/index.js";
import { DATA_KEY, KNOWN_WRAPS, known, WRAPPING_KEY } from "./known-wraps.js";
import { recordDeciphered } from "./recording.js";

const keyring = new RawAesKeyring({ wrappingKey: WRAPPING_KEY });

describe("RawAesKeyring", () => {
  for (const { what, wrap, suite, value } of KNOWN_WRAPS) {
    it(`reads what the JDK wrote: ${what}`, async () => {
      const key = encryptedDataKey(wrap, Buffer.from(value, "base64"));
      const materials = await keyring.onDecrypt(forReading(suite), [key]);
      expect(materials?.dataKey?.export()).to.deep.equal(Buffer.from(DATA_KEY));
    });
  }

  it("declares its wraps", () => {
    expect(keyring.wrapAlgorithms).to.deep.equal([AES_GCM, AES_WRAP, AES_ECB]);
    expect(keyring.wrapAlgorithms).to.be.frozen;
  });

  for (const size of [16, 24, 32]) {
    it(`writes 60 bytes of AES/GCM under a key of ${size} bytes, and reads them`, async () => {
      const own = new RawAesKeyring({ wrappingKey: bytes(1, size) });
      for (const suite of [COMMITTING_GCM, GCM]) {
        const { dataKey, encryptedDataKeys } = await own.onEncrypt(forWriting(suite));
        expect(dataKey?.symmetricKeySize).to.equal(32);
        expect(encryptedDataKeys).to.have.length(1);
        expect(encryptedDataKeys[0]).to.include({ wrapAlgorithm: AES_GCM });
        expect(encryptedDataKeys[0]?.ciphertext).to.have.length(60);
        const materials = await own.onDecrypt(forReading(suite), encryptedDataKeys);
        expect(materials?.dataKey?.export()).to.deep.equal(dataKey?.export());
      }
    });
  }

  it("wraps the data key that is there, after the encrypted data keys that are there, under a fresh IV", async () => {
    const dataKey = importDataKey(bytes(0x20, 32));
    const first = await keyring.onEncrypt(forWriting(GCM, { dataKey }));
    const second = await keyring.onEncrypt(first);
    expect(second.dataKey).to.equal(dataKey);
    expect(second.encryptedDataKeys[0]).to.equal(first.encryptedDataKeys[0]);
    const [one, two] = second.encryptedDataKeys;
    expect(two?.description).to.deep.equal({});
    expect(one?.ciphertext.subarray(0, 12)).to.not.deep.equal(two?.ciphertext.subarray(0, 12));
    for (const key of second.encryptedDataKeys) {
      const materials = await keyring.onDecrypt(forReading(GCM), [key]);
      expect(materials?.dataKey?.export()).to.deep.equal(Buffer.from(DATA_KEY));
    }
  });

  it("binds the wrap to the content algorithm (S2)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), async (written, read) => {
        const { encryptedDataKeys } = await keyring.onEncrypt(forWriting(GCM, { algorithmBinding: written }));
        const reading = () => keyring.onDecrypt(forReading(GCM, { algorithmBinding: read }), encryptedDataKeys);
        if (written === read) expect(await reading()).to.have.property("dataKey");
        else await refusal("decryption-failed", reading);
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a GCM wrap relabelled CBC, and one of V2 in V3 (S2)", async () => {
    const { key } = known("AES/GCM bound to AES/GCM");
    await refusal("decryption-failed", () => keyring.onDecrypt(forReading(CBC), [key]));
    await refusal("decryption-failed", () => keyring.onDecrypt(forReading(COMMITTING_GCM), [key]));
    await refusal("decryption-failed", () => keyring.onDecrypt(forReading(GCM), [known("AES/GCM bound to 115").key]));
  });

  it("reads CBC content whose wrap is bound to its stored name, however that is spelt (H22)", async () => {
    for (const binding of ["AES/CBC/PKCS5Padding", "AES/CBC/PKCS7Padding"]) {
      const { encryptedDataKeys } = await keyring.onEncrypt(forWriting(CBC, { algorithmBinding: binding }));
      expect(
        await keyring.onDecrypt(forReading(CBC, { algorithmBinding: binding }), encryptedDataKeys),
      ).to.have.property("dataKey");
    }
  });

  it("reads CBC content bound to GCM only with enableCbcRewrapBoundToGcm, and nothing else with it (H1)", async () => {
    const { key } = known("AES/GCM bound to AES/GCM");
    const optedIn = new RawAesKeyring({ wrappingKey: WRAPPING_KEY, enableCbcRewrapBoundToGcm: true });
    const materials = await optedIn.onDecrypt(forReading(CBC), [key]);
    expect(materials?.dataKey?.export()).to.deep.equal(Buffer.from(DATA_KEY));
    const cbc = await optedIn.onEncrypt(forWriting(CBC));
    expect(await keyring.onDecrypt(forReading(CBC), cbc.encryptedDataKeys)).to.have.property("dataKey");
    expect(await optedIn.onDecrypt(forReading(CBC), cbc.encryptedDataKeys)).to.have.property("dataKey");
    await refusal("decryption-failed", () => optedIn.onDecrypt(forReading(COMMITTING_GCM), [key]));
    await refusal("decryption-failed", () =>
      optedIn.onDecrypt(forReading(GCM, { algorithmBinding: "AES/CBC/PKCS5Padding" }), [key]),
    );
    await refusal("decryption-failed", () => optedIn.onDecrypt(forReading(CBC), [known("AES/GCM bound to 115").key]));
  });

  it("refuses a change of any bit", async () => {
    const { suite, key } = known("AES/GCM bound to 115");
    for (let bit = 0; bit < key.ciphertext.length * 8; bit++) {
      const altered = Uint8Array.from(key.ciphertext);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await refusal("decryption-failed", () =>
        keyring.onDecrypt(forReading(suite), [encryptedDataKey(AES_GCM, altered)]),
      );
    }
  });

  it("refuses every other length (S15)", async () => {
    const { suite, key } = known("AES/GCM bound to 115");
    const longer = Buffer.concat([key.ciphertext, key.ciphertext]);
    for (let length = 0; length <= longer.length; length++) {
      if (length === key.ciphertext.length) continue;
      const cut = encryptedDataKey(AES_GCM, longer.subarray(0, length));
      await refusal("decryption-failed", () => keyring.onDecrypt(forReading(suite), [cut]));
    }
  });

  it("reads data keys of 16 and 24 bytes for V1 and V2, never for V3 and never others (H19)", async () => {
    for (const length of [16, 24, 31, 33]) {
      const dataKey = importDataKey(bytes(1, length));
      for (const suite of [GCM, CBC, COMMITTING_GCM]) {
        const { encryptedDataKeys } = await keyring.onEncrypt(forWriting(suite, { dataKey }));
        const reading = () => keyring.onDecrypt(forReading(suite), encryptedDataKeys);
        if (suite.dataKeyLengths.includes(length)) expect((await reading())?.dataKey?.equals(dataKey)).to.equal(true);
        else await refusal("decryption-failed", reading);
      }
    }
  });

  it("answers null to the wraps of other keys, and finds its own among them", async () => {
    const { suite, key } = known("AES/GCM bound to 115");
    const foreign = [RSA_OAEP_SHA1, KMS_CONTEXT, defineWrapAlgorithm({ name: "vault:transit" })].map((wrap) =>
      encryptedDataKey(wrap, key.ciphertext),
    );
    expect(await keyring.onDecrypt(forReading(suite), [])).to.equal(null);
    expect(await keyring.onDecrypt(forReading(suite), foreign)).to.equal(null);
    expect(await keyring.onDecrypt(forReading(suite), [...foreign, key])).to.have.property("dataKey");
    const broken = encryptedDataKey(AES_GCM, bytes(1, 60));
    expect(await keyring.onDecrypt(forReading(suite), [broken, key])).to.have.property("dataKey");
    await refusal("decryption-failed", () => keyring.onDecrypt(forReading(suite), [broken, ...foreign]));
  });

  it("recognises a wrap entry of another installed copy of the registry", async () => {
    const { suite, key } = known("AES/GCM bound to 115");
    const copy = { ...key, wrapAlgorithm: { ...key.wrapAlgorithm } };
    expect(await keyring.onDecrypt(forReading(suite), [copy])).to.have.property("dataKey");
  });

  it("leaves its inputs as they are and freezes what it returns", async () => {
    const materials = forWriting(COMMITTING_GCM);
    const result = await keyring.onEncrypt(materials);
    expect(materials).to.not.have.property("dataKey");
    expect(result).to.be.frozen;
    const [key] = result.encryptedDataKeys;
    const before = Buffer.from(key?.ciphertext ?? []);
    const read = forReading(COMMITTING_GCM);
    expect(await keyring.onDecrypt(read, result.encryptedDataKeys)).to.be.frozen;
    expect(read).to.not.have.property("dataKey");
    expect(key?.ciphertext).to.deep.equal(before);
  });

  it("zeroes the raw data key after wrapping", async () => {
    const lent: Buffer[] = [];
    const dataKey = createDataKey(COMMITTING_GCM);
    const original = dataKey.export.bind(dataKey);
    Object.defineProperty(dataKey, "export", {
      value: () => {
        const raw = original();
        lent.push(raw);
        return raw;
      },
    });
    await keyring.onEncrypt(forWriting(COMMITTING_GCM, { dataKey }));
    expect(lent).to.deep.equal([Buffer.alloc(32)]);
  });

  it("zeroes what it deciphered, whether it was a data key or not", async () => {
    const { key } = known("AES/GCM bound to 115");
    const deciphered = await recordDeciphered(async () => {
      for (const { suite, wrap, value } of KNOWN_WRAPS) {
        await keyring.onDecrypt(forReading(suite), [encryptedDataKey(wrap, Buffer.from(value, "base64"))]);
      }
      await refusal("decryption-failed", () =>
        keyring.onDecrypt(forReading(COMMITTING_GCM, { algorithmBinding: "114" }), [key]),
      );
    });
    expect(deciphered.map((plaintext) => plaintext.length)).to.include.members([32, 48]);
    expect(deciphered).to.have.length(5);
    for (const plaintext of deciphered) expect(plaintext).to.deep.equal(Buffer.alloc(plaintext.length));
  });

  it("shows no key in inspection, JSON or errors", async () => {
    const wrappingKey = Buffer.from("a wrapping key of thirty-two byt");
    const secretive = new RawAesKeyring({
      wrappingKey,
      decryptionKeys: [{ wrappingKey, materialDescription: { key: "old" } }],
    });
    const error = await refusal("decryption-failed", () =>
      secretive.onDecrypt(forReading(GCM), [known("AES/GCM bound to AES/GCM").key]),
    );
    expect(error.cause).to.equal(undefined);
    for (const shown of [
      inspect(secretive, { depth: 9, showHidden: true }),
      JSON.stringify(secretive),
      inspect(error, { depth: 9, showHidden: true }),
    ]) {
      for (const form of [
        wrappingKey.toString(),
        wrappingKey.toString("hex"),
        wrappingKey.toString("base64"),
        "KeyObject",
      ]) {
        expect(shown).to.not.contain(form);
      }
    }
    expect(JSON.parse(JSON.stringify(secretive))).to.have.all.keys("wrapAlgorithms");
  });

  it("works on many objects at once", async () => {
    const trips = Array.from({ length: 50 }, () => roundTrip(keyring, keyring));
    expect(await Promise.all(trips)).to.deep.equal(Array(50).fill(true));
  });
});
