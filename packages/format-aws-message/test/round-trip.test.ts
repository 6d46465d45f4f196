import { createHash } from "node:crypto";
import { collect, plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { chunksOf, opening, read, sealed, sealing } from "./fixture.js";

const FRAME = 100;
const SIZES = [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 2 * FRAME + 1, 1234, 100_000];
const CHUNKS = [1, 7, 16, 4096, 65_536];
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("messages", () => {
  for (const signed of [false, true]) {
    const kind = signed ? "signed" : "unsigned";
    for (const size of SIZES) {
      it(`come back as they were, ${kind}, ${size} bytes, however they are cut`, async () => {
        const plaintext = plaintextOf(size);
        for (const chunk of CHUNKS) {
          const { ciphertext, length } = await sealing(
            { frameLength: FRAME, signed },
            chunksOf(plaintext, chunk),
            size,
          );
          const message = await collect(ciphertext);
          if (signed) expect(length).to.equal(undefined);
          else expect(message).to.have.length(length ?? -1);
          const { opened, headerLength } = await opening({ signed }, message);
          expect(opened.plaintextLength(message.length)).to.equal(signed ? undefined : size);
          expect(opened.proves).to.equal(signed ? "whole" : "pieces");
          const body = message.subarray(headerLength);
          const back = await collect(opened.decrypt(chunksOf(body, chunk)));
          expect(back).to.have.length(size);
          expect(sha256(back)).to.equal(sha256(plaintext));
        }
      });
    }

    it(`come back as they were, ${kind}, in chunks of any lengths`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 1000 }),
          fc.integer({ min: 1, max: 300 }),
          fc.array(fc.integer({ min: 1, max: 250 }), { minLength: 1 }),
          async (size, frameLength, lengths) => {
            let turn = 0;
            const next = () => lengths[turn++ % lengths.length] ?? 1;
            const plaintext = plaintextOf(size);
            const message = await collect(
              (await sealing({ frameLength, signed }, chunksOf(plaintext, next))).ciphertext,
            );
            const { opened, headerLength } = await opening({}, message);
            const back = await collect(opened.decrypt(chunksOf(message.subarray(headerLength), next)));
            expect(back.equals(plaintext)).to.equal(true);
          },
        ),
        { numRuns: 30 },
      ));
  }

  for (const size of [65_535, 65_536, 65_537, 200_000]) {
    it(`come back as they were in frames of the usual length, ${size} bytes`, async () => {
      const plaintext = plaintextOf(size);
      for (const chunk of CHUNKS) {
        const message = await collect((await sealing({}, chunksOf(plaintext, chunk))).ciphertext);
        expect(sha256(await read({}, message, [], chunk))).to.equal(sha256(plaintext));
      }
    });
  }

  for (const signed of [false, true]) {
    it(`must have the length that they were said to have (${signed ? "signed" : "unsigned"})`, async () => {
      for (const size of [0, 1, FRAME, 2 * FRAME, 250]) {
        for (const said of [size - 1, size + 1, size - FRAME, size + FRAME]) {
          if (said < 0) continue;
          const { ciphertext } = await sealing(
            { frameLength: FRAME, signed },
            chunksOf(plaintextOf(size), FRAME),
            said,
          );
          await refusal("content-mismatch", () => collect(ciphertext));
        }
      }
    });
  }

  it("of unknown length have no length until they end", async () => {
    const { ciphertext, length } = await sealing({ frameLength: FRAME }, chunksOf(plaintextOf(250), 30));
    expect(length).to.equal(undefined);
    expect((await read({}, await collect(ciphertext))).equals(plaintextOf(250))).to.equal(true);
  });

  it("never share an id, a key or a ciphertext", async () => {
    const [first, second] = [await sealed({}, plaintextOf(64)), await sealed({}, plaintextOf(64))];
    expect(first.subarray(3, 35).equals(second.subarray(3, 35))).to.equal(false);
    expect(first.subarray(-80, -16).equals(second.subarray(-80, -16))).to.equal(false);
  });
});

