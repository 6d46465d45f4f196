import type { ByteRange } from "@s3ec/envelope";
import { decryptionFailed, type OpenedRange } from "@s3ec/materials";
import { collect, plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { chunksOf, opening, sealed } from "./fixture.js";

const FRAME = 100;
const STRIDE = FRAME + 32;
const PLAINTEXT = plaintextOf(450);

const message = await sealed({ frameLength: FRAME }, PLAINTEXT);
const { opened, headerLength } = await opening({}, message);

function rangeOf(range: ByteRange, storedLength: number = message.length): OpenedRange {
  const found = opened.range(range, storedLength);
  if (found === undefined) throw new Error("The range starts past the end.");
  return found;
}

const fetched = ({ fetchFirst, fetchLast }: OpenedRange, stored: Uint8Array = message): Buffer =>
  Buffer.from(stored.subarray(fetchFirst, fetchLast + 1));

const refusedRange = (range: OpenedRange, bytes: Uint8Array, released: Uint8Array[] = []) =>
  refusal("decryption-failed", () => collect(range.decrypt(chunksOf(bytes, 50)), released));

describe("ranges of a message", () => {
  const cases: [range: ByteRange, firstFrame: number, lastFrame: number][] = [
    [{ first: 0, last: 0 }, 1, 1],
    [{ first: 0, last: 99 }, 1, 1],
    [{ first: 99, last: 100 }, 1, 2],
    [{ first: 120, last: 130 }, 2, 2],
    [{ first: 100, last: 399 }, 2, 4],
    [{ first: 410, last: 415 }, 5, 5],
    [{ first: 449, last: 449 }, 5, 5],
    [{ first: 399, last: 1000 }, 4, 5],
    [{ first: 210 }, 3, 5],
    [{ first: 0 }, 1, 5],
    [{ suffixLength: 1 }, 5, 5],
    [{ suffixLength: 51 }, 4, 5],
    [{ suffixLength: 9999 }, 1, 5],
  ];
  for (const [range, firstFrame, lastFrame] of cases) {
    it(`${JSON.stringify(range)} fetches frames ${firstFrame} to ${lastFrame}`, async () => {
      const wanted = rangeOf(range);
      expect(wanted.total).to.equal(450);
      expect(wanted.fetchFirst).to.equal(headerLength + (firstFrame - 1) * STRIDE);
      expect(wanted.fetchLast).to.equal(lastFrame === 5 ? message.length - 1 : headerLength + lastFrame * STRIDE - 1);
      const expected = PLAINTEXT.subarray(wanted.first, wanted.last + 1);
      for (const chunk of [1, 7, 16, 4096]) {
        const source = chunksOf(fetched(wanted), chunk);
        const back = await collect(wanted.decrypt(source));
        expect(back.equals(expected)).to.equal(true);
        expect(source.returned).to.equal(1);
      }
    });
  }

  it("are none past the end", () => {
    expect(opened.range({ first: 450 }, message.length)).to.equal(undefined);
    expect(opened.range({ suffixLength: 0 }, message.length)).to.equal(undefined);
  });

  it("are refused whatever byte of the fetched frames was changed", async () => {
    for (const range of [{ first: 120, last: 250 }, { suffixLength: 60 }]) {
      const wanted = rangeOf(range);
      for (let offset = 0; offset <= wanted.fetchLast - wanted.fetchFirst; offset++) {
        const bytes = fetched(wanted);
        bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
        const released: Uint8Array[] = [];
        await refusedRange(wanted, bytes, released);
        const prefix = Buffer.concat(released);
        const expected = PLAINTEXT.subarray(wanted.first, wanted.last + 1);
        expect(prefix.equals(expected.subarray(0, prefix.length))).to.equal(true);
        expect(prefix).to.have.length.below(expected.length);
      }
    }
  });

  it("are refused of frames that are swapped or others than were asked for", async () => {
    const wanted = rangeOf({ first: 100, last: 299 });
    const bytes = fetched(wanted);
    await refusedRange(wanted, Buffer.concat([bytes.subarray(STRIDE), bytes.subarray(0, STRIDE)]));
    await refusedRange(wanted, fetched(rangeOf({ first: 0, last: 199 })));
    await refusedRange(wanted, fetched(rangeOf({ first: 200, last: 399 })));
    await refusedRange(wanted, fetched(rangeOf({ suffixLength: 150 })));
  });

  it("are refused of answers that are short or long", async () => {
    for (const range of [{ first: 100, last: 299 }, { first: 0 }]) {
      const wanted = rangeOf(range);
      const bytes = fetched(wanted);
      for (let length = 0; length < bytes.length; length += 13) await refusedRange(wanted, bytes.subarray(0, length));
      await refusedRange(wanted, bytes.subarray(0, -1));
      await refusedRange(wanted, Buffer.concat([bytes, Buffer.alloc(1)]));
    }
  });

  it("that reach the end are refused of an object that was cut to end like a message", async () => {
    // Two whole frames, then as many bytes as an empty last frame has.
    const cut = message.subarray(0, headerLength + 2 * STRIDE + 40);
    for (const range of [{ suffixLength: 10 }, { first: 150 }, { first: 150, last: 199 }, { first: 0, last: 1000 }]) {
      const wanted = rangeOf(range, cut.length);
      expect(wanted.total).to.equal(200);
      await refusedRange(wanted, fetched(wanted, cut));
    }
    // And as many as a shorter one has.
    const shorter = message.subarray(0, headerLength + 2 * STRIDE + 40 + 7);
    const wanted = rangeOf({ suffixLength: 3 }, shorter.length);
    await refusedRange(wanted, fetched(wanted, shorter));
  });

  it("that reach the end are refused of an object that was cut behind a regular frame", async () => {
    // As long as a last frame of 92 bytes would be.
    const cut = message.subarray(0, headerLength + 2 * STRIDE);
    for (const range of [{ suffixLength: 10 }, { first: 100 }, { first: 0, last: 191 }]) {
      const wanted = rangeOf(range, cut.length);
      expect(wanted.total).to.equal(192);
      await refusedRange(wanted, fetched(wanted, cut));
    }
  });

  it("are refused where the last frame stands in the place of another", async () => {
    // As long as a regular frame.
    const short = await sealed({ frameLength: FRAME }, plaintextOf(92));
    const longer = Buffer.concat([short, message.subarray(-STRIDE)]);
    const { opened: reader } = await opening({}, longer);
    const wanted = reader.range({ first: 0, last: 10 }, longer.length);
    if (wanted === undefined) throw new Error("The range starts past the end.");
    const released: Uint8Array[] = [];
    await refusedRange(wanted, fetched(wanted, longer), released);
    expect(released).to.have.length(0);
  });

  it("are refused of an object that goes on behind its last frame", async () => {
    const longer = Buffer.concat([message, message.subarray(-STRIDE)]);
    const wanted = rangeOf({ suffixLength: 10 }, longer.length);
    await refusedRange(wanted, fetched(wanted, longer));
    const beyond = rangeOf({ first: 300, last: 350 }, longer.length);
    expect(
      (await collect(beyond.decrypt(chunksOf(fetched(beyond, longer), 9)))).equals(PLAINTEXT.subarray(300, 351)),
    ).to.equal(true);
  });

  it("are refused of an object that is said to be shorter or longer than its last frame makes it", async () => {
    for (const said of [message.length - 20, message.length - 1, message.length + 1, message.length + 20]) {
      for (const range of [{ suffixLength: 10 }, { first: 410 }, { first: 410, last: 415 }]) {
        const wanted = rangeOf(range, said);
        // All that there is, rather than what was asked for.
        const released: Uint8Array[] = [];
        await refusedRange(wanted, message.subarray(wanted.fetchFirst), released);
        expect(released).to.have.length(0);
      }
    }
  });

  it("let go of what was fetched when nobody wants more", async () => {
    const wanted = rangeOf({ first: 0 });
    const source = chunksOf(fetched(wanted), 50);
    for await (const _ of wanted.decrypt(source)) break;
    expect(source.returned).to.equal(1);
  });

  it("need a length that a message has", async () => {
    const { code, message: text } = decryptionFailed();
    for (const storedLength of [0, headerLength, headerLength + 39, headerLength + FRAME + 41]) {
      expect((await refusal(code, () => opened.range({ first: 0 }, storedLength))).message).to.equal(text);
      expect((await refusal(code, () => opened.plaintextLength(storedLength))).message).to.equal(text);
    }
  });

  it("are not to be had of a signed message", async () => {
    const whole = await sealed({ signed: true }, PLAINTEXT);
    const { opened: signed } = await opening({}, whole);
    await refusal("unsupported-operation", () => signed.range({ first: 0, last: 1 }, whole.length));
  });
});
