import { createCipheriv, createSecretKey } from "node:crypto";
import { inspect } from "node:util";
import { collect, plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { decryptCbc } from "../dist/content-cbc.js";
import type { ContentKey } from "../dist/content-key.js";
import { anyChunks, SIZES, streamOf, ways } from "./chunks.js";
import { contentKey } from "./content-keys.js";
import { ascending, BODIES } from "./known-answers.js";

const content = contentKey("cbc");

function cbcOf({ key, iv }: ContentKey, bytes: Uint8Array): Buffer {
  const cipher = createCipheriv(`aes-${(key.symmetricKeySize ?? 0) * 8}-cbc`, key, iv);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

describe("decryptCbc", () => {
  for (const { text, cbc } of BODIES) {
    it(`reads the JDK's body of "${text}"`, async () => {
      const read = await collect(decryptCbc(content, streamOf([Buffer.from(cbc, "base64")])));
      expect(read.toString()).to.equal(text);
    });
  }

  for (const size of SIZES) {
    const bytes = plaintextOf(size);
    for (const [way, chunks] of ways(cbcOf(content, bytes))) {
      it(`reads ${size} bytes, ${way}`, async () => {
        const given: Uint8Array[] = [];
        const read = await collect(decryptCbc(content, streamOf(chunks)), given);
        expect(read.length).to.equal(size);
        expect(read.equals(bytes)).to.equal(true);
        expect(given.every((chunk) => chunk.length > 0)).to.equal(true);
      });
    }
  }

  for (const length of [16, 24, 32]) {
    it(`reads under a data key of ${length} bytes (H19)`, async () => {
      const own = { ...content, key: createSecretKey(ascending(1, length)) };
      const read = await collect(decryptCbc(own, streamOf([cbcOf(own, plaintextOf(100))])));
      expect(read.equals(plaintextOf(100))).to.equal(true);
    });
  }

  it("fails in one way only, whatever is wrong, with nothing about it in the error (S1, S16)", async () => {
    const body = cbcOf(content, plaintextOf(100));
    const padding = Buffer.from(body);
    padding.writeUInt8(padding.readUInt8(body.length - 17) ^ 0x55, body.length - 17);
    const failures: [what: string, content: ContentKey, body: Uint8Array][] = [
      ["emptied body", content, new Uint8Array(0)],
      ["bad length", content, body.subarray(0, -1)],
      ["one extra byte", content, Buffer.concat([body, Buffer.alloc(1)])],
      ["bad padding", content, padding],
      ["last block cut off", content, body.subarray(0, -16)],
      ["wrong key", { ...content, key: createSecretKey(Buffer.alloc(32)) }, body],
    ];
    const shown = new Set<string>();
    for (const [what, key, bytes] of failures) {
      const released: Uint8Array[] = [];
      const error = await refusal("decryption-failed", collect(decryptCbc(key, streamOf([bytes])), released));
      expect(error.cause, what).to.equal(undefined);
      delete error.stack;
      shown.add(inspect(error));
      // As with good padding: all but the last block is out before the end is looked at.
      expect(Buffer.concat(released).length, what).to.equal(Math.max(0, Math.ceil(bytes.length / 16) - 1) * 16);
    }
    expect([...shown]).to.have.length(1);
  });

  it("reads any content in any chunks", async () => {
    await fc.assert(
      fc.asyncProperty(anyChunks(400), fc.array(fc.nat(40)), async (chunks, sizes) => {
        const bytes = Buffer.concat(chunks);
        const body = cbcOf(content, bytes);
        const pieces: Uint8Array[] = [];
        let offset = 0;
        for (const size of sizes) {
          pieces.push(body.subarray(offset, offset + size));
          offset += size;
        }
        pieces.push(body.subarray(offset));
        const read = await collect(decryptCbc(content, streamOf(pieces)));
        expect(read.length).to.equal(bytes.length);
        expect(read.equals(bytes)).to.equal(true);
      }),
    );
  });
});
