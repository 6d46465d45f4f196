import { createSecretKey } from "node:crypto";
import { inspect } from "node:util";
import { collect, plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { decryptGcmUnverified, encryptGcm } from "../dist/content-gcm.js";
import type { ContentKey } from "../dist/content-key.js";
import { anyChunks, cut, SIZES, streamOf, ways } from "./chunks.js";
import { contentKey, encrypted } from "./content-keys.js";
import { ascending, BODIES, DERIVATION_TEXT, DERIVATIONS, key } from "./known-answers.js";

const decrypted = (content: ContentKey, chunks: readonly Uint8Array[], released?: Uint8Array[]): Promise<Buffer> =>
  collect(decryptGcmUnverified(content, streamOf(chunks)), released);

describe("AES-GCM content", () => {
  for (const kind of ["gcm", "committing"] as const) {
    const content = contentKey(kind);
    for (const body of BODIES) {
      it(`writes and reads the known ${kind} body of "${body.text}"`, async () => {
        const stored = Buffer.from(body[kind], "base64");
        expect(await encrypted(content, Buffer.from(body.text))).to.deep.equal(stored);
        expect((await decrypted(content, [stored])).toString()).to.equal(body.text);
      });
    }

    for (const size of SIZES) {
      const bytes = plaintextOf(size);
      it(`writes ${size} bytes the same, however they come: ${kind}`, async () => {
        const stored = await encrypted(content, bytes);
        expect(stored.length).to.equal(size + 16);
        for (const [way, chunks] of ways(bytes)) {
          const again = await collect(encryptGcm(content, streamOf(chunks)));
          expect(again.equals(stored), way).to.equal(true);
        }
      });

      it(`reads ${size} bytes, however they come: ${kind}`, async () => {
        for (const [way, chunks] of ways(await encrypted(content, bytes))) {
          const read = await decrypted(content, chunks);
          expect(read.length, way).to.equal(size);
          expect(read.equals(bytes), way).to.equal(true);
        }
      });
    }
  }

  for (const [index, { contentKey: derived, body, emptyBody }] of DERIVATIONS.entries()) {
    it(`writes the known bodies under derivation ${index + 1}`, async () => {
      const content = { ...contentKey("committing"), key: key(derived) };
      expect((await encrypted(content, Buffer.from(DERIVATION_TEXT))).toString("hex")).to.equal(body);
      expect((await encrypted(content, Buffer.alloc(0))).toString("hex")).to.equal(emptyBody);
    });
  }

  for (const length of [16, 24, 32]) {
    it(`reads under a data key of ${length} bytes (H19)`, async () => {
      const content = { ...contentKey("gcm"), key: createSecretKey(ascending(1, length)) };
      const read = await decrypted(content, [await encrypted(content, plaintextOf(100))]);
      expect(read.equals(plaintextOf(100))).to.equal(true);
    });
  }

  it("reads a tag split at any byte, into any three pieces", async () => {
    const content = contentKey("gcm");
    const stored = await encrypted(content, plaintextOf(40));
    for (let first = 20; first <= stored.length; first++) {
      for (let second = first; second <= stored.length; second++) {
        const pieces = [stored.subarray(0, first), stored.subarray(first, second), stored.subarray(second)];
        const read = await decrypted(content, pieces);
        expect(read.length).to.equal(40);
        expect(read.equals(plaintextOf(40))).to.equal(true);
      }
    }
  });

  it("fails in one way only, whatever is wrong, with nothing about it in the error (S16)", async () => {
    const content = contentKey("committing");
    const stored = await encrypted(content, plaintextOf(100));
    const flipped = (index: number): Buffer => {
      const copy = Buffer.from(stored);
      copy.writeUInt8(copy.readUInt8(index) ^ 1, index);
      return copy;
    };
    const failures: [what: string, content: ContentKey, body: Uint8Array][] = [
      ["truncated by 1", content, stored.subarray(0, -1)],
      ["truncated by 16", content, stored.subarray(0, -16)],
      ["truncated to 15 bytes, less than a tag", content, stored.subarray(0, 15)],
      ["truncated to nothing", content, new Uint8Array(0)],
      ["the tag alone", content, stored.subarray(-16)],
      ["one extra byte", content, Buffer.concat([stored, Buffer.alloc(1)])],
      ["first byte flipped", content, flipped(0)],
      ["last content byte flipped", content, flipped(99)],
      ["tag flipped", content, flipped(115)],
      ["wrong key", { ...content, key: createSecretKey(Buffer.alloc(32)) }, stored],
      ["wrong IV", { ...content, iv: Buffer.alloc(12) }, stored],
      ["wrong AAD", { ...content, aad: Buffer.from("115") }, stored],
      ["no AAD", { ...content, aad: new Uint8Array(0) }, stored],
    ];
    const shown = new Set<string>();
    for (const [what, own, body] of failures) {
      for (const [way, chunks] of ways(body)) {
        const released: Uint8Array[] = [];
        const error = await refusal("decryption-failed", decrypted(own, chunks, released));
        expect(error.cause, what).to.equal(undefined);
        expect(Buffer.concat(released).length, `${what}, ${way}`).to.equal(Math.max(0, body.length - 16));
        delete error.stack;
        shown.add(inspect(error));
      }
    }
    expect([...shown]).to.have.length(1);
  });

  it("reads back any content in any chunks", async () => {
    const content = contentKey("committing");
    await fc.assert(
      fc.asyncProperty(anyChunks(600), fc.integer({ min: 1, max: 70 }), async (chunks, size) => {
        const bytes = Buffer.concat(chunks);
        const stored = await collect(encryptGcm(content, streamOf(chunks)));
        expect(stored.length).to.equal(bytes.length + 16);
        const read = await decrypted(content, cut(stored, size));
        expect(read.length).to.equal(bytes.length);
        expect(read.equals(bytes)).to.equal(true);
      }),
    );
  });

  it("holds no more than one message may, and says so before it writes more", async () => {
    const { suite, ...rest } = contentKey("gcm");
    const content = { ...rest, suite: { ...suite, maxContentLength: 32 } };
    expect(suite.maxContentLength).to.equal(2 ** 36 - 32);
    expect((await encrypted(content, plaintextOf(32))).length).to.equal(48);
    const written: Uint8Array[] = [];
    const error = await refusal(
      "content-too-large",
      collect(encryptGcm(content, streamOf([plaintextOf(32), plaintextOf(1)])), written),
    );
    expect(error.message).to.contain("32 bytes");
    expect(Buffer.concat(written).length).to.equal(32);
  });

  it("refuses to read more than one message may hold, even where its tag is right", async () => {
    const { suite, ...rest } = contentKey("gcm");
    const stored = await encrypted({ ...rest, suite }, plaintextOf(33));
    const content = { ...rest, suite: { ...suite, maxContentLength: 32 } };
    for (const [, chunks] of ways(stored)) await refusal("decryption-failed", decrypted(content, chunks));
    const full = await encrypted(content, plaintextOf(32));
    for (const [, chunks] of ways(full)) expect((await decrypted(content, chunks)).length).to.equal(32);
  });
});
