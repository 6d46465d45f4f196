import { constants, createHash, publicEncrypt } from "node:crypto";
import { CBC, GCM, RSA_OAEP_SHA256 } from "@s3ec/envelope";
import { bytes, encryptedDataKey, forReading, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { RawRsaKeyring } from "../dist/index.js";
import { unwrapOaepSha256 } from "../dist/legacy-oaep-sha256.js";
import { DATA_KEY, known, PRIVATE_KEY } from "./known-wraps.js";
import { encryptBlock, PUBLIC_KEY } from "./raw-rsa.js";
import { recordPrivateOperations } from "./recording.js";

const LABEL_HASH = createHash("sha256").digest();
const SEED = bytes(0x55, 32);

interface Oaep {
  readonly mgf1: "sha1" | "sha256";
  readonly first?: number;
  readonly labelHash?: Uint8Array;
  readonly separator?: number;
  readonly padding?: number;
  /** Last byte of the padding. */
  readonly last?: number;
}

/** RFC 8017 7.1.1, with room for mistakes. */
function oaepBlock(message: Uint8Array, { mgf1, ...mistake }: Oaep) {
  const { first = 0, labelHash = LABEL_HASH, separator = 1, padding = 0, last = padding } = mistake;
  const zeros = Buffer.alloc(256 - 33 - 32 - 1 - message.length, padding);
  zeros[zeros.length - 1] = last;
  const data = Buffer.concat([labelHash, zeros, Uint8Array.of(separator), message]);
  const maskedData = xor(data, mask(mgf1, SEED, data.length));
  const maskedSeed = xor(SEED, mask(mgf1, maskedData, SEED.length));
  return Buffer.concat([Uint8Array.of(first), maskedSeed, maskedData]);
}

function mask(digest: string, seed: Uint8Array, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 20) }, (_, i) =>
    createHash(digest)
      .update(seed)
      .update(Uint8Array.of(0, 0, 0, i))
      .digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}

const keyring = new RawRsaKeyring({ privateKey: PRIVATE_KEY });
const read = (ciphertext: Uint8Array) =>
  keyring.onDecrypt(forReading(GCM), [encryptedDataKey(RSA_OAEP_SHA256, ciphertext)]);

describe("legacy RSA-OAEP with SHA-256", () => {
  for (const mgf1 of ["sha1", "sha256"] as const) {
    for (const length of [16, 24, 32]) {
      it(`reads a data key of ${length} bytes with MGF1-${mgf1} (H2)`, async () => {
        const dataKey = bytes(0x90, length);
        const materials = await read(encryptBlock(oaepBlock(dataKey, { mgf1 })));
        expect(materials?.dataKey?.export()).to.deep.equal(dataKey);
      });
    }

    const mistakes: readonly [string, Buffer][] = [
      ["a first byte that is not zero (Manger)", oaepBlock(DATA_KEY, { mgf1, first: 1 })],
      ["another label", oaepBlock(DATA_KEY, { mgf1, labelHash: createHash("sha256").update("l").digest() })],
      [
        "a hash that differs in its last bit",
        oaepBlock(DATA_KEY, { mgf1, labelHash: LABEL_HASH.map((b, i) => (i === 31 ? b ^ 1 : b)) }),
      ],
      ["padding that is not zero", oaepBlock(DATA_KEY, { mgf1, padding: 2 })],
      ["padding that is not zero right before the separator", oaepBlock(DATA_KEY, { mgf1, last: 1 })],
      ["an early separator", oaepBlock(DATA_KEY, { mgf1, padding: 1 })],
      ["another separator", oaepBlock(DATA_KEY, { mgf1, separator: 2 })],
      ["no separator", oaepBlock(DATA_KEY, { mgf1, separator: 0 })],
      ["an empty message", oaepBlock(new Uint8Array(0), { mgf1 })],
      ["a data key of 31 bytes", oaepBlock(bytes(0x90, 31), { mgf1 })],
      ["a data key of 33 bytes", oaepBlock(bytes(0x90, 33), { mgf1 })],
      ["a data key of 64 bytes", oaepBlock(bytes(0x90, 64), { mgf1 })],
    ];
    for (const [what, block] of mistakes) {
      it(`refuses ${what}, with MGF1-${mgf1}`, async () => {
        const wrapped = encryptBlock(block);
        const error = await refusal("decryption-failed", () => read(wrapped));
        expect(error.cause).to.equal(undefined);
        const expected = { dataKeyLengths: GCM.dataKeyLengths, bindings: [] };
        expect(unwrapOaepSha256(PRIVATE_KEY, wrapped, expected)).to.equal(undefined);
      });
    }
  }

  it("agrees with Node's own encoder", async () => {
    const wrapped = publicEncrypt(
      { key: PUBLIC_KEY, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      DATA_KEY,
    );
    expect((await read(wrapped))?.dataKey?.export()).to.deep.equal(DATA_KEY);
  });

  it("does one private-key operation, whichever digest it is, and zeroes its result", async () => {
    for (const what of ["MGF1-SHA-1", "MGF1-SHA-256"]) {
      const { suite, key } = known(what);
      const results = await recordPrivateOperations(() => keyring.onDecrypt(forReading(suite), [key]));
      expect(results).to.deep.equal([Buffer.alloc(256)]);
    }
    const broken = encryptBlock(oaepBlock(DATA_KEY, { mgf1: "sha1", separator: 2 }));
    const results = await recordPrivateOperations(() => refusal("decryption-failed", () => read(broken)));
    expect(results).to.deep.equal([Buffer.alloc(256)]);
  });

  it("refuses a change of any byte", async () => {
    const { ciphertext } = known("MGF1-SHA-1").key;
    for (let i = 0; i < ciphertext.length; i++) {
      const altered = Uint8Array.from(ciphertext);
      altered[i] = (altered[i] ?? 0) ^ 1;
      await refusal("decryption-failed", () => read(altered));
    }
  });

  it("refuses another length, or a number not below the modulus, without saying which", async () => {
    const { ciphertext } = known("MGF1-SHA-1").key;
    const operations = await recordPrivateOperations(async () => {
      for (const length of [0, 1, 255]) await refusal("decryption-failed", () => read(ciphertext.subarray(0, length)));
      await refusal("decryption-failed", () => read(Buffer.concat([Buffer.alloc(1), ciphertext])));
    });
    expect(operations).to.deep.equal([]);
    for (const every of [0xff, 0]) {
      const error = await refusal("decryption-failed", () => read(Buffer.alloc(256, every)));
      expect(error.cause).to.equal(undefined);
    }
  });

  it("is bound to nothing: any content algorithm reads it, which is why it needs a switch (S2)", async () => {
    const materials = await keyring.onDecrypt(forReading(CBC), [known("MGF1-SHA-1").key]);
    expect(materials?.dataKey?.export()).to.deep.equal(DATA_KEY);
  });
});
