import { CBC, COMMITTING_GCM, GCM, RSA_PKCS1 } from "@s3ec/envelope";
import { bytes, encryptedDataKey, forReading, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { RawRsaKeyring } from "../dist/index.js";
import { DATA_KEY, known, PRIVATE_KEY, PRIVATE_KEY_DER } from "./known-wraps.js";
import { encryptBlock } from "./raw-rsa.js";
import { recordPrivateOperations } from "./recording.js";

const keyring = new RawRsaKeyring({ privateKey: PRIVATE_KEY });
const unpadded = new RawRsaKeyring({ privateKey: PRIVATE_KEY, enableUnpaddedRsa: true });

async function read(ciphertext: Uint8Array, by: RawRsaKeyring = keyring): Promise<Buffer> {
  const materials = await by.onDecrypt(forReading(CBC), [encryptedDataKey(RSA_PKCS1, ciphertext)]);
  if (materials?.dataKey === undefined) throw new Error("PKCS#1 v1.5 always answers with a key.");
  return materials.dataKey.export();
}

/** `00 02 ‖ non-zero bytes ‖ 00 ‖ message` as long as the modulus. */
function pkcs1Block(message: Uint8Array, head: readonly number[] = [0, 2]): Buffer {
  return Buffer.concat([Uint8Array.from(head), Buffer.alloc(253 - message.length, 0xa5), Buffer.alloc(1), message]);
}

function altered(block: Buffer, index: number, value: number): Buffer {
  const copy = Buffer.from(block);
  copy[index] = value;
  return copy;
}

function zerosBefore(dataKey: Uint8Array): Buffer {
  return Buffer.concat([Buffer.alloc(256 - dataKey.length), dataKey]);
}

describe("legacy RSA PKCS#1 v1.5", () => {
  for (const length of [16, 24, 32]) {
    it(`reads a data key of ${length} bytes`, async () => {
      const dataKey = bytes(0x90, length);
      expect(await read(encryptBlock(pkcs1Block(dataKey)))).to.deep.equal(dataKey);
      expect(await read(encryptBlock(pkcs1Block(dataKey)), unpadded)).to.deep.equal(dataKey);
    });
  }

  it("reads a data key with zero bytes in it", async () => {
    const dataKey = Buffer.concat([Buffer.alloc(9), bytes(1, 14), Buffer.alloc(9)]);
    expect(await read(encryptBlock(pkcs1Block(dataKey)))).to.deep.equal(dataKey);
  });

  it("is bound to nothing: GCM content reads it too, which is why it needs a switch (S2)", async () => {
    const materials = await keyring.onDecrypt(forReading(GCM), [known("PKCS#1").key]);
    expect(materials?.dataKey?.export()).to.deep.equal(DATA_KEY);
  });

  const good = pkcs1Block(DATA_KEY);
  const rejected: readonly [string, Buffer][] = [
    ["a first byte that is not 00", altered(good, 0, 1)],
    ["block type 01", altered(good, 1, 1)],
    ["block type 00", altered(good, 1, 0)],
    ["an earlier separator", altered(good, 100, 0)],
    ["an immediate separator", altered(good, 2, 0)],
    ["a zero just before the separator", altered(good, 222, 0)],
    ["no separator", altered(good, 223, 7)],
    ["no separator at all", Buffer.concat([Uint8Array.of(0, 2), Buffer.alloc(254, 1)])],
    ["an empty message", pkcs1Block(new Uint8Array(0))],
    ["a data key of 15 bytes", pkcs1Block(bytes(0x90, 15))],
    ["a data key of 17 bytes", pkcs1Block(bytes(0x90, 17))],
    ["a data key of 31 bytes", pkcs1Block(bytes(0x90, 31))],
    ["a data key of 33 bytes", pkcs1Block(bytes(0x90, 33))],
    [
      "an RSA-OAEP-SHA1 payload without OAEP",
      pkcs1Block(Buffer.concat([Uint8Array.of(32), DATA_KEY, Buffer.from("115")])),
    ],
    ["zeros before a data key", zerosBefore(DATA_KEY)],
    ["zeros only", Buffer.alloc(256)],
  ];
  const others: readonly [string, Buffer][] = [
    ["an OAEP wrap of the same key (S6)", Buffer.from(known("SHA1 bound to AES").key.ciphertext)],
    ["a number that is not below the modulus", Buffer.alloc(256, 0xff)],
  ];
  const all = [...rejected.map(([what, block]) => [what, encryptBlock(block)] as const), ...others];
  for (const [what, wrapped] of all) {
    it(`substitutes a key for ${what}`, async () => {
      const substitute = await read(wrapped);
      expect(substitute).to.have.length(32);
      // The same whenever and wherever it is asked for: a random one could be told apart by asking twice.
      expect(await read(wrapped)).to.deep.equal(substitute);
      expect(await read(wrapped, new RawRsaKeyring({ privateKey: PRIVATE_KEY_DER }))).to.deep.equal(substitute);
    });
  }

  it("substitutes another key for every wrapped key, and nothing of the block", async () => {
    const substitutes = await Promise.all(all.map(([, wrapped]) => read(wrapped)));
    expect(new Set(substitutes.map((key) => key.toString("hex"))).size).to.equal(all.length);
    for (const [i, [, block]] of rejected.entries()) {
      for (let at = 0; at + 4 <= 32; at++)
        expect(block.includes(substitutes[i]?.subarray(at, at + 4) ?? "")).to.equal(false);
    }
  });

  it("tells the same lie in the same way as any wrong key: no error, one private-key operation, its result zeroed", async () => {
    for (const [what, wrapped] of [["a good wrap", encryptBlock(good)] as const, ...all]) {
      const results = await recordPrivateOperations(() => read(wrapped));
      expect(results, what).to.have.length(1);
      for (const result of results) if (result !== undefined) expect(result).to.deep.equal(Buffer.alloc(256));
    }
  });

  it("never throws for 256 bytes of anything", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 256, maxLength: 256 }), async (wrapped) => {
        expect([16, 24, 32]).to.include((await read(wrapped)).length);
        expect([16, 24, 32]).to.include((await read(wrapped, unpadded)).length);
      }),
      { numRuns: 30 },
    );
  });

  it("refuses another length before the private key is used (H14)", async () => {
    const wrapped = encryptBlock(good);
    const operations = await recordPrivateOperations(async () => {
      for (const length of [0, 1, 48, 128, 255]) {
        await refusal("decryption-failed", () => read(wrapped.subarray(0, length)));
      }
      await refusal("decryption-failed", () => read(Buffer.concat([Buffer.alloc(1), wrapped])));
      await refusal("decryption-failed", () => read(Buffer.alloc(512, 1), unpadded));
    });
    expect(operations).to.deep.equal([]);
  });

  it("gives V3 no shorter key, valid as its padding may be (H19)", async () => {
    const short = encryptedDataKey(RSA_PKCS1, encryptBlock(pkcs1Block(bytes(0x90, 16))));
    const materials = await keyring.onDecrypt(forReading(COMMITTING_GCM), [short]);
    expect(materials?.dataKey?.symmetricKeySize).to.equal(32);
  });
});

