import { createCipheriv, createSecretKey, type DecipherGCM } from "node:crypto";
import { collect, plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { BodyReader } from "../dist/body-reader.js";
import { decryptSingleBlock } from "../dist/decrypt-body.js";
import { FrameKey } from "../dist/frame-cipher.js";
import { COMMITTED } from "../dist/message-suites.js";
import { chunksOf } from "./fixture.js";

/** Made for tests; it protects nothing. */
const KEY = createSecretKey(Buffer.alloc(32, 1));
const MESSAGE_ID = Buffer.alloc(32, 2);

/** IV(12) ‖ length(8) ‖ content ‖ tag(16), with the additional data written out as the AWS Encryption SDK defines it. */
function singleBlock(plaintext: Uint8Array): Buffer {
  const iv = Buffer.alloc(12, 3);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(plaintext.length));
  const cipher = createCipheriv("aes-256-gcm", KEY, iv, { authTagLength: 16 });
  const number = Buffer.from("00000001", "hex");
  cipher.setAAD(Buffer.concat([MESSAGE_ID, Buffer.from("AWSKMSEncryptionClient Single Block"), number, length]));
  return Buffer.concat([iv, length, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Shows what was decrypted, whether or not it was given out. */
class WatchedKey extends FrameKey {
  readonly decrypted: Uint8Array[] = [];

  override decipher(...content: Parameters<FrameKey["decipher"]>): DecipherGCM {
    const decipher = super.decipher(...content);
    const update = decipher.update.bind(decipher);
    const watched = (piece: Uint8Array) => {
      const plaintext = update(piece);
      this.decrypted.push(plaintext);
      return plaintext;
    };
    return Object.assign(decipher, { update: watched });
  }
}

const keyOfTests = (): WatchedKey => new WatchedKey(COMMITTED, KEY, MESSAGE_ID, 100_000);

function decrypted(body: Uint8Array, chunkSize: number, key: FrameKey = keyOfTests()): AsyncGenerator<Uint8Array> {
  return decryptSingleBlock(key, new BodyReader(chunksOf(body, chunkSize)));
}

describe("decryptSingleBlock", () => {
  it("opens a block of any length in chunks of any length", async () => {
    for (const length of [0, 1, 15, 4095, 4096, 4097, 20_000]) {
      const body = singleBlock(plaintextOf(length));
      for (const chunkSize of length > 5000 ? [1000, 100_000] : [1, 7, 16, 100_000]) {
        expect((await collect(decrypted(body, chunkSize))).equals(plaintextOf(length))).to.equal(true);
      }
    }
  });

  it("gives out nothing of a block that was altered or cut", async () => {
    const body = singleBlock(plaintextOf(40));
    const altered = Array.from(body, (byte, offset) => {
      const copy = Buffer.from(body);
      copy[offset] = byte ^ 1;
      return copy;
    });
    const cut = Array.from(body, (_, length) => body.subarray(0, length));
    for (const refused of [...altered, ...cut]) {
      const released: Uint8Array[] = [];
      // A length that was made to claim more than may be held is refused as that.
      const code =
        refused.length === body.length && refused.readBigUInt64BE(12) > 100_000n
          ? "content-too-large"
          : "decryption-failed";
      await refusal(code, () => collect(decrypted(refused, 11), released));
      expect(released).to.have.length(0);
    }
  });

  it("zeroes what is not authentic", async () => {
    const body = singleBlock(plaintextOf(20_000));
    body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);
    const key = keyOfTests();
    await refusal("decryption-failed", () => collect(decrypted(body, 5000, key)));
    const left = Buffer.concat(key.decrypted);
    expect(left.equals(Buffer.alloc(20_000))).to.equal(true);
  });

  it("gives out nothing before what stands behind the block was verified", async () => {
    const body = singleBlock(plaintextOf(40_000));
    const released: Uint8Array[] = [];
    await refusal("decryption-failed", () =>
      collect(decrypted(Buffer.concat([body, Buffer.alloc(1)]), 10_000), released),
    );
    expect(released).to.have.length(0);
  });
});