describe("streams of messages", () => {
  const size = 5000;
  const chunk = 30;

  for (const signed of [false, true]) {
    it(`read no more plaintext than a frame and a chunk ahead (${signed ? "signed" : "unsigned"})`, async () => {
      const source = chunksOf(plaintextOf(size), chunk);
      const { ciphertext } = await sealing({ frameLength: FRAME, signed }, source);
      expect(source.read).to.equal(0);
      let given = 0;
      for await (const piece of ciphertext) {
        given += piece.length;
        expect(source.read).to.be.at.most(given + FRAME + chunk);
      }
      expect(source.read).to.equal(size);
    });

    it(`read no more ciphertext than they need (${signed ? "signed" : "unsigned"})`, async () => {
      const message = await sealed({ frameLength: FRAME, signed }, plaintextOf(size));
      const { opened, headerLength } = await opening({}, message);
      const source = chunksOf(message.subarray(headerLength), chunk);
      const stride = FRAME + 32;
      let given = 0;
      // A signed message is given out a piece late, and its last two frames once it was verified.
      const ahead = signed ? 2 * stride : stride;
      for await (const piece of opened.decrypt(source)) {
        const isEnd = signed && given >= size - 2 * FRAME;
        if (!isEnd) expect(source.read).to.be.at.most(Math.ceil(given / FRAME) * stride + ahead + chunk);
        given += piece.length;
      }
      expect(given).to.equal(size);
      expect(source.read).to.equal(message.length - headerLength);
    });

    it(`let go of their source when nobody wants more (${signed ? "signed" : "unsigned"})`, async () => {
      const choices = { frameLength: FRAME, signed };
      const long = plaintextOf(300_000);
      for (const wanted of [1, 2, 5]) {
        const source = chunksOf(long, 999);
        let pieces = 0;
        for await (const _ of (await sealing(choices, source)).ciphertext) if (++pieces === wanted) break;
        expect(source.returned, `after ${wanted} pieces of ciphertext`).to.equal(1);
        expect(source.read).to.be.below(long.length);
      }
      const message = await sealed(choices, long);
      const { opened, headerLength } = await opening({}, message);
      for (const wanted of [1, 2, 5]) {
        const source = chunksOf(message.subarray(headerLength), 999);
        let pieces = 0;
        for await (const _ of opened.decrypt(source)) if (++pieces === wanted) break;
        expect(source.returned, `after ${wanted} pieces of plaintext`).to.equal(1);
        expect(source.read).to.be.below(message.length - headerLength);
      }
    });

    it(`pass on what their source fails with (${signed ? "signed" : "unsigned"})`, async () => {
      const choices = { frameLength: FRAME, signed };
      const message = await sealed(choices, plaintextOf(size));
      const failing = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 300);
        throw new RangeError("the source's own");
      };
      const errorOf = (chunks: AsyncIterable<Uint8Array>): Promise<unknown> =>
        collect(chunks).then(
          () => undefined,
          (error: unknown) => error,
        );
      expect(await errorOf((await sealing(choices, failing(plaintextOf(size)))).ciphertext)).to.be.instanceOf(
        RangeError,
      );
      const { opened, headerLength } = await opening({}, message);
      expect(await errorOf(opened.decrypt(failing(message.subarray(headerLength))))).to.be.instanceOf(RangeError);
    });
  }

  it("let go of their source when a frame is refused", async () => {
    const message = await sealed({ frameLength: FRAME }, plaintextOf(size));
    const { opened, headerLength } = await opening({}, message);
    const body = Buffer.from(message.subarray(headerLength));
    body.writeUInt8(body.readUInt8(150) ^ 1, 150);
    const source = chunksOf(body, chunk);
    const released: Uint8Array[] = [];
    expect(await collect(opened.decrypt(source), released).catch((error: unknown) => error)).to.be.instanceOf(Error);
    expect(source.returned).to.equal(1);
    expect(Buffer.concat(released).equals(plaintextOf(FRAME))).to.equal(true);
  });
});
