import { createCipheriv } from "node:crypto";
import { AES_ECB, AES_WRAP, CBC, GCM } from "@s3ec/envelope";
import { bytes, encryptedDataKey, forReading, refusal, wrapRfc3394 } from "@s3ec/test-support";
import { expect } from "chai";
import { RawAesKeyring } from "../dist/raw-aes-keyring.js";
import { DATA_KEY, known, WRAPPING_KEY } from "./known-wraps.js";
import { recordDeciphered } from "./recording.js";

function ecb(wrappingKey: Uint8Array, padded: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`aes-${wrappingKey.length * 8}-ecb`, wrappingKey, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(padded), cipher.final()]);
}

function padded(dataKey: Uint8Array, pad: number, value: number = pad): Uint8Array {
  return Buffer.concat([dataKey, Buffer.alloc(pad, value)]);
}

const keyring = new RawAesKeyring({ wrappingKey: WRAPPING_KEY });
const read = (wrap: typeof AES_ECB, ciphertext: Uint8Array) =>
  keyring.onDecrypt(forReading(CBC), [encryptedDataKey(wrap, ciphertext)]);

describe("legacy AES wraps", () => {
  for (const size of [16, 24, 32]) {
    for (const length of [16, 24, 32]) {
      it(`read a data key of ${length} bytes under a wrapping key of ${size}`, async () => {
        const wrappingKey = bytes(0x80, size);
        const dataKey = bytes(0x30, length);
        const own = new RawAesKeyring({ wrappingKey });
        for (const key of [
          encryptedDataKey(AES_ECB, ecb(wrappingKey, padded(dataKey, 16 - (length % 16)))),
          encryptedDataKey(AES_WRAP, wrapRfc3394(wrappingKey, dataKey)),
        ]) {
          const materials = await own.onDecrypt(forReading(CBC), [key]);
          expect(materials?.dataKey?.export()).to.deep.equal(Buffer.from(dataKey));
        }
      });
    }
  }

  it("are bound to nothing: any content algorithm reads them, which is why they need a switch (S2)", async () => {
    for (const what of ["AESWrap", "no wrap-alg"]) {
      for (const suite of [CBC, GCM]) {
        const materials = await keyring.onDecrypt(forReading(suite), [known(what).key]);
        expect(materials?.dataKey?.export()).to.deep.equal(Buffer.from(DATA_KEY));
      }
    }
  });

  it("AESWrap refuses a change of any bit", async () => {
    const { ciphertext } = known("AESWrap").key;
    for (let bit = 0; bit < ciphertext.length * 8; bit++) {
      const altered = Uint8Array.from(ciphertext);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await refusal("decryption-failed", () => read(AES_WRAP, altered));
    }
  });

  it("AES-ECB refuses a change of any bit of the padding block", async () => {
    const { ciphertext } = known("no wrap-alg").key;
    for (let bit = 32 * 8; bit < ciphertext.length * 8; bit++) {
      const altered = Uint8Array.from(ciphertext);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await refusal("decryption-failed", () => read(AES_ECB, altered));
    }
  });

  it("AES-ECB refuses every padding that is not a data key's", async () => {
    for (let pad = 1; pad <= 15; pad++) {
      await refusal("decryption-failed", () => read(AES_ECB, ecb(WRAPPING_KEY, padded(bytes(1, 48 - pad), pad))));
      if (pad === 8) continue;
      await refusal("decryption-failed", () => read(AES_ECB, ecb(WRAPPING_KEY, padded(bytes(1, 32 - pad), pad))));
    }
    await refusal("decryption-failed", () => read(AES_ECB, ecb(WRAPPING_KEY, padded(bytes(1, 32), 16, 0))));
    await refusal("decryption-failed", () => read(AES_ECB, ecb(WRAPPING_KEY, padded(bytes(1, 24), 8, 16))));
  });

  it("refuse every other length before the key is used (S15, H14)", async () => {
    for (const what of ["AESWrap", "no wrap-alg"]) {
      const { wrapAlgorithm, ciphertext } = known(what).key;
      const longer = Buffer.concat([ciphertext, ciphertext]);
      for (let length = 0; length < longer.length; length++) {
        if (length === ciphertext.length) continue;
        await refusal("decryption-failed", () => read(wrapAlgorithm, longer.subarray(0, length)));
      }
    }
    const deciphered = await recordDeciphered(async () => {
      await refusal("decryption-failed", () => read(AES_WRAP, wrapRfc3394(WRAPPING_KEY, bytes(1, 40))));
      await refusal("decryption-failed", () => read(AES_ECB, ecb(WRAPPING_KEY, padded(bytes(1, 48), 16))));
      await refusal("decryption-failed", () => read(AES_ECB, ecb(WRAPPING_KEY, padded(new Uint8Array(0), 16))));
    });
    expect(deciphered).to.deep.equal([]);
  });

  it("fail alike under another wrapping key", async () => {
    const other = new RawAesKeyring({ wrappingKey: bytes(1, 32) });
    const errors = [];
    for (const what of ["AESWrap", "no wrap-alg", "AES/GCM"]) {
      const { suite, key } = known(what);
      errors.push(await refusal("decryption-failed", () => other.onDecrypt(forReading(suite), [key])));
    }
    expect(new Set(errors.map((error) => error.message)).size).to.equal(1);
    expect(errors.some((error) => error.cause !== undefined)).to.equal(false);
  });
});
