import { createCipheriv } from "node:crypto";
import { collect, plaintextOf, refusal, refused } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import { CBC, COMMITTING_GCM, GCM } from "../dist/algorithm-suites.js";
import { decryptContentRange } from "../dist/content-cipher.js";
import { type AlignedRange, alignRange, parseByteRange } from "../dist/content-range.js";
import { cut, streamOf, ways } from "./chunks.js";
import { contentKey, encrypted, KINDS, type Kind } from "./content-keys.js";
import { DERIVATION_TEXT, DERIVATIONS, key } from "./known-answers.js";

async function stored(kind: Kind, bytes: Uint8Array): Promise<Buffer> {
  const content = contentKey(kind);
  if (kind !== "cbc") return encrypted(content, bytes);
  const cipher = createCipheriv("aes-256-cbc", content.key, content.iv);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

/** What S3 answers to the range's fetch. */
const fetched = (body: Uint8Array, { fetchFirst, fetchLast }: AlignedRange): Uint8Array =>
  body.subarray(fetchFirst, fetchLast + 1);

function aligned(kind: Kind, range: string, length: number): AlignedRange {
  const found = alignRange(contentKey(kind).suite, parseByteRange(range), length);
  if (found === undefined) throw new Error(`Expected ${range} to be within ${length} bytes.`);
  return found;
}

describe("parseByteRange", () => {
  const ranges: [text: string, range: object][] = [
    ["bytes=0-0", { first: 0, last: 0 }],
    ["bytes=15-16", { first: 15, last: 16 }],
    [" bytes=1- ", { first: 1 }],
    ["bytes=-5", { suffixLength: 5 }],
    ["bytes=-0", { suffixLength: 0 }],
  ];
  for (const [text, range] of ranges) {
    it(`reads "${text}"`, () => expect(parseByteRange(text)).to.deep.equal(range));
  }

  for (const text of [
    "",
    "bytes=",
    "bytes=-",
    "bytes=2-1",
    "bytes=0-1,3-4",
    "0-1",
    "items=0-1",
    "bytes=a-b",
    "bytes=+1-2",
    "bytes=0x1-2",
    "bytes=1.5-2",
    "bytes=1e1-99",
    "bytes=9999999999999999-",
  ]) {
    it(`refuses "${text}"`, () => refused("invalid-argument", () => parseByteRange(text)));
  }
});

describe("ranges", () => {
  const LENGTH = 100;
  const bytes = plaintextOf(LENGTH);
  const wanted: [range: string, first: number, end: number][] = [
    ["bytes=0-0", 0, 1],
    ["bytes=15-16", 15, 17],
    ["bytes=16-31", 16, 32],
    ["bytes=17-30", 17, 31],
    ["bytes=0-99", 0, 100],
    ["bytes=95-99", 95, 100],
    ["bytes=95-110", 95, 100],
    ["bytes=0-1000000", 0, 100],
    ["bytes=1-", 1, 100],
    ["bytes=99-", 99, 100],
    ["bytes=-1", 99, 100],
    ["bytes=-16", 84, 100],
    ["bytes=-100", 0, 100],
    ["bytes=-101", 0, 100],
  ];
  for (const kind of KINDS) {
    for (const [range, first, end] of wanted) {
      if (kind === "cbc" && range.startsWith("bytes=-")) continue;
      it(`${kind}: ${range} of ${LENGTH} bytes is ${first} to ${end - 1}, however it comes`, async () => {
        const body = await stored(kind, bytes);
        const found = aligned(kind, range, body.length);
        expect(found.blockOffset + found.skip).to.equal(first);
        if (kind !== "cbc") expect(found.take).to.equal(end - first);
        for (const [way, chunks] of ways(fetched(body, found))) {
          const read = await collect(decryptContentRange(contentKey(kind), found, streamOf(chunks)));
          expect(read.length, way).to.equal(end - first);
          expect(read.equals(bytes.subarray(first, end)), way).to.equal(true);
        }
      });
    }

    it(`${kind}: any range of any content, in any chunks`, async () => {
      const sizes = fc.nat(200);
      await fc.assert(
        fc.asyncProperty(sizes, sizes, sizes, fc.integer({ min: 1, max: 50 }), async (length, a, b, size) => {
          const [first, last] = [Math.min(a, b), Math.max(a, b)];
          const content = plaintextOf(length);
          const body = await stored(kind, content);
          const found = alignRange(contentKey(kind).suite, { first, last }, body.length);
          if (found === undefined) {
            expect(first).to.be.at.least(kind === "cbc" ? body.length : length);
            return;
          }
          const reading = collect(
            decryptContentRange(contentKey(kind), found, streamOf(cut(fetched(body, found), size))),
          );
          if (first >= length) {
            await refusal("invalid-argument", reading);
            return;
          }
          const read = await reading;
          expect(read.length).to.equal(Math.min(last + 1, length) - first);
          expect(read.equals(content.subarray(first, last + 1))).to.equal(true);
        }),
      );
    });

    it(`${kind}: an answer that is short by any number of bytes, or long, is an error`, async () => {
      const body = await stored(kind, bytes);
      for (const range of ["bytes=0-63", "bytes=20-70", "bytes=50-"]) {
        const found = aligned(kind, range, body.length);
        const right = fetched(body, found);
        for (let length = 0; length < right.length; length++) {
          const short = streamOf(cut(right.subarray(0, length), 10));
          await refusal("decryption-failed", collect(decryptContentRange(contentKey(kind), found, short)));
        }
        const long = streamOf([right, Buffer.alloc(1)]);
        await refusal("decryption-failed", collect(decryptContentRange(contentKey(kind), found, long)));
      }
    });

    it(`${kind}: a range that starts past the stored body is not satisfiable`, async () => {
      for (const length of [0, 1, 16, 100]) {
        const body = await stored(kind, plaintextOf(length));
        const past = kind === "cbc" ? body.length : length;
        for (const first of [past, past + 1, past + 16, past + 1000]) {
          expect(alignRange(contentKey(kind).suite, { first }, body.length)).to.equal(undefined);
          expect(alignRange(contentKey(kind).suite, { first, last: first + 20 }, body.length)).to.equal(undefined);
        }
      }
    });
  }

  for (const suite of [GCM, COMMITTING_GCM]) {
    it(`${suite.name}: nothing of an object of 0 bytes is satisfiable, nor the tag, nor a suffix of 0`, () => {
      for (const range of ["bytes=0-0", "bytes=0-", "bytes=-1", "bytes=-16"]) {
        expect(alignRange(suite, parseByteRange(range), 16), range).to.equal(undefined);
      }
      expect(alignRange(suite, parseByteRange("bytes=100-115"), 116)).to.equal(undefined);
      expect(alignRange(suite, parseByteRange("bytes=-0"), 116)).to.equal(undefined);
    });

    it(`${suite.name}: the tag is never fetched, and never given out`, () => {
      for (const range of ["bytes=0-", "bytes=90-110", "bytes=-20"]) {
        expect(alignRange(suite, parseByteRange(range), 116)?.fetchLast, range).to.equal(99);
      }
    });

    it(`${suite.name}: a body shorter than its tag, or longer than one message, is refused`, () => {
      for (const length of [0, 15, 2 ** 36 - 15]) {
        refused("decryption-failed", () => alignRange(suite, { first: 0 }, length));
      }
      const last = suite.maxContentLength - 1;
      expect(alignRange(suite, { first: last }, suite.maxContentLength + 16)).to.include({ fetchLast: last, take: 1 });
    });
  }

  it("start at the known counter: offset 32 of the known bodies", async () => {
    for (const { contentKey: derived, body } of DERIVATIONS) {
      const content = { ...contentKey("committing"), key: key(derived) };
      const bodyBytes = Buffer.from(body, "hex");
      const found = aligned("committing", "bytes=32-", bodyBytes.length);
      expect(found).to.include({ fetchFirst: 32, fetchLast: 55, skip: 0 });
      const read = await collect(decryptContentRange(content, found, streamOf([fetched(bodyBytes, found)])));
      expect(read.toString()).to.equal(DERIVATION_TEXT.slice(32));
    }
  });

  it("keep to the counter of GCM: none ends past what one message may hold", async () => {
    const { suite, ...rest } = contentKey("gcm");
    const content = { ...rest, suite: { ...suite, maxContentLength: 64 } };
    const found = {
      fetchFirst: 48,
      fetchLast: 63,
      blockOffset: 48,
      skip: 8,
      take: 8,
      reachesEnd: false,
      total: undefined,
    };
    const source = (): AsyncGenerator<Uint8Array> => streamOf([Buffer.alloc(16)]);
    expect(await collect(decryptContentRange(content, found, source()))).to.have.length(8);
    await refusal("invalid-argument", collect(decryptContentRange(content, { ...found, take: 9 }, source())));
  });

  it("read the last block of the longest message, where CTR and GCM still count alike", async () => {
    const content = contentKey("gcm");
    const blockOffset = 2 ** 36 - 48;
    const found = {
      fetchFirst: blockOffset,
      fetchLast: blockOffset + 15,
      blockOffset,
      skip: 0,
      take: 16,
      reachesEnd: false,
      total: undefined,
    };
    const counter = Buffer.concat([content.iv, Buffer.from("ffffffff", "hex")]);
    const cipher = createCipheriv("aes-256-ctr", content.key, counter);
    const read = await collect(decryptContentRange(content, found, streamOf([cipher.update(plaintextOf(16))])));
    expect(read.equals(plaintextOf(16))).to.equal(true);
  });

  describe("of CBC", () => {
    it("fetch the block before, and not for the first one", () => {
      expect(alignRange(CBC, { first: 40, last: 50 }, 112)).to.include({ fetchFirst: 16, fetchLast: 63, skip: 8 });
      expect(alignRange(CBC, { first: 5, last: 10 }, 112)).to.include({ fetchFirst: 0, fetchLast: 15, skip: 5 });
    });

    it("take the padding away where they reach the end, and only there", () => {
      expect(alignRange(CBC, { first: 0, last: 95 }, 112)).to.include({ reachesEnd: false });
      expect(alignRange(CBC, { first: 0, last: 96 }, 112)).to.include({ reachesEnd: true });
    });

    it("do not count from the end, which the padding hides", () => {
      refused("unsupported-operation", () => alignRange(CBC, { suffixLength: 5 }, 112));
    });

    it("end where the writer said that the content does, and count from there", async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(100), fc.nat(120), fc.nat(120), fc.boolean(), async (length, first, more, isSuffix) => {
          const content = plaintextOf(length);
          const body = await stored("cbc", content);
          const range = isSuffix ? { suffixLength: first } : { first, last: first + more };
          const start = isSuffix ? Math.max(0, length - first) : first;
          const expected = content.subarray(start, isSuffix ? length : first + more + 1);
          const found = alignRange(CBC, range, body.length, length);
          if (found === undefined) {
            expect(expected.length).to.equal(0);
            return;
          }
          expect([found.total, found.take]).to.deep.equal([length, expected.length]);
          const read = await collect(decryptContentRange(contentKey("cbc"), found, streamOf([fetched(body, found)])));
          expect(read.equals(expected)).to.equal(true);
        }),
      );
    });

    it("fail with the uniform error where the content does not end where it was said to", async () => {
      const body = await stored("cbc", bytes);
      for (const stated of [96, 99, 101, 111]) {
        const found = alignRange(CBC, { first: 90 }, body.length, stated);
        if (found === undefined) throw new Error("The range starts within the content.");
        const reading = collect(decryptContentRange(contentKey("cbc"), found, streamOf([fetched(body, found)])));
        // What ends with a whole block is read without the one that holds the padding.
        if (stated === 96) expect((await reading).equals(bytes.subarray(90, 96))).to.equal(true);
        else expect((await refusal("decryption-failed", reading)).cause).to.equal(undefined);
      }
    });

    for (const range of ["bytes=100-100", "bytes=111-", "bytes=105-500"]) {
      it(`say that ${range} starts past the 100 bytes of content`, async () => {
        const body = await stored("cbc", bytes);
        const found = aligned("cbc", range, body.length);
        const reading = collect(decryptContentRange(contentKey("cbc"), found, streamOf([fetched(body, found)])));
        expect((await refusal("invalid-argument", reading)).message).to.contain("past the end");
      });
    }

    it("fail with the uniform error on bad padding (S1)", async () => {
      const body = await stored("cbc", bytes);
      body.writeUInt8(body.readUInt8(95) ^ 0x55, 95);
      const found = aligned("cbc", "bytes=80-", body.length);
      const reading = collect(decryptContentRange(contentKey("cbc"), found, streamOf([fetched(body, found)])));
      expect((await refusal("decryption-failed", reading)).cause).to.equal(undefined);
    });
  });
});
