import { S3EncryptionError } from "@s3ec/materials";
import { plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { type Choices, chunksOf, NoHeader, opening, read, sealed } from "./fixture.js";
import { uint } from "./header-bytes.js";

const FRAME = 20;
const STRIDE = FRAME + 32;
const PLAINTEXT = plaintextOf(50);
const REFUSALS = [
  "malformed-envelope",
  "decryption-failed",
  "no-matching-key",
  "context-mismatch",
  "commitment-policy",
  "unsupported-operation",
];

/** Reads what must be refused, and whatever was released until then must be whole frames of the plaintext. */
async function refused(message: Uint8Array, signed: boolean, what: string): Promise<number> {
  const released: Uint8Array[] = [];
  try {
    await read({}, message, released, 11);
  } catch (error) {
    if (!(error instanceof NoHeader)) {
      if (!(error instanceof S3EncryptionError)) throw error;
      expect(REFUSALS, `${what}: ${error.message}`).to.include(error.code);
    }
    const prefix = Buffer.concat(released);
    expect(prefix.equals(PLAINTEXT.subarray(0, prefix.length)), what).to.equal(true);
    const whole = prefix.length % FRAME === 0 || prefix.length === PLAINTEXT.length;
    expect(whole, `${what}: ${prefix.length} bytes were released`).to.equal(true);
    if (signed) expect(prefix.length, `${what}: all of it was released`).to.be.below(PLAINTEXT.length);
    return prefix.length;
  }
  throw new Error(`Nothing was refused: ${what}.`);
}

describe("altered messages", () => {
  for (const signed of [false, true]) {
    describe(signed ? "with a signature" : "without a signature", () => {
      let message: Buffer;
      let headerLength: number;
      let header: Buffer;
      let frames: Buffer[];
      let footer: Buffer;

      before(async () => {
        message = await sealed({ frameLength: FRAME, signed }, PLAINTEXT);
        ({ headerLength } = await opening({}, message));
        header = message.subarray(0, headerLength);
        const bodyEnd = headerLength + 2 * STRIDE + 40 + 10;
        frames = [
          message.subarray(headerLength, headerLength + STRIDE),
          message.subarray(headerLength + STRIDE, headerLength + 2 * STRIDE),
          message.subarray(headerLength + 2 * STRIDE, bodyEnd),
        ];
        footer = message.subarray(bodyEnd);
        expect((await read({}, message)).equals(PLAINTEXT)).to.equal(true);
        expect(footer.length > 0).to.equal(signed);
      });

      it("are refused whatever byte was changed", async () => {
        for (let offset = 0; offset < message.length; offset++) {
          for (const mask of [0x01, 0x80, 0xff]) {
            const altered = Buffer.from(message);
            altered.writeUInt8(altered.readUInt8(offset) ^ mask, offset);
            const released = await refused(altered, signed, `byte ${offset} ^ ${mask}`);
            if (offset < headerLength) expect(released).to.equal(0);
          }
        }
      });

      it("are refused whatever length they were cut to", async () => {
        for (let length = 0; length < message.length; length++) {
          const released = await refused(message.subarray(0, length), signed, `${length} bytes`);
          if (signed) continue;
          const whole = Math.max(0, Math.floor((length - headerLength) / STRIDE));
          expect(released).to.equal(Math.min(whole, 2) * FRAME);
        }
      });

      it("are refused with anything behind their end", async () => {
        for (const added of [Buffer.alloc(1), message, frames[2] ?? message, Buffer.alloc(40, 0xff)]) {
          await refused(Buffer.concat([message, added]), signed, `${added.length} bytes more`);
        }
      });

      it("are refused with frames missing, repeated or in another order", async () => {
        const orders = [
          [],
          [0],
          [0, 1],
          [2],
          [0, 2],
          [1, 2],
          [1, 0, 2],
          [0, 0, 1, 2],
          [0, 1, 1, 2],
          [0, 1, 2, 2],
          [2, 0, 1],
        ];
        for (const order of orders) {
          const chosen = order.map((index) => frames[index] ?? Buffer.alloc(0));
          await refused(Buffer.concat([header, ...chosen, footer]), signed, `frames ${order}`);
        }
      });

      it("are refused with frames numbered anew", async () => {
        const [first = header, second = header, last = header] = frames;
        const renumbered = Buffer.concat([uint(4, 1), second.subarray(4)]);
        await refused(Buffer.concat([header, renumbered, second, last, footer]), signed, "2 as 1");
        const swapped = Buffer.concat([uint(4, 2), first.subarray(4)]);
        await refused(Buffer.concat([header, renumbered, swapped, last, footer]), signed, "2 and 1");
      });

      it("are refused with a regular frame made the last", async () => {
        const [first = header, second = header] = frames;
        for (const length of [0, 1, FRAME - 1, FRAME, FRAME + 1, 0xffffffff]) {
          const head = Buffer.concat([uint(4, 0xffffffff), second.subarray(0, 16), uint(4, length)]);
          const content = second.subarray(16, 16 + Math.min(length, FRAME));
          const forged = Buffer.concat([head, content, second.subarray(-16)]);
          await refused(Buffer.concat([header, first, forged, footer]), signed, `${length} bytes of content`);
        }
      });

      it("are refused with the last frame made a regular one", async () => {
        const full = await sealed({ frameLength: 25, signed: false }, PLAINTEXT);
        const start = (await opening({}, full)).headerLength + 25 + 32;
        const regular = Buffer.concat([full.subarray(start + 4, start + 20), full.subarray(start + 24)]);
        await refusal("decryption-failed", () => read({}, Buffer.concat([full.subarray(0, start), regular])));
      });

      it("are refused with an empty last frame of somebody's", async () => {
        const [first = header, second = header, last = header] = frames;
        const empty = (number: number, tag: Uint8Array) =>
          Buffer.concat([uint(4, 0xffffffff), uint(4, number), Buffer.alloc(8), uint(4, number), uint(4, 0), tag]);
        for (const tag of [Buffer.alloc(16), second.subarray(-16), last.subarray(-16), header.subarray(-16)]) {
          await refused(Buffer.concat([header, first, second, empty(3, tag), footer]), signed, "in place of the last");
          await refused(Buffer.concat([header, first, second, last, empty(4, tag), footer]), signed, "behind the last");
        }
      });

      it("are refused with frames of another message", async () => {
        const other = await sealed({ frameLength: FRAME, signed }, PLAINTEXT);
        const start = (await opening({}, other)).headerLength;
        const [, second = header, last = header] = frames;
        const foreign = other.subarray(start, start + STRIDE);
        await refused(Buffer.concat([header, foreign, second, last, footer]), signed, "its first frame");
        await refused(Buffer.concat([header, other.subarray(start)]), signed, "its body");
        await refused(Buffer.concat([other.subarray(0, start), message.subarray(headerLength)]), signed, "its header");
      });
    });
  }
});

describe("claims of a message", () => {
  it("are refused before anything is read for them", async () => {
    const message = await sealed({ frameLength: FRAME }, PLAINTEXT);
    const { opened, headerLength } = await opening({}, message);
    const head = Buffer.concat([uint(4, 0xffffffff), uint(4, 1), Buffer.alloc(12), uint(4, FRAME + 1)]);
    for (const bytes of [head, message.subarray(headerLength + STRIDE)]) {
      const source = chunksOf(Buffer.concat([bytes, Buffer.alloc(100_000)]), 1);
      await refusal("decryption-failed", async () => {
        for await (const _ of opened.decrypt(source));
      });
      expect(source.read).to.be.at.most(24);
    }
  });
});

describe("the verified beginning of a message", () => {
  it("is given out before a frame that was altered, though both arrived in one chunk", async () => {
    const plaintext = plaintextOf(200_000);
    const message = await sealed({ frameLength: FRAME }, plaintext);
    message.writeUInt8(message.readUInt8(message.length - 1) ^ 1, message.length - 1);
    const released: Uint8Array[] = [];
    await refusal("decryption-failed", () => read({}, message, released, message.length));
    const beginning = Buffer.concat(released);
    expect(beginning.equals(plaintext.subarray(0, beginning.length))).to.equal(true);
    expect(beginning.length).to.be.within(100_000, 199_999);
  });
});

describe("signed messages", () => {
  const choices: Choices = { frameLength: FRAME, signed: true };

  it("give out their end after the signature was verified", async () => {
    const message = await sealed(choices, PLAINTEXT);
    const { opened, headerLength } = await opening({}, message);
    const bodyLength = 2 * STRIDE + 50;
    const source = chunksOf(message.subarray(headerLength), 1);
    let given = 0;
    for await (const piece of opened.decrypt(source)) {
      given += piece.length;
      // Of the last two frames, the second may be empty.
      if (given > FRAME) expect(source.read).to.equal(message.length - headerLength);
      else expect(source.read).to.be.below(bodyLength + 1);
    }
    expect(given).to.equal(PLAINTEXT.length);
  });

  it("are refused without their signature, and with another one of whatever length it claims", async () => {
    const message = await sealed(choices, PLAINTEXT);
    const other = await sealed(choices, PLAINTEXT);
    const { headerLength } = await opening({}, message);
    const end = headerLength + 2 * STRIDE + 50;
    const body = message.subarray(0, end);
    const signature = message.subarray(end + 2);
    const footers: Record<string, Uint8Array> = {
      none: Buffer.alloc(0),
      "half a length": Buffer.alloc(1),
      "an empty one": uint(2, 0),
      "a short one": Buffer.concat([uint(2, signature.length), signature.subarray(1)]),
      "one that claims too little": Buffer.concat([uint(2, signature.length - 1), signature]),
      "one that claims too much": Buffer.concat([uint(2, 0xffff), signature]),
      "that of another message": other.subarray(end),
      nonsense: Buffer.concat([uint(2, 70), Buffer.alloc(70, 0x30)]),
      "one byte more": Buffer.concat([message.subarray(end), Buffer.alloc(1)]),
    };
    for (const [what, footer] of Object.entries(footers)) {
      const released: Uint8Array[] = [];
      await refusal("decryption-failed", () => read({}, Buffer.concat([body, footer]), released, 11));
      expect(Buffer.concat(released), what).to.have.length(FRAME);
    }
  });

  it("give out nothing of a last frame that is released in several pieces before it was verified", async () => {
    const message = await sealed({ signed: true }, plaintextOf(2 * 65_536));
    for (const chunkSize of [20_000, message.length]) {
      const released: Uint8Array[] = [];
      await refusal("decryption-failed", () => read({}, message.subarray(0, -1), released, chunkSize));
      expect(Buffer.concat(released).length).to.be.at.most(65_536);
    }
  });

  it("give out nothing of a message of one frame before it was verified", async () => {
    for (const plaintext of [Buffer.alloc(0), plaintextOf(FRAME)]) {
      const message = await sealed(choices, plaintext);
      expect((await read({}, message)).equals(plaintext)).to.equal(true);
      const released: Uint8Array[] = [];
      await refusal("decryption-failed", () => read({}, message.subarray(0, -1), released, 1));
      expect(released).to.have.length(0);
    }
  });
});