describe("enableUnpaddedRsa", () => {
  for (const length of [16, 24, 32]) {
    it(`reads a data key of ${length} bytes with zeros before it`, async () => {
      const dataKey = bytes(0x90, length);
      expect(await read(encryptBlock(zerosBefore(dataKey)), unpadded)).to.deep.equal(dataKey);
    });
  }

  it("still reads PKCS#1 v1.5", async () => {
    expect(await read(encryptBlock(pkcs1Block(DATA_KEY)), unpadded)).to.deep.equal(DATA_KEY);
  });

  it("substitutes the same key as without it for everything else", async () => {
    for (const block of [
      altered(zerosBefore(DATA_KEY), 223, 1),
      altered(zerosBefore(DATA_KEY), 0, 1),
      pkcs1Block(bytes(1, 31)),
    ]) {
      const wrapped = encryptBlock(block);
      expect(await read(wrapped, unpadded)).to.deep.equal(await read(wrapped));
    }
    const tooLarge = Buffer.alloc(256, 0xff);
    expect(await read(tooLarge, unpadded)).to.deep.equal(await read(tooLarge));
  });

  it("is off unless it is true", async () => {
    const off = new RawRsaKeyring({ privateKey: PRIVATE_KEY, enableUnpaddedRsa: false });
    expect(await read(encryptBlock(zerosBefore(DATA_KEY)), off)).to.not.deep.equal(DATA_KEY);
  });
});
