import { constants, createPublicKey, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { inspect } from "node:util";
import {
  AES_GCM,
  CBC,
  COMMITTING_GCM,
  GCM,
  KMS_CONTEXT,
  RSA_OAEP_SHA1,
  RSA_OAEP_SHA256,
  RSA_PKCS1,
} from "@s3ec/envelope";
import { createDataKey, defineWrapAlgorithm, importDataKey } from "@s3ec/materials";
import { bytes, encryptedDataKey, forReading, forWriting, refusal, roundTrip } from "@s3ec/test-support";
import { expect } from "chai";
import { RawRsaKeyring } from "../dist/index.js";
import { DATA_KEY, KNOWN_WRAPS, known, PRIVATE_KEY } from "./known-wraps.js";
import { PUBLIC_KEY } from "./raw-rsa.js";
import { recordPrivateOperations } from "./recording.js";

const keyring = new RawRsaKeyring({ privateKey: PRIVATE_KEY });
const writer = new RawRsaKeyring({ publicKey: PUBLIC_KEY });

/** A well-formed RSA-OAEP-SHA1 wrap of any payload: everybody who has the public key can make one. */
function oaep(...payload: Uint8Array[]): Uint8Array {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return publicEncrypt({ key: PUBLIC_KEY, padding, oaepHash: "sha1" }, Buffer.concat(payload));
}

const V3 = Buffer.from("115");

describe("RawRsaKeyring", () => {
  for (const { what, wrap, suite, value } of KNOWN_WRAPS) {
    it(`reads what the JDK wrote: ${what}`, async () => {
      const key = encryptedDataKey(wrap, Buffer.from(value, "base64"));
      const materials = await keyring.onDecrypt(forReading(suite), [key]);
      expect(materials?.dataKey?.export()).to.deep.equal(DATA_KEY);
    });
  }

  it("declares its wraps", () => {
    for (const any of [keyring, writer]) {
      expect(any.wrapAlgorithms).to.deep.equal([RSA_OAEP_SHA1, RSA_OAEP_SHA256, RSA_PKCS1]);
      expect(any.wrapAlgorithms).to.be.frozen;
    }
  });

  for (const bits of [2048, 2050, 3072]) {
    it(`writes under ${bits} bits with the public key, and reads with the private key`, async () => {
      const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
      const pair = [new RawRsaKeyring({ privateKey }), new RawRsaKeyring({ publicKey })];
      for (const suite of [COMMITTING_GCM, GCM]) {
        for (const own of pair) {
          const { dataKey, encryptedDataKeys } = await own.onEncrypt(forWriting(suite));
          expect(dataKey?.symmetricKeySize).to.equal(32);
          expect(encryptedDataKeys).to.have.length(1);
          expect(encryptedDataKeys[0]).to.include({ wrapAlgorithm: RSA_OAEP_SHA1 });
          expect(encryptedDataKeys[0]?.ciphertext).to.have.length(Math.ceil(bits / 8));
          const materials = await pair[0]?.onDecrypt(forReading(suite), encryptedDataKeys);
          expect(materials?.dataKey?.export()).to.deep.equal(dataKey?.export());
        }
      }
    });
  }

  it("wraps the data key that is there, after the encrypted data keys that are there", async () => {
    const dataKey = importDataKey(bytes(0x20, 32));
    const first = await writer.onEncrypt(forWriting(GCM, { dataKey, materialDescription: { a: "é" } }));
    const second = await writer.onEncrypt({ ...first, materialDescription: {} });
    expect(second.dataKey).to.equal(dataKey);
    expect(second.encryptedDataKeys[0]).to.equal(first.encryptedDataKeys[0]);
    expect(second.encryptedDataKeys.map((key) => ({ ...key.description }))).to.deep.equal([{ a: "é" }, {}]);
    for (const key of second.encryptedDataKeys) {
      const materials = await keyring.onDecrypt(forReading(GCM), [key]);
      expect(materials?.dataKey?.export()).to.deep.equal(DATA_KEY);
    }
  });

  it("with the public key alone refuses to read, and says why; other keys' wraps it leaves alone", async () => {
    const operations = await recordPrivateOperations(async () => {
      for (const { suite, wrap, value } of KNOWN_WRAPS) {
        const key = encryptedDataKey(wrap, Buffer.from(value, "base64"));
        const error = await refusal("no-matching-key", () => writer.onDecrypt(forReading(suite), [key]));
        expect(error.message)
          .to.match(/only the public key/)
          .and.match(/privateKey/);
      }
    });
    expect(operations).to.deep.equal([]);
    const foreign = encryptedDataKey(AES_GCM, bytes(1, 60));
    expect(await writer.onDecrypt(forReading(GCM), [foreign])).to.equal(null);
  });

  it("binds the wrap to the content algorithm (S2)", async () => {
    const v2 = known("SHA1 bound to AES").key;
    const v3 = known("SHA1 bound to 115").key;
    await refusal("decryption-failed", () => keyring.onDecrypt(forReading(CBC), [v2]));
    await refusal("decryption-failed", () => keyring.onDecrypt(forReading(COMMITTING_GCM), [v2]));
    await refusal("decryption-failed", () => keyring.onDecrypt(forReading(GCM), [v3]));
    await refusal("decryption-failed", () =>
      keyring.onDecrypt(forReading(COMMITTING_GCM, { algorithmBinding: "114" }), [v3]),
    );
    for (const binding of ["AES/CBC/PKCS5Padding", "AES/CBC/PKCS7Padding"]) {
      const { encryptedDataKeys } = await writer.onEncrypt(forWriting(CBC, { algorithmBinding: binding }));
      expect(
        await keyring.onDecrypt(forReading(CBC, { algorithmBinding: binding }), encryptedDataKeys),
      ).to.have.property("dataKey");
    }
  });

  const payloads: readonly [string, Uint8Array][] = [
    ["the length byte 31 over 31 bytes", oaep(Uint8Array.of(31), bytes(0x20, 31), V3)],
    ["the length byte 31 over 32 bytes", oaep(Uint8Array.of(31), DATA_KEY, V3)],
    ["the length byte 33", oaep(Uint8Array.of(33), DATA_KEY, V3)],
    ["the length byte 0", oaep(Uint8Array.of(0), DATA_KEY, V3)],
    ["a byte after the algorithm", oaep(Uint8Array.of(32), DATA_KEY, V3, Uint8Array.of(0))],
    ["a byte before the algorithm", oaep(Uint8Array.of(32), DATA_KEY, Uint8Array.of(0), V3)],
    ["a prefix of the algorithm", oaep(Uint8Array.of(32), DATA_KEY, V3.subarray(0, 2))],
    ["no algorithm", oaep(Uint8Array.of(32), DATA_KEY)],
    ["another algorithm of the same length", oaep(Uint8Array.of(32), DATA_KEY, Buffer.from("116"))],
    ["a data key of 16 bytes in V3 (H19)", oaep(Uint8Array.of(16), bytes(0x20, 16), V3)],
    ["no length byte", oaep(DATA_KEY, V3)],
    ["nothing", oaep()],
    ["the legacy wrap's payload", oaep(DATA_KEY)],
  ];
  for (const [what, wrapped] of payloads) {
    it(`refuses a payload with ${what}, and says nothing of it (S16)`, async () => {
      const key = encryptedDataKey(RSA_OAEP_SHA1, wrapped);
      const error = await refusal("decryption-failed", () => keyring.onDecrypt(forReading(COMMITTING_GCM), [key]));
      const broken = encryptedDataKey(RSA_OAEP_SHA1, Buffer.alloc(256, 1));
      const other = await refusal("decryption-failed", () => keyring.onDecrypt(forReading(COMMITTING_GCM), [broken]));
      expect(error.message).to.equal(other.message);
      expect([error.cause, other.cause]).to.deep.equal([undefined, undefined]);
    });
  }

  it("reads data keys of 16 and 24 bytes for V1 and V2 (H19)", async () => {
    for (const length of [16, 24]) {
      const dataKey = importDataKey(bytes(1, length));
      for (const suite of [GCM, CBC]) {
        const { encryptedDataKeys } = await writer.onEncrypt(forWriting(suite, { dataKey }));
        const materials = await keyring.onDecrypt(forReading(suite), encryptedDataKeys);
        expect(materials?.dataKey?.equals(dataKey)).to.equal(true);
      }
    }
  });

  it("reads CBC content bound to GCM only with enableCbcRewrapBoundToGcm, and nothing else with it (H1)", async () => {
    const { key } = known("SHA1 bound to AES");
    const optedIn = new RawRsaKeyring({ privateKey: PRIVATE_KEY, enableCbcRewrapBoundToGcm: true });
    const materials = await optedIn.onDecrypt(forReading(CBC), [key]);
    expect(materials?.dataKey?.export()).to.deep.equal(DATA_KEY);
    const cbc = await optedIn.onEncrypt(forWriting(CBC));
    expect(await keyring.onDecrypt(forReading(CBC), cbc.encryptedDataKeys)).to.have.property("dataKey");
    expect(await optedIn.onDecrypt(forReading(CBC), cbc.encryptedDataKeys)).to.have.property("dataKey");
    await refusal("decryption-failed", () => optedIn.onDecrypt(forReading(COMMITTING_GCM), [key]));
    await refusal("decryption-failed", () =>
      optedIn.onDecrypt(forReading(GCM, { algorithmBinding: "AES/CBC/PKCS5Padding" }), [key]),
    );
    await refusal("decryption-failed", () => optedIn.onDecrypt(forReading(CBC), [known("SHA1 bound to 115").key]));
  });

  it("refuses a change of any byte", async () => {
    const { suite, key } = known("SHA1 bound to 115");
    for (let i = 0; i < key.ciphertext.length; i++) {
      const altered = Uint8Array.from(key.ciphertext);
      altered[i] = (altered[i] ?? 0) ^ 0x10;
      await refusal("decryption-failed", () =>
        keyring.onDecrypt(forReading(suite), [encryptedDataKey(RSA_OAEP_SHA1, altered)]),
      );
    }
  });

  it("refuses every other length before the private key is used (H14, S15)", async () => {
    const { suite, key } = known("SHA1 bound to 115");
    const longer = Buffer.concat([key.ciphertext, key.ciphertext]);
    const operations = await recordPrivateOperations(async () => {
      for (const length of [0, 1, 255, 257, 512]) {
        const cut = encryptedDataKey(RSA_OAEP_SHA1, longer.subarray(0, length));
        await refusal("decryption-failed", () => keyring.onDecrypt(forReading(suite), [cut]));
      }
    });
    expect(operations).to.deep.equal([]);
  });

  it("fails under another private key", async () => {
    const other = new RawRsaKeyring({ privateKey: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey });
    for (const what of ["SHA1 bound to 115", "MGF1-SHA-1", "MGF1-SHA-256"]) {
      const { suite, key } = known(what);
      await refusal("decryption-failed", () => other.onDecrypt(forReading(suite), [key]));
    }
  });

  it("answers null to the wraps of other keys, and finds its own among them", async () => {
    const { suite, key } = known("SHA1 bound to 115");
    const foreign = [AES_GCM, KMS_CONTEXT, defineWrapAlgorithm({ name: "vault:transit" })].map((wrap) =>
      encryptedDataKey(wrap, key.ciphertext),
    );
    const operations = await recordPrivateOperations(async () => {
      expect(await keyring.onDecrypt(forReading(suite), [])).to.equal(null);
      expect(await keyring.onDecrypt(forReading(suite), foreign)).to.equal(null);
    });
    expect(operations).to.deep.equal([]);
    const broken = encryptedDataKey(RSA_OAEP_SHA1, Buffer.alloc(256, 1));
    const copy = { ...key, wrapAlgorithm: { ...key.wrapAlgorithm } };
    expect(await keyring.onDecrypt(forReading(suite), [...foreign, broken, copy])).to.have.property("dataKey");
    await refusal("decryption-failed", () => keyring.onDecrypt(forReading(suite), [broken, ...foreign]));
  });

  it("leaves its inputs as they are and freezes what it returns", async () => {
    const materials = forWriting(COMMITTING_GCM);
    const result = await keyring.onEncrypt(materials);
    expect(materials).to.not.have.property("dataKey");
    expect(result).to.be.frozen;
    expect(result.encryptedDataKeys[0]).to.be.frozen;
    const before = Buffer.from(result.encryptedDataKeys[0]?.ciphertext ?? []);
    const read = forReading(COMMITTING_GCM);
    expect(await keyring.onDecrypt(read, result.encryptedDataKeys)).to.be.frozen;
    expect(read).to.not.have.property("dataKey");
    expect(result.encryptedDataKeys[0]?.ciphertext).to.deep.equal(before);
  });

  it("zeroes the raw data key after wrapping and the payload after unwrapping", async () => {
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
    const { encryptedDataKeys } = await writer.onEncrypt(forWriting(COMMITTING_GCM, { dataKey }));
    expect(lent).to.deep.equal([Buffer.alloc(32)]);
    const read = await recordPrivateOperations(() => keyring.onDecrypt(forReading(COMMITTING_GCM), encryptedDataKeys));
    expect(read).to.deep.equal([Buffer.alloc(36)]);
    const refused = await recordPrivateOperations(() =>
      refusal("decryption-failed", () => keyring.onDecrypt(forReading(GCM), encryptedDataKeys)),
    );
    expect(refused).to.deep.equal([Buffer.alloc(36)]);
  });

  it("shows no key in inspection, JSON or errors", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { d, n } = privateKey.export({ format: "jwk" });
    const secretive = new RawRsaKeyring({
      privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      publicKey: createPublicKey(privateKey),
      decryptionKeys: [{ privateKey, materialDescription: { key: "old" } }],
    });
    const { key } = known("SHA1 bound to 115");
    const error = await refusal("decryption-failed", () => secretive.onDecrypt(forReading(COMMITTING_GCM), [key]));
    for (const shown of [
      inspect(secretive, { depth: 9, showHidden: true }),
      JSON.stringify(secretive),
      inspect(error, { depth: 9, showHidden: true }),
    ]) {
      for (const form of [String(d).slice(0, 16), String(n).slice(0, 16), "BEGIN", "KeyObject"]) {
        expect(shown).to.not.contain(form);
      }
    }
    expect(JSON.parse(JSON.stringify(secretive))).to.have.all.keys("wrapAlgorithms");
  });

  it("works on many objects at once", async () => {
    const trips = Array.from({ length: 20 }, () => roundTrip(writer, keyring));
    expect(await Promise.all(trips)).to.deep.equal(Array(20).fill(true));
  });
});
